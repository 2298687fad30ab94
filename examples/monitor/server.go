package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

const (
	livePath       = "/live"         // where the sockets are
	maxCommand     = 4 << 10         // bytes; a longer command closes its connection with 1009
	maxConnections = 256             // at a time; who comes then gets a 503
	goodbyeTime    = 2 * time.Second // for a client to answer the close frame
)

// service is the server's side of the conversation: what it offers, and where the samples come from.
type service struct {
	sampler *sampler
	offer   *offer
}

func newService(s *sampler, host string) *service {
	return &service{s, &offer{Host: host, Min: interval(minInterval), Max: interval(maxInterval), Metrics: s.metrics}}
}

// request is a command, or what is wrong with it.
type request struct {
	command
	err error
}

// answer makes the messages for one client of the messages from it. This is all that the server does for a socket:
//
//	messages ── parse ─┬─ faulty ── error reply ──────────────────────┐
//	                   └─ Scan ── settings ─┬─ settings reply ────────┼── encode
//	                                        ├─ interval ── SwitchMap ─┤
//	                                        └─ metrics ── choose ─────┘
func (s *service) answer(messages observable.Observable[wsource.Message]) observable.Observable[wsource.Message] {
	replies := operators.Connect(s.requests(messages), s.replies)
	return operators.TryMap(replies, serverSide.Encode)
}

// replies makes the replies to one client of its requests, which it subscribes to several times.
func (s *service) replies(requests observable.Observable[request]) observable.Observable[reply] {
	valid := operators.Filter(requests, func(r request) bool { return r.err == nil })
	faulty := operators.Filter(requests, func(r request) bool { return r.err != nil })

	initial := settings{Interval: interval(time.Second), Metrics: namesOf(s.offer.Metrics), Offer: s.offer}
	changed := operators.Scan(valid, initial, func(now settings, r request) settings { return now.with(r.command) })
	current := operators.StartWith(changed, initial)

	// A new interval replaces the stream of samples. A choice of metrics does not interrupt it.
	intervals := operators.DistinctUntilChanged(operators.Map(current, func(now settings) interval { return now.Interval }))
	samples := operators.SwitchMap(intervals, s.samples)
	// The latest sample of a stream that is joined may be older than the last one of the stream that was left.
	newer := operators.DistinctUntilChangedFunc(samples, func(last, next sample) bool { return !next.Time.After(last.Time) })
	chosen := operators.WithLatestFrom(newer, current, func(all sample, now settings) reply {
		some := all.only(now.Metrics)
		return reply{Sample: &some}
	})
	return operators.Merge(
		operators.Map(current, func(now settings) reply { return reply{Settings: &now} }),
		operators.Map(faulty, func(r request) reply { return reply{Error: r.err.Error()} }),
		operators.TakeUntil(chosen, endOf(requests)), // samples do not end by themselves
	)
}

// requests reads the commands. A faulty one takes its place in the stream and does not end it, as each is parsed in
// a stream of its own.
func (s *service) requests(messages observable.Observable[wsource.Message]) observable.Observable[request] {
	return operators.ConcatMap(messages, func(m wsource.Message) observable.Observable[request] {
		parsed := operators.TryMap(observable.Of(m), s.offer.parse)
		requests := operators.Map(parsed, func(c command) request { return request{command: c} })
		return operators.Catch(requests, func(err error) observable.Observable[request] {
			return observable.Of(request{err: err})
		})
	})
}

// samples is the shared stream of samples as one client gets it: who is slow misses some, and holds nobody up.
func (s *service) samples(i interval) observable.Observable[sample] {
	return operators.OnBackpressureLatest(s.sampler.every(i), nil)
}

// endOf returns an observable that emits when src completes.
func endOf[T any](src observable.Observable[T]) observable.Observable[T] {
	var end T
	return operators.EndWith(operators.IgnoreElements(src), end)
}

// server serves the page and the sockets.
type server struct {
	http      *http.Server
	sockets   *wsource.Server
	accepting observable.Subscription
}

// newServer returns a server that answers by service, for requests to the host name given or an IP address.
func newServer(ctx context.Context, s *service, name string) *server {
	sockets := &wsource.Server{
		Options:        wsource.AcceptOptions{ReadLimit: maxCommand, CloseTimeout: goodbyeTime},
		MaxConnections: maxConnections,
	}
	// A conversation ends with its socket, not with ctx: a socket that is told of ctx's end by its pipeline would
	// close as one that failed, before shutdown closes it as one that goes away.
	forever := context.WithoutCancel(ctx)
	accepting := sockets.Connections().Subscribe(forever, observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) { s.answer(socket).Subscribe(forever, socket) },
	})
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", newPage())
	mux.Handle("GET "+livePath, sockets)
	return &server{
		http: &http.Server{
			Handler:           onlyFor(name, mux),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      10 * time.Second,
			IdleTimeout:       time.Minute,
			MaxHeaderBytes:    16 << 10,
		},
		sockets:   sockets,
		accepting: accepting,
	}
}

// serve answers requests until shutdown is called.
func (s *server) serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shutdown closes the listener, and every socket with 1001, going away.
func (s *server) shutdown(ctx context.Context) error {
	defer s.accepting.Unsubscribe()
	return errors.Join(s.http.Close(), s.sockets.Shutdown(ctx))
}

// onlyFor answers requests that name the server by name, by an IP address or as localhost. A page whose own name was
// made to point here (DNS rebinding) has an origin that matches the request's Host, so that the check of origins does
// not keep it out.
func onlyFor(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		known := strings.EqualFold(host, name) || strings.EqualFold(host, "localhost") ||
			net.ParseIP(strings.Trim(host, "[]")) != nil
		if !known {
			http.Error(w, "this server has another name", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
