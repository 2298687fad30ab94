package main

import (
	"context"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// search is a step of a search. The page gets one for each step.
type search struct {
	ID    int    `json:"id"`
	Text  string `json:"text"`
	State string `json:"state"` // asked, answered, cancelled or failed
	Took  int64  `json:"took"`  // milliseconds since it was asked
	found
}

// front is the server that pages talk to. It has no symbols, and asks the index.
type front struct {
	index *event.Conn
	pause time.Duration // without a keystroke, before it searches
	tell  func(s search)
}

// serve has a page search until its socket ends.
//
//	keystrokes ── trim ── DistinctUntilChanged ── DebounceTime ── SwitchMap ── Emit ──► page
//	                                                                  └── Ask ──► index
func (f *front) serve(ctx context.Context, socket *wsource.Socket) error {
	page := event.New(socket, nil)
	typed := operators.Map(event.OnValue[string](page, "typed"), strings.TrimSpace)
	changed := operators.DistinctUntilChanged(typed)
	settled := operators.DebounceTime(changed, f.pause)

	cancelled := event.Emit[search](page, "search") // beside the other steps
	count := 0
	steps := operators.SwitchMap(settled, func(text string) observable.Observable[search] {
		if count++; text == "" {
			return observable.Of(search{ID: count, State: "answered"})
		}
		return f.search(count, text, cancelled)
	})
	steps.Subscribe(ctx, event.Emit[search](page, "search"))

	connected := page.Connect(ctx)
	<-connected.Done()
	return nil // the socket is over
}

// search asks the index. Unsubscribing before the answer has come stops the search in the
// index. A cancelled search is told to an observer of its own, since SwitchMap no longer
// listens to the stream that it has left.
func (f *front) search(id int, text string, cancelled observable.Observer[search]) observable.Observable[search] {
	return observable.Defer(func() observable.Observable[search] {
		start := time.Now()
		step := func(state string, answer found) search {
			s := search{ID: id, Text: text, State: state, Took: time.Since(start).Milliseconds(), found: answer}
			f.tell(s)
			return s
		}
		return observable.Go(func(ctx context.Context, emit func(search)) error {
			emit(step("asked", found{}))
			answer, err := event.Ask[found](ctx, f.index, "search", text)
			switch {
			case ctx.Err() != nil:
				cancelled.Next(step("cancelled", found{}))
			case err != nil:
				emit(step("failed", found{}))
			default:
				emit(step("answered", answer))
			}
			return nil
		})
	})
}
