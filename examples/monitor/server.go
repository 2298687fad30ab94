package main

import (
	"context"
	_ "embed" // for the page
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/page"
	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/inspect"
)

const (
	livePath       = "/live"         // path of the sockets
	maxCommand     = 4 << 10         // bytes; a longer one is closed with 1009
	maxWaiting     = 16              // messages for a client; a slower one misses samples
	maxConnections = 256             // at a time; a further one gets a 503
	pingTime       = 5 * time.Second // silence until the round trip is measured
	goodbyeTime    = 2 * time.Second // for a client to answer the close frame
)

// service is the server's side of the conversation: its offer, and the source of the
// samples.
type service struct {
	sampler *sampler
	offer   *offer
	sent    atomic.Uint64 // messages, to all clients
	missed  atomic.Uint64 // samples that slow clients did not get
}

func newService(s *sampler, host string) *service {
	return &service{
		sampler: s,
		offer:   &offer{Host: host, Min: interval(minInterval), Max: interval(maxInterval), Metrics: s.metrics},
	}
}

// request is a command, or the problem with it.
type request struct {
	command
	err error
}

// answer makes the messages for one client from its messages. This is all that the server
// does for a socket:
//
//	messages ── parse ─┬─ faulty ── error reply ──────────────────────┐
//	                   └─ Scan ── settings ─┬─ settings reply ────────┼── encode
//	                                        ├─ interval ── SwitchMap ─┤
//	                                        └─ metrics ── choose ─────┘
func (s *service) answer(messages observable.Observable[wsource.Message]) observable.Observable[wsource.Message] {
	requests := operators.Named(s.requests(messages), "commands")
	replies := operators.Connect(requests, s.replies)
	return operators.TryMap(replies, serverSide.Encode)
}

// replies makes the replies to one client of its requests, which it subscribes to several
// times.
func (s *service) replies(requests observable.Observable[request]) observable.Observable[reply] {
	valid := operators.Filter(requests, func(r request) bool { return r.err == nil })
	faulty := operators.Filter(requests, func(r request) bool { return r.err != nil })

	initial := settings{Interval: interval(time.Second), Metrics: namesOf(s.offer.Metrics), Offer: s.offer}
	changed := operators.Scan(valid, initial, func(now settings, r request) settings { return now.with(r.command) })
	current := operators.StartWith(changed, initial)

	// A new interval replaces the stream of samples. A choice of metrics does not
	// interrupt it.
	intervals := operators.DistinctUntilChanged(operators.Map(current, func(now settings) interval { return now.Interval }))
	samples := operators.SwitchMap(intervals, s.samples)
	// The latest sample of a stream that is joined may be older than the last one of the
	// stream left.
	newer := operators.DistinctUntilChangedFunc(samples, func(last, next sample) bool { return !next.Time.After(last.Time) })
	chosen := operators.WithLatestFrom(newer, current, func(all sample, now settings) reply {
		some := all.only(now.Metrics)
		return reply{Sample: &some}
	})
	return operators.Merge(
		operators.Map(current, func(now settings) reply { return reply{Settings: &now} }),
		operators.Map(faulty, func(r request) reply { return reply{Error: r.err.Error()} }),
		chosen, // this ends with its socket
	)
}

// requests reads the commands. A faulty one takes its place in the stream and does not
// end it, as each is parsed in a stream of its own.
func (s *service) requests(messages observable.Observable[wsource.Message]) observable.Observable[request] {
	return operators.ConcatMap(messages, func(m wsource.Message) observable.Observable[request] {
		parsed := operators.TryMap(observable.Of(m), s.offer.parse)
		requests := operators.Map(parsed, func(c command) request { return request{command: c} })
		return operators.Catch(requests, func(err error) observable.Observable[request] {
			return observable.Of(request{err: err})
		})
	})
}

// samples is the shared stream of samples as one client gets it: a slow client misses
// some, and holds up no other.
func (s *service) samples(i interval) observable.Observable[sample] {
	shared := operators.Named(s.sampler.every(i), "samples of "+i.String())
	latest := operators.OnBackpressureLatest(shared, func(sample) { s.missed.Add(1) })
	return operators.Named(latest, "samples to send")
}

// Handle counts the messages sent: it is the hook of the sockets.
func (s *service) Handle(e wsource.Event) {
	if e.Kind == wsource.EventSent {
		s.sent.Add(uint64(e.Messages)) //nolint:gosec // it is not negative
	}
}

// story makes the messages for one client about the stream itself, one a second.
func (s *service) story(sockets *wsource.Server, socket *wsource.Socket) observable.Observable[wsource.Message] {
	figures := operators.Map(observable.TimerEvery(0, time.Second), func(int) reply {
		return reply{Stream: &streamFigures{
			Connections: sockets.Len(), Sent: s.sent.Load(), Missed: s.missed.Load(),
			RTT: float64(socket.RTT().Microseconds()) / 1000,
		}}
	})
	return operators.OnBackpressureLatest(operators.TryMap(figures, serverSide.Encode), nil)
}

//go:embed page.html
var html []byte

// newSite returns a site that answers by service, at hosts beside localhost and
// addresses.
func newSite(s *service, hosts ...string) program.Site {
	inspector := inspect.New(&inspect.Config{Hosts: hosts, Show: inspect.ShowJSON()})
	sockets := &wsource.Server{
		Options: wsource.AcceptOptions{
			ReadLimit: maxCommand, CloseTimeout: goodbyeTime, Hook: wsource.Hooks(s, inspector.Hook()),
			Heartbeat: wsource.Heartbeat{Interval: pingTime}, Outbox: wsource.Outbox{Messages: maxWaiting},
		},
		MaxConnections: maxConnections,
	}
	mux := http.NewServeMux()
	page.Mount(mux, html)
	mux.Handle("GET "+livePath, sockets)
	mux.Handle("/inspect/", inspector)
	return program.Site{
		Handler: mux,
		Sockets: sockets,
		Work: func(ctx context.Context) error {
			return sockets.Answer(ctx, func(socket *wsource.Socket) observable.Observable[wsource.Message] {
				return operators.Merge(s.answer(socket), s.story(sockets, socket))
			})
		},
		Close: func(context.Context) error {
			inspector.Close()
			return nil
		},
	}
}
