package wsource_test

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// leavingHook ends the goroutine at each event of a kind; for tracesOnly, in Trace.
type leavingHook wsource.EventKind

func (h leavingHook) Handle(e wsource.Event) {
	if e.Kind == wsource.EventKind(h) {
		runtime.Goexit()
	}
}

// tracesOnly is the kind after the last, for a hook that ends the goroutine in Trace.
const tracesOnly = leavingHook(wsource.EventOverRate + 1)

func (h leavingHook) Trace(*wsource.Socket, bool, wsource.Message) {
	if h == tracesOnly {
		runtime.Goexit()
	}
}

// TestAHookThatEndsTheGoroutine sends messages both ways, alone and in bursts, pings and
// a close: all of them arrive, at whichever event the hook of one side ends the
// goroutine.
func TestAHookThatEndsTheGoroutine(t *testing.T) {
	for kind := leavingHook(wsource.EventOpened); kind <= tracesOnly; kind++ {
		name := wsource.EventKind(kind).String()
		if kind == tracesOnly {
			name = "trace"
		}
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, wsource.AcceptOptions{Hook: kind, Heartbeat: beat}, func(t *testing.T, s *site) {
				client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
				require.NoError(t, s.link().Inject(wstest.Delay(wstest.ToServer, time.Millisecond)))
				at, far := record[wsource.Message](t, server), record[wsource.Message](t, client)
				for _, socket := range []*wsource.Socket{client, server} {
					for i := range 20 {
						go send(socket, fmt.Sprint(i))
						if i%2 == 0 {
							settle()
						}
					}
				}
				time.Sleep(5 * beat.Interval)
				assert.Len(t, at.Values(), 20)
				assert.Len(t, far.Values(), 20)
				assert.Positive(t, server.RTT())
				send(client, "last")
				client.Complete()
				require.NoError(t, at.ExpectEnd(t))
				assert.Len(t, at.Values(), 21)
			})
		})
	}
}

// TestAHookThatEndsTheGoroutineOverRate is the same with dropped messages.
func TestAHookThatEndsTheGoroutineOverRate(t *testing.T) {
	inBubbleWith(t, wsource.AcceptOptions{
		Hook: leavingHook(wsource.EventOverRate), Rate: wsource.Rate{Messages: 1, Overflow: observable.OverflowDropNewest},
	}, func(t *testing.T, s *site) {
		client, server := s.pair(nil)
		got := record[wsource.Message](t, server)
		for range 10 {
			send(client, "x")
			time.Sleep(400 * time.Millisecond)
		}
		client.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.Len(t, got.Values(), 4)
	})
}

// TestAPongInTheMiddleOfAMessage has an observer of round trips end the goroutine between
// two fragments: the message is whole all the same.
func TestAPongInTheMiddleOfAMessage(t *testing.T) {
	messages := func(s *wsource.Socket) observable.Observable[string] {
		return operators.Map[wsource.Message](s, wsource.Message.String)
	}
	const deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	for name, test := range map[string]struct {
		header  string
		options wsource.AcceptOptions
		take    func(s *wsource.Socket) observable.Observable[string]
		want    []string
	}{
		"whole":      {take: messages, want: []string{"first", "in two", "last"}},
		"compressed": {deflate, wsource.AcceptOptions{Compression: wsource.CompressStream}, messages, []string{"first", "in two", "last"}},
		"read as it comes": {take: func(s *wsource.Socket) observable.Observable[string] {
			return operators.TryMap(s.Readers(), func(m *wsource.MessageReader) (string, error) {
				text, err := io.ReadAll(m)
				return string(text), err
			})
		}, want: []string{"first", "in two", "last"}},
		"left": {take: func(s *wsource.Socket) observable.Observable[string] {
			return operators.Map(s.Readers(), func(*wsource.MessageReader) string { return "left" })
		}, want: []string{"left", "left", "left"}},
		"dropped": {
			options: wsource.AcceptOptions{Rate: wsource.Rate{
				Messages: 1, Per: time.Minute, Burst: 1, Overflow: observable.OverflowDropNewest,
			}},
			take: messages, want: []string{"first"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			options := test.options
			options.Hook, options.Heartbeat = leavingHook(wsource.EventHeartbeat), beat
			inBubbleWith(t, options, func(t *testing.T, s *site) {
				p, server := s.rawClient(test.header)
				got := record(t, test.take(server))
				opcode, rsv, data := opText, byte(0), []byte("in two")
				if test.header != "" {
					rsv, data = 4, deflated(t, "in two")
				}
				p.write(textFrame("first"), frame{opcode: opcode, rsv: rsv, payload: data[:3]})
				ping := p.read()
				require.Equal(t, opPing, ping.opcode)
				ping.opcode = opPong
				p.write(ping)
				settle()
				p.write(frame{fin: true, payload: data[3:]}, textFrame("last"), closeFrame(1000, ""))
				require.NoError(t, got.ExpectEnd(t))
				assert.Equal(t, test.want, got.Values())
				assert.Empty(t, got.Breaches())
			})
		})
	}
}

// deflated returns a message as permessage-deflate compresses it.
func deflated(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF})
}

// TestAllThatIsUndeliveredIsTold has the observer of undelivered messages end the
// goroutine each time.
func TestAllThatIsUndeliveredIsTold(t *testing.T) {
	inBubbleWith(t, wsource.AcceptOptions{Heartbeat: noBeat}, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, Hook: leavingHook(wsource.EventDropped)})
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		var failed atomic.Int64
		owner := postingOwner(func(_ *wsource.Posting, err *wsource.SendError) {
			if err != nil {
				failed.Add(1)
			}
			runtime.Goexit()
		})
		large := wsource.Prepare(wsource.BinaryMessage(make([]byte, wstest.DefaultBuffer)))
		for range 10 {
			go client.Post(&wsource.Posting{Prepared: large, Owner: owner})
			go client.Next(wsource.BinaryMessage(make([]byte, 10)))
		}
		settle()
		go client.CloseNow()
		settle()
		assert.GreaterOrEqual(t, failed.Load(), int64(9), "one of them may be with the network")
		s.link().Resume(wstest.ToServer)
		requireClose(t, record[wsource.Message](t, server).ExpectEnd(t), wsource.StatusAbnormalClosure)
	})
}

// postingOwner is a function as a PostingOwner.
type postingOwner func(p *wsource.Posting, err *wsource.SendError)

func (f postingOwner) Posted(p *wsource.Posting, err *wsource.SendError) { f(p, err) }

// TestAPostingsOwnerThatFails has the owner of postings panic, or end the goroutine.
func TestAPostingsOwnerThatFails(t *testing.T) {
	for name, fail := range map[string]func(){"a panic": func() { panic("the owner's") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			inBubble(t, func(t *testing.T, s *site) {
				client, server := s.pair(nil)
				got := record[wsource.Message](t, server)
				var told atomic.Int64
				owner := postingOwner(func(*wsource.Posting, *wsource.SendError) {
					told.Add(1)
					fail()
				})
				for i := range 20 {
					posting := &wsource.Posting{Prepared: wsource.Prepare(wsource.TextMessage(fmt.Sprint(i))), Owner: owner}
					go client.Post(posting)
				}
				settle()
				client.Complete()
				require.NoError(t, got.ExpectEnd(t))
				assert.Len(t, got.Values(), 20)
				assert.EqualValues(t, 20, told.Load())
				if name == "a panic" {
					assert.Len(t, unhandled.All(), 20)
				}
			})
		})
	}
}

// TestObserversOfASubjectThatEndTheGoroutine has the observers of round trips, and of
// undecodable messages, end it.
func TestObserversOfASubjectThatEndTheGoroutine(t *testing.T) {
	t.Run("RoundTrips", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Dial: wsource.DialOptions{Heartbeat: beat}})
			got, sub := listen(t, subject)
			server := s.accept()
			require.NoError(t, s.link().Inject(wstest.Delay(wstest.ToServer, time.Millisecond)))
			subject.RoundTrips().Subscribe(context.Background(), observable.ObserverFuncs[time.Duration]{
				OnNext: func(time.Duration) { runtime.Goexit() },
			})
			time.Sleep(5 * beat.Interval)
			server.say("after")
			settle()
			assert.Equal(t, []string{"after"}, got.Values())
			sub.Unsubscribe()
		})
	})
	t.Run("Undecodable", func(t *testing.T) {
		observabletest.Unhandled(t)
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject := newSubject[int](s, wsource.JSON[int, int](), nil)
			subject.Undecodable().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.CodecError]{
				OnNext: func(*wsource.CodecError) { runtime.Goexit() },
			})
			got, _ := listen(t, subject)
			server := s.accept()
			server.say("no number")
			require.ErrorAs(t, got.ExpectEnd(t), new(*wsource.CodecError))
			requireClose(t, server.wait(), wsource.StatusInvalidPayload)
		})
	})
}

// hollow is a codec that exists only as a nil pointer.
type hollow struct{ wsource.Codec[string, string] }

func (c *hollow) Encode(text string) (wsource.Message, error)            { return c.Codec.Encode(text) }
func (c *hollow) Decode(t wsource.MessageType, d []byte) (string, error) { return c.Codec.Decode(t, d) }
func (c *hollow) Name() string                                           { return c.Codec.Name() }

// TestANilCodec has a codec panic in each method: the stream fails with that panic.
func TestANilCodec(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := newSubject[string, string](s, (*hollow)(nil), nil)
		got, _ := listen(t, subject)
		server := s.accept()
		require.ErrorAs(t, subject.Send(t.Context(), "x"), new(*observable.PanicError))
		server.say("x")
		err := got.ExpectEnd(t)
		require.ErrorAs(t, err, new(*observable.PanicError))
		assert.ErrorContains(t, err, "*wsource_test.hollow")
		requireClose(t, server.wait(), wsource.StatusInvalidPayload)
	})
}

// failingJar fails to keep cookies.
type failingJar struct{ fail func() }

func (failingJar) Cookies(*url.URL) []*http.Cookie       { return nil }
func (j failingJar) SetCookies(*url.URL, []*http.Cookie) { j.fail() }

// TestAJarThatFails has the cookies of an upgrade, or of a refusal, be too much for the
// Jar: no connection is left.
func TestAJarThatFails(t *testing.T) {
	for name, fail := range map[string]func(){"a panic": func() { panic("the jar's") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closed := make(chan error, 1)
				network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Set-Cookie", "a=b")
					socket, err := wsource.Accept(w, r, nil)
					if assert.NoError(t, err) {
						closed <- record[wsource.Message](t, socket).ExpectEnd(t)
					}
				})
				options := on(network, &wsource.DialOptions{Jar: failingJar{fail}})
				require.Error(t, record(t, wsource.Connect("ws://"+host, options)).ExpectEnd(t))
				requireClose(t, <-closed, wsource.StatusAbnormalClosure)

				network = serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Set-Cookie", "a=b")
					w.WriteHeader(http.StatusForbidden)
				})
				options = on(network, &wsource.DialOptions{Jar: failingJar{fail}})
				require.Error(t, record(t, wsource.Connect("ws://"+host, options)).ExpectEnd(t))
			})
		})
	}
}

// TestConnectWithOptionsThatFail has a function of the options panic, or end the
// goroutine.
func TestConnectWithOptionsThatFail(t *testing.T) {
	oops := errors.New("oops")
	for name, test := range map[string]struct {
		fail func()
		want error
	}{
		"a panic": {func() { panic(oops) }, oops},
		"Goexit":  {runtime.Goexit, observable.ErrGoexit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := record(t, wsource.Connect("ws://"+host, &wsource.DialOptions{
					Transport: transportFunc(func(*http.Request) (*http.Response, error) {
						test.fail()
						return nil, context.Canceled
					}),
				}))
				require.ErrorIs(t, got.ExpectEnd(t), test.want)
			})
		})
	}
}

// TestAuthorizeEndsTheGoroutine checks that this is a failure as a panic is, of a server
// and of Accept.
func TestAuthorizeEndsTheGoroutine(t *testing.T) {
	leave := func(*http.Request) (wsource.Admission, error) {
		runtime.Goexit()
		return wsource.Admission{}, nil
	}
	t.Run("Server", func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		synctest.Test(t, func(t *testing.T) {
			server := &wsource.Server{MaxConnections: 1, Options: wsource.AcceptOptions{Authorize: leave}}
			refusals := record(t, server.Refusals())
			r := echoing(t, server)
			for range 2 { // the reserved place is given back
				requireHandshake(t, dialError(t, r.network, "ws://"+host, nil), http.StatusInternalServerError)
			}
			settle()
			require.Len(t, refusals.Values(), 2)
			require.ErrorIs(t, refusals.Values()[0], observable.ErrGoexit)
			require.Len(t, unhandled.All(), 2)
			assert.ErrorIs(t, unhandled.All()[0], observable.ErrGoexit)
		})
	})
	t.Run("Accept", func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		synctest.Test(t, func(t *testing.T) {
			network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = wsource.Accept(w, r, &wsource.AcceptOptions{Authorize: leave})
			})
			requireHandshake(t, dialError(t, network, "ws://"+host, nil), http.StatusInternalServerError)
			assert.Len(t, unhandled.All(), 1)
		})
	})
}
