package event_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// oneWay is a duplex stream that sends nothing.
type oneWay struct {
	observable.Observable[wsource.Message]
	observable.ObserverFuncs[wsource.Message]
}

func (oneWay) Send(context.Context, wsource.Message) error { return nil }

// begins returns a duplex stream that calls begin in Subscribe, and then subscribes to
// source.
func begins(source observable.Observable[wsource.Message], begin func()) oneWay {
	return oneWay{Observable: observable.Defer(func() observable.Observable[wsource.Message] {
		begin()
		return source
	})}
}

// When Connect has returned, the duplex stream is read, also if another goroutine has
// called Connect first.
func TestConnectTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		d := new(observable.Subject[wsource.Message])
		c := event.New(begins(d, func() { <-goOn }), nil)
		got := record(t, event.OnValue[int](c, "n"))
		subs := make(chan observable.Subscription, 2)
		for range 2 {
			go func() {
				sub := c.Connect(t.Context())
				d.Next(wsource.TextMessage(`{"id":"1","type":"n","data":1}`))
				subs <- sub
			}()
			synctest.Wait()
		}
		assert.Empty(t, subs, "it is not read yet")
		close(goOn)
		first, second := <-subs, <-subs
		assert.Same(t, first, second)
		synctest.Wait() // one goroutine may leave its value to the other
		assert.Equal(t, []int{1, 1}, got.Values())
		second.Unsubscribe()
		<-first.Done()
		assert.False(t, d.Observed())
		require.ErrorIs(t, c.Err(), wsource.ErrClosed)
		require.NoError(t, second.Err())
	})
}

// A subscriber of a stream that emits in its Subscribe may call Connect, too, and end it.
func TestConnectAmidConnect(t *testing.T) {
	for name, end := range map[string]func(observable.Subscription){
		"go on": func(observable.Subscription) {}, "unsubscribe": observable.Subscription.Unsubscribe,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := event.New(oneWay{Observable: observable.Of(
					wsource.TextMessage(`{"id":"1","type":"n","data":1}`), wsource.TextMessage(`{"id":"2","type":"n","data":2}`),
				)}, nil)
				var inner []observable.Subscription
				var done []<-chan struct{}
				event.OnValue[int](c, "n").Subscribe(t.Context(), observable.ObserverFuncs[int]{
					OnNext: func(int) {
						sub := c.Connect(t.Context())
						inner, done = append(inner, sub), append(done, sub.Done())
						assert.NoError(t, sub.Err())
						end(sub)
					},
					OnError: func(error) {},
				})
				sub := c.Connect(t.Context())
				assert.Len(t, inner, map[string]int{"go on": 2, "unsubscribe": 1}[name])
				for i := range inner {
					assert.Same(t, sub, inner[i])
					<-done[i]
				}
				<-sub.Done()
			})
		})
	}
}

// A duplex stream whose Subscribe does not return holds up no second call of Connect.
func TestConnectThatDoesNotReturn(t *testing.T) {
	for name, leave := range map[string]func(){"goexit": runtime.Goexit, "panic": func() { panic("a bug") }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				observabletest.Unhandled(t)
				goOn := make(chan struct{})
				c := event.New(begins(observable.Never[wsource.Message](), func() { <-goOn; leave() }), nil)
				go c.Connect(t.Context())
				synctest.Wait()
				second := make(chan observable.Subscription, 1)
				go func() { second <- c.Connect(t.Context()) }()
				synctest.Wait()
				assert.Empty(t, second)
				close(goOn)
				<-(<-second).Done()
				<-c.Done()
				require.Error(t, c.Err())
			})
		})
	}
}

// Connect reports its own argument.
func TestConnectWithoutContext(t *testing.T) {
	var none context.Context
	c := event.New(oneWay{Observable: observable.Never[wsource.Message]()}, nil)
	sub := c.Connect(none)
	<-sub.Done()
	<-c.Done()
	for _, err := range []error{sub.Err(), c.Err()} {
		var problem *observable.ArgumentError
		require.ErrorAs(t, err, &problem)
		assert.Equal(t, &observable.ArgumentError{Func: "event.Conn.Connect", Argument: "ctx", Problem: "is nil"}, problem)
	}
}
