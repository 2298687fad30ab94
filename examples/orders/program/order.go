package main

import (
	"fmt"
	"io"
	"sync"
)

// Order is an order of Alice.
type Order struct {
	ID     string `json:"id"` // names it in every attempt to place, confirm and ship it
	Number int    `json:"number"`
	Item   string `json:"item"`
	Count  int    `json:"count"`
}

// String describes the order in a few words.
func (o Order) String() string { return fmt.Sprintf("#%d, %d %s", o.Number, o.Count, o.Item) }

// items are the goods of the shop.
var items = [...]string{"apples", "pears", "plums", "cherries"}

// newOrder returns the order with a number. Every fifth order is not valid.
func newOrder(id string, number int) Order {
	return Order{ID: id, Number: number, Item: items[number%len(items)], Count: number % 5}
}

// News is a step in the life of an order.
type News struct {
	Order Order  `json:"order"`
	By    string `json:"by"`
	// Again: the step had been made before, by a process that was killed before it could
	// tell.
	Again bool `json:"again,omitzero"`
}

// The topics of news.
const (
	placed    = "orders.placed"
	confirmed = "orders.confirmed"
	rejected  = "orders.rejected"
	shipped   = "orders.shipped"
)

// screen is the output of a program, for several goroutines.
type screen struct {
	mu  sync.Mutex
	out io.Writer
}

// printf prints a line about one role.
func (s *screen) printf(who, format string, values ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%-10s %s\n", who, fmt.Sprintf(format, values...))
}
