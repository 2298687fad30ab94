package delivery_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// trial is an engine between a fake host and a sink, with one subscriber.
type trial struct {
	host   *fakeHost
	sink   *sink
	engine *delivery.Engine
	leave  func()
}

func newTrial(t *testing.T, conns ...*fakeConn) *trial {
	t.Helper()
	r := &trial{host: &fakeHost{conns: slices.Clone(conns)}, sink: new(sink), engine: new(delivery.Engine)}
	r.engine.Init(delivery.Config{
		Host: r.host, Limit: delivery.Limit{Messages: 100, Bytes: 100 << 20},
		Reconnect: &backoff.Config{Base: time.Second},
	})
	g := r.engine.Join(func(*delivery.Generation) delivery.Receiver { return r.sink })
	g.Begin()
	synctest.Wait()
	r.leave = g.Leave
	return r
}

// post sends a message of some bytes.
func (r *trial) post(t *testing.T, text string, bytes int) {
	r.engine.Post(t.Context(), &delivery.Message{Payload: delivery.Payload{Data: append([]byte(text), make([]byte, bytes)...)}})
}

func TestMessagesWaitForAConnectionInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := new(fakeConn), new(fakeConn)
		r := newTrial(t, first, second)
		r.post(t, "1", 0)
		first.end(errors.New("broken"))
		synctest.Wait()
		r.post(t, "2", 0)
		r.post(t, "3", 0)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"1"}, first.order())
		assert.Equal(t, []string{"2", "3"}, second.order())
		assert.Equal(t, []string{"1: broken"}, r.host.failures, "of which it is unknown whether it arrived")
		r.leave()
		second.end(nil)
		synctest.Wait()
	})
}

// Messages that wait for the peer's acknowledgements, and are being sent when these have
// come, are not overtaken: neither by messages sent meanwhile nor by the close frame.
func TestNothingOvertakesWhatHasWaitedForAcknowledgements(t *testing.T) {
	for name, then := range map[string]func(t *testing.T, r *trial){
		"by a later message": func(t *testing.T, r *trial) { r.post(t, "later", 0) },
		"by the close frame": func(_ *testing.T, r *trial) { r.engine.Finish(&transport.End{Code: 1000}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := new(fakeConn)
				r := newTrial(t, conn)
				r.post(t, "large", 9<<20) // more bytes than may be unacknowledged
				r.post(t, "waits", 0)
				require.Equal(t, []string{"large\x00\x00\x00"}, conn.order())

				stall := make(chan struct{})
				conn.mu.Lock()
				conn.stall = stall
				conn.mu.Unlock()
				conn.answered(1, 0)
				synctest.Wait() // "waits" is being sent
				go then(t, r)
				synctest.Wait()
				close(stall)
				synctest.Wait()
				order := conn.order()
				require.Len(t, order, 3)
				assert.Equal(t, "waits", order[1])
				r.leave()
				conn.end(nil)
				synctest.Wait()
			})
		})
	}
}

// TestReconnectDuringAFlush checks that messages that wait while a connection is replaced
// go to the next one, those that the connection was about to send, too.
func TestReconnectDuringAFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stall := make(chan struct{})
		first, second, third := new(fakeConn), &fakeConn{stall: stall}, new(fakeConn)
		r := newTrial(t, first, second, third)
		first.end(errors.New("broken"))
		synctest.Wait()
		r.post(t, "1", 0)
		r.post(t, "2", 0)
		time.Sleep(time.Minute)
		synctest.Wait() // "1" is being sent
		r.engine.Reconnect(nil)
		close(stall)
		synctest.Wait()
		r.post(t, "3", 0)
		assert.Equal(t, []string{"close", "1"}, second.order())
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"2", "3"}, third.order())
		r.leave()
		third.end(nil)
		synctest.Wait()
	})
}

// TestAllSent: messages that are told of together count as those that are told of one by
// one. A ping asks about all of them, their senders are told, and messages of another
// connection are left to the caller.
func TestAllSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &fakeConn{keeps: true}, &fakeConn{keeps: true}
		r, other := newTrial(t, first), newTrial(t, second)
		told := 0
		for range 300 {
			r.engine.Post(t.Context(), &delivery.Message{Told: func(f *delivery.Failure) {
				assert.Nil(t, f)
				told++
			}})
		}
		other.post(t, "other", 0)
		items := slices.Concat(first.items, second.items)
		owner := items[0].Owner.(transport.Grouped)
		assert.Equal(t, 300, owner.AllSent(items))
		assert.Equal(t, 300, told)
		assert.EqualValues(t, 1, first.asked)
		first.answered(1, 0)
		first.end(errors.New("broken"))
		synctest.Wait()
		assert.Empty(t, r.host.failures, "all have arrived")
		second.end(nil)
		assert.Empty(t, other.host.failures)
		r.leave()
		other.leave()
	})
}

// TestALatePongConfirms has the pong for an earlier ping come behind the ping right
// before the close frame, or with it. Each confirms the messages sent before its ping.
func TestALatePongConfirms(t *testing.T) {
	for name, test := range map[string]struct {
		pongs []uint64
		lost  []string
	}{
		"of the earlier ping": {[]uint64{1}, []string{"b: broken"}},
		"of both":             {[]uint64{1, 2}, nil},
		"of the last one":     {[]uint64{2}, nil},
		"of none":             {nil, []string{"a: broken", "b: broken"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := new(fakeConn)
				r := newTrial(t, conn)
				r.post(t, "a", 0)
				time.Sleep(2 * time.Second) // until the peer is asked
				r.post(t, "b", 0)
				conn.last(conn.Ask())
				for _, number := range test.pongs {
					conn.answered(number, 0)
				}
				assert.EqualValues(t, 2, conn.asked, "behind the close frame nothing is asked")
				conn.end(errors.New("broken"))
				synctest.Wait()
				for i, text := range r.host.failures {
					r.host.failures[i] = strings.ReplaceAll(text, "\x00", "")
				}
				assert.Equal(t, test.lost, r.host.failures)
				r.leave()
			})
		})
	}
}
