package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// client is a client of the exchange at a host. It prints the events.
type client struct {
	host    string
	subject *wsource.Subject[event, order]
	topics  *wsource.Topics[string, event, order]

	mu  sync.Mutex // guards out
	out io.Writer
}

func newClient(host string, out io.Writer) *client {
	c := &client{host: host, out: out}
	c.subject = wsource.NewSubject("", wsource.JSON[event, order](), &wsource.SubjectConfig[order]{
		Target:          c.target,
		Reconnect:       new(backoff.Config),
		SkipUndecodable: true,
	})
	c.topics = wsource.NewTopics(c.subject, wsource.TopicsConfig[string, event, order]{
		Subscribe:   func(symbol string) order { return order{"subscribe", symbol} },
		Unsubscribe: func(symbol string) order { return order{"unsubscribe", symbol} },
		Topic:       func(e event) (string, bool) { return e.Symbol, e.Symbol != "" },
		Acknowledged: func(e event) (symbol string, refusal error, ok bool) {
			if e.Type == "refused" {
				refusal = errors.New("the exchange does not have it")
			}
			return e.Symbol, refusal, e.Type == "subscribed" || e.Type == "refused"
		},
	})
	return c
}

// target gets a token, which is good for one attempt.
func (c *client) target(ctx context.Context, attempt int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.host+"/token", nil)
	if err != nil {
		return "", dial, err
	}
	answer, err := http.DefaultClient.Do(asked)
	if err != nil {
		return "", dial, err // of the network, and so worth another attempt
	}
	defer answer.Body.Close() //nolint:errcheck // it has been read
	if answer.StatusCode != http.StatusOK {
		return "", dial, wsource.Retryable(fmt.Errorf("no token: %s", answer.Status))
	}
	token, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	c.print("token", fmt.Sprintf("for attempt %d", attempt))
	dial.Header = http.Header{"Authorization": {"Bearer " + string(token)}}
	return "ws://" + c.host + "/ticks", dial, err
}

// follow prints the prices of symbols until ctx ends, or an error that no other
// connection mends.
func (c *client) follow(ctx context.Context, symbols ...string) error {
	c.subject.Status().Subscribe(ctx, observable.ObserverFuncs[wsource.Status]{OnNext: c.printStatus, OnError: func(error) {}})
	c.subject.Undecodable().Subscribe(ctx, observable.ObserverFuncs[*wsource.CodecError]{
		OnNext: func(err *wsource.CodecError) { c.print("malformed", errors.Unwrap(err)) },
	})
	all := operators.MergeMap(observable.FromSlice(symbols), c.prices)
	return observable.ForEach(ctx, all, func(e event) { c.print(e.Symbol, fmt.Sprintf("%s %d: %.4f", e.Type, e.Seq, e.Price)) })
}

// prices returns the prices of one symbol. A snapshot comes first on each connection, and
// begins a row of numbers. When a number is missing, the client asks for another
// snapshot. A failure of one symbol touches no other.
//
//	Topic ─┬─ snapshots ── SwitchMap ──────────────► prices
//	       └─ ticks ─────────── StartWith ── Sequence
func (c *client) prices(symbol string) observable.Observable[event] {
	prices := operators.Connect(c.topics.Topic(symbol), func(events observable.Observable[event]) observable.Observable[event] {
		snapshots, ticks := operators.Partition(events, func(e event) bool { return e.Type == "snapshot" })
		return operators.SwitchMap(snapshots, func(snapshot event) observable.Observable[event] {
			row := operators.StartWith(ticks, snapshot)
			return operators.Sequence(row, func(e event) uint64 { return e.Seq }, operators.SequenceConfig[event]{
				Gap: func(want, got uint64) error {
					c.print(symbol, fmt.Sprintf("gap: %d to %d are missing, a snapshot is asked for", want, got-1))
					c.subject.Next(order{"snapshot", symbol})
					return nil
				},
			})
		})
	})
	return operators.Catch(prices, func(err error) observable.Observable[event] {
		c.print(symbol, fmt.Sprint("failed: ", err))
		return observable.Empty[event]()
	})
}

func (c *client) printStatus(s wsource.Status) {
	switch s.State {
	case wsource.LinkBackoff:
		c.print("waiting", fmt.Sprintf("%v after: %v", time.Until(s.NextTry).Round(100*time.Millisecond), s.Err))
	default:
		c.print("status", strings.ToLower(s.State.String()))
	}
}

func (c *client) print(what string, about any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "%-10s %v\n", what, about)
}
