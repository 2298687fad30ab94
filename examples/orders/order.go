package main

import (
	"fmt"
	"io"
	"sync"
)

// Order is what Alice wants.
type Order struct {
	ID     string `json:"id"` // names it in every attempt to place, confirm and ship it
	Number int    `json:"number"`
	Item   string `json:"item"`
	Count  int    `json:"count"`
}

// String tells the order in a few words.
func (o Order) String() string { return fmt.Sprintf("#%d, %d %s", o.Number, o.Count, o.Item) }

// items are what the shop has.
var items = [...]string{"apples", "pears", "plums", "cherries"}

// newOrder returns the order with a number. Every fifth is not valid.
func newOrder(id string, number int) Order {
	return Order{ID: id, Number: number, Item: items[number%len(items)], Count: number % 5}
}

// News is that something has become of an order.
type News struct {
	Order Order  `json:"order"`
	By    string `json:"by"`
	Again bool   `json:"again,omitzero"` // it had been before: somebody was killed who could not tell
}

// The topics of news.
const (
	placed    = "orders.placed"
	confirmed = "orders.confirmed"
	rejected  = "orders.rejected"
	shipped   = "orders.shipped"
)

// screen is what a program prints to, from several goroutines.
type screen struct {
	mu  sync.Mutex
	out io.Writer
}

// printf prints a line of what somebody does.
func (s *screen) printf(who, format string, values ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%-10s %s\n", who, fmt.Sprintf(format, values...))
}
