package wsource_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// events is a hook that keeps the events of one kind.
type events struct {
	kind wsource.EventKind
	mu   sync.Mutex
	all  []wsource.Event
}

func (h *events) Handle(e wsource.Event) {
	if e.Kind == h.kind {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = append(h.all, e)
	}
}

func (h *events) events() []wsource.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]wsource.Event(nil), h.all...)
}

// arrivals returns the stream of the messages' times, counted from now.
func arrivals(s *wsource.Socket) observable.Observable[string] {
	began := time.Now()
	return operators.Map(s, func(m wsource.Message) string {
		return fmt.Sprintf("%s %v", m, time.Since(began))
	})
}

// A socket whose peer sends too much reads evenly at the rate, and loses nothing.
func TestRateSlowsThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Rate: wsource.Rate{Messages: 10, Burst: 3}})
		client, server := s.pair(nil)
		time.Sleep(time.Hour) // a burst is no larger for that
		got := record(t, arrivals(server))
		send(client, "1", "2", "3", "4", "5", "6")
		time.Sleep(time.Second)
		assert.Equal(t, []string{"1 0s", "2 0s", "3 0s", "4 100ms", "5 200ms", "6 300ms"}, got.Values())

		send(client, "7", "8", "9", "10")
		settle()
		began := time.Now()
		require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
		<-client.Done()
		<-server.Done()
		require.NoError(t, server.Err())
		assert.Zero(t, time.Since(began), "the end waits for no token")
		assert.Len(t, got.Values(), 10, "nor do the messages before it")
	})
}

// Messages over the rate are dropped whole, in any form, and reported; messages in time
// are not.
func TestRateDropsMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hook := &events{kind: wsource.EventOverRate}
		s := newSite(t, wsource.AcceptOptions{
			Hook: hook, Rate: wsource.Rate{Messages: 1, Burst: 2, Overflow: observable.OverflowDropNewest},
		})
		p, server := s.rawClient("")
		got := record(t, arrivals(server))
		ping := frame{fin: true, opcode: opPing}
		p.write(ping, ping, ping, textFrame("1"), textFrame("2"), ping, textFrame("lost"),
			frame{opcode: opText, payload: []byte("lost ")}, ping, frame{fin: true, payload: []byte("in parts")},
			frame{fin: true, opcode: opBinary, payload: make([]byte, 100_000)})
		time.Sleep(time.Second)
		p.write(textFrame("3"), textFrame("lost"))
		settle()
		assert.Equal(t, []string{"1 0s", "2 0s", "3 1s"}, got.Values())
		sizes := []int{}
		for _, e := range hook.events() {
			assert.Same(t, server, e.Socket)
			assert.Equal(t, 1, e.Messages)
			sizes = append(sizes, e.Bytes)
		}
		assert.Equal(t, []int{4, 13, 100_000, 4}, sizes)

		// A malformed message ends the connection as ever, even if it is dropped.
		p.write(frame{fin: true, opcode: opText, payload: []byte("\xFF")})
		code, _ := p.readClose()
		assert.Equal(t, wsource.StatusInvalidPayload, code)
	})
}

// A peer that sends too much gets a close frame, and its later messages are not read.
func TestRateClosesTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Rate: wsource.Rate{
			Messages: 60, Per: time.Minute, Burst: 1, Overflow: observable.OverflowFail,
		}})
		client, server := s.pair(nil)
		got := record[wsource.Message](t, server)
		for _, text := range []string{"1", "2"} {
			send(client, text)
			time.Sleep(time.Second)
		}
		send(client, "3", "4", "5")
		<-client.Done()
		closed := requireClose(t, client.Err(), wsource.StatusPolicyViolation)
		assert.Equal(t, "too many messages", closed.Reason)
		require.ErrorIs(t, got.ExpectEnd(t), wsource.ErrTooManyMessages)
		assert.Equal(t, []string{"1", "2", "3"}, texts(got.Values()))
	})
}

// A message that is read as it arrives needs a token, or is dropped, as any other.
func TestRateOfReaders(t *testing.T) {
	for _, overflow := range []observable.Overflow{observable.OverflowBlock, observable.OverflowDropNewest} {
		t.Run(overflow.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{
					ReadLimit: 1000, StreamLimit: 1 << 20, Rate: wsource.Rate{Messages: 1, Burst: 1, Overflow: overflow},
				})
				client, server := s.pair(nil)
				began := time.Now()
				got := record(t, operators.TryMap(server.Readers(), func(m *wsource.MessageReader) (string, error) {
					data, err := io.ReadAll(m)
					return fmt.Sprint(len(data), " ", time.Since(began)), err
				}))
				send(client, "1", strings.Repeat("x", 100_000), "3")
				time.Sleep(3 * time.Second)
				want := []string{"1 0s"}
				if overflow == observable.OverflowBlock {
					want = append(want, "100000 1s", "1 2s")
				}
				assert.Equal(t, want, got.Values())
			})
		})
	}
}

// A connection without messages is closed; pings do not count.
func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{
			IdleTimeout: time.Minute, StreamLimit: 1 << 20, Heartbeat: wsource.Heartbeat{Interval: time.Second},
		})
		client, server := s.pair(nil)
		for range 3 {
			time.Sleep(59 * time.Second)
			send(client, "alive")
		}
		time.Sleep(time.Hour)
		assert.Equal(t, wsource.Open, server.State(), "a message waits for a subscriber")

		delay := 5 * time.Minute
		subscription := server.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
			OnNext: func(wsource.Message) { time.Sleep(delay) },
		})
		time.Sleep(3*delay + 59*time.Second)
		assert.Equal(t, wsource.Open, server.State(), "the time runs from the delivery on")
		subscription.Unsubscribe()

		pieces, writer := io.Pipe()
		read := record(t, operators.TryMap(server.Readers(), func(m *wsource.MessageReader) (int64, error) {
			return io.Copy(io.Discard, m)
		}))
		sent := make(chan error, 1)
		go func() { sent <- client.SendReader(context.Background(), wsource.Text, pieces) }()
		for range 10 {
			_, err := io.WriteString(writer, "piece")
			require.NoError(t, err)
			time.Sleep(30 * time.Second)
		}
		require.NoError(t, writer.Close())
		require.NoError(t, <-sent)
		settle()
		assert.Equal(t, []int64{50}, read.Values(), "a piece is a sign of life")

		began := time.Now()
		<-client.Done()
		assert.InDelta(t, time.Minute, time.Since(began), float64(time.Second))
		closed := requireClose(t, client.Err(), wsource.StatusGoingAway)
		assert.Equal(t, "no message for 1m0s", closed.Reason)
		require.ErrorIs(t, read.ExpectEnd(t), wsource.ErrIdle)
	})
}

// The limits of a connection come from its admission.
func TestLimitsOfAnAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := wsource.AcceptOptions{
			Rate: wsource.Rate{Messages: 1, Overflow: observable.OverflowFail}, IdleTimeout: time.Minute,
		}
		s := newSite(t, wsource.AcceptOptions{Authorize: func(r *http.Request) (a wsource.Admission, err error) {
			if r.Header.Get("Origin") == "" { // as from a page
				a.Options = &limited
			}
			return a, nil
		}})
		page := &wsource.DialOptions{Header: http.Header{"Origin": {"http://server.test"}}}
		free, server := s.pair(page)
		got := record[wsource.Message](t, server)
		send(free, "1", "2", "3")
		time.Sleep(2 * time.Minute)
		assert.Len(t, got.Values(), 3)
		require.NoError(t, free.Close(wsource.StatusNormalClosure, ""))

		bound, _ := s.pair(nil)
		<-bound.Done()
		requireClose(t, bound.Err(), wsource.StatusGoingAway)
		bound, server = s.pair(nil)
		got = record[wsource.Message](t, server)
		send(bound, "1", "2")
		<-bound.Done()
		requireClose(t, bound.Err(), wsource.StatusPolicyViolation)
		assert.Equal(t, []string{"1"}, texts(got.Values()))
	})
}

// Impossible limits are refused, by name.
func TestLimitsThatCannotBe(t *testing.T) {
	for problem, options := range map[string]wsource.AcceptOptions{
		"Rate that has a negative number":              {Rate: wsource.Rate{Messages: -1}},
		"Rate that has no Messages":                    {Rate: wsource.Rate{Burst: 3}},
		"Rate that has a Burst that takes centuries":   {Rate: wsource.Rate{Messages: 1, Per: math.MaxInt64, Burst: 3}},
		"Rate that has an Overflow that is none":       {Rate: wsource.Rate{Messages: 1, Overflow: observable.OverflowDropOldest}},
		"Outbox that has a negative limit":             {Outbox: wsource.Outbox{Bytes: -1}},
		"Outbox that has an unknown overflow policy: ": {Outbox: wsource.Outbox{Overflow: 9}},
		"negative time limit: -1ns":                    {IdleTimeout: -1},
	} {
		err := (&wsource.Server{Options: options}).Serve(loopback(t))
		var argument *observable.ArgumentError
		require.ErrorAs(t, err, &argument, problem)
		assert.Contains(t, argument.Problem, problem)
	}
}
