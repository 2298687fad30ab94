package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

const (
	levels   = 12                     // of each side of a book
	bookBeat = 100 * time.Millisecond // between two changes of a book
)

// The book of a symbol is a map that all its viewers share: of each level, as "bid 3",
// its price and size.
type (
	level  = struct{ Price, Size float64 }
	change = hub.Change[string, level]
	books  struct {
		hub    *hub.Hub[string, string, change]
		trades observable.Observable[trade]

		mu   sync.Mutex
		open map[string]*openBook
	}
	openBook struct {
		readers int
		stop    context.CancelFunc
	}
)

func newBooks(trades observable.Observable[trade]) *books {
	return &books{
		hub:    hub.NewStates(hub.Config[string, string, change]{MaxRooms: symbols, Messages: 500}),
		trades: trades, open: make(map[string]*openBook),
	}
}

// use keeps the book of a symbol up to date until the last user calls release.
func (b *books) use(ctx context.Context, symbol string) (release func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	book := b.open[symbol]
	if book == nil {
		state, err := hub.NewState(ctx, b.hub.Room(symbol), 2*levels)
		if err != nil {
			return nil, err
		}
		// The life of the book is not that of the first socket.
		life, cancel := context.WithCancel(context.Background())
		sub := b.keep(life, symbol, state)
		book = &openBook{stop: func() {
			cancel()
			<-sub.Done()
			state.Close()
		}}
		b.open[symbol] = book
	}
	book.readers++
	return sync.OnceFunc(func() { b.leave(symbol) }), nil
}

// leave ends a book that no socket reads any more.
func (b *books) leave(symbol string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	book := b.open[symbol]
	if book.readers--; book.readers == 0 {
		delete(b.open, symbol)
		book.stop()
	}
}

// keep changes the book around the latest price.
func (b *books) keep(ctx context.Context, symbol string, state *hub.State[string, level]) observable.Subscription {
	prices := operators.Filter(b.trades, func(t trade) bool { return t.Symbol == symbol })
	latest := operators.OnBackpressureLatest(operators.ThrottleTime(prices, bookBeat), nil)
	named := operators.Named(latest, "book "+symbol)
	return named.Subscribe(ctx, observable.ObserverFuncs[trade]{
		OnNext: func(t trade) {
			for n := range levels {
				away := tick * float64(n+1)
				_ = state.Set(ctx, fmt.Sprint("bid ", n), level{round(t.Price - away), float64(1 + rand.IntN(500))})
				_ = state.Set(ctx, fmt.Sprint("ask ", n), level{round(t.Price + away), float64(1 + rand.IntN(500))})
			} // it fails only because ctx has ended
		},
		OnError: func(error) {}, // likewise
	})
}
