package natsbroker_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	wsevent "github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// ways are the ways in which user code does not return.
var ways = map[string]func(){"goexit": runtime.Goexit, "panic": func() { panic("a bug") }}

// touchy is a text whose reading may not return.
type touchy string

// reading is called with each touchy that is read.
var reading func(touchy)

func (t *touchy) UnmarshalJSON(data []byte) error {
	err := json.Unmarshal(data, (*string)(t))
	reading(*t)
	return err
}

// touchyEvent is a value said in touchy texts.
type touchyEvent = hub.Event[string, string, touchy]

// touchyNode returns the broker of a node that calls compacting with each text that it
// keeps.
func (c *cloud) touchyNode(compacting func(touchy)) *natsbroker.Broker[string, string, touchy] {
	c.t.Helper()
	conn, err := nats.Connect(c.server.ClientURL(), nats.MaxReconnects(-1))
	require.NoError(c.t, err)
	b, err := natsbroker.New[string, string](c.t.Context(), conn, natsbroker.Config[touchy]{
		Compact: func(text touchy) (any, bool) {
			compacting(text)
			return text, false
		},
	})
	require.NoError(c.t, err)
	c.t.Cleanup(func() {
		_ = b.Close(context.Background())
		conn.Close()
	})
	return b
}

// User code that panics, or ends its goroutine, costs a node nothing but the values that
// cannot be read, or have no key: the node hears the later values, and rooms open.
func TestUserCodeThatDoesNotReturn(t *testing.T) {
	for where, want := range map[string]struct{ said, entered, whispered, kept string }{
		"deliver": {"one bad two", " bad ann", " bad end", "one bad two"},
		"compact": {"one bad two", " bad ann", " bad end", "one two"},
		"read":    {"one two", " bad ann", " end", "one two"},
	} {
		for way, leave := range ways {
			t.Run(where+" "+way, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				at := func(place string) func(touchy) {
					return func(text touchy) {
						if place == where && text == "bad" {
							leave()
						}
					}
				}
				reading = at("read")
				c := newCloud(t)
				sender, listener := c.touchyNode(func(touchy) {}), c.touchyNode(at("compact"))
				var mu sync.Mutex
				var all []string
				stop, err := listener.Subscribe(t.Context(), "lobby", func(e *touchyEvent) {
					text := string(e.Value) + e.Member
					mu.Lock()
					all = append(all, text)
					mu.Unlock()
					at("deliver")(touchy(text))
				})
				require.NoError(t, err)
				defer stop()
				heard := func(want string) {
					eventually(t, want, func() string {
						mu.Lock()
						defer mu.Unlock()
						return strings.Join(all, " ")
					})
				}
				say := func(private bool, texts ...touchy) {
					for _, text := range texts {
						e := &touchyEvent{Kind: hub.Said, Room: "lobby", Value: text, Private: private}
						require.NoError(t, sender.Publish(t.Context(), e))
					}
				}
				say(false, "one", "bad", "two")
				heard(want.said)
				require.NoError(t, sender.Enter(t.Context(), "lobby", "bad", nil))
				require.NoError(t, sender.Enter(t.Context(), "lobby", "ann", nil))
				heard(want.said + want.entered)
				say(true, "bad", "end")
				heard(want.said + want.entered + want.whispered)

				for _, b := range []*natsbroker.Broker[string, string, touchy]{listener, c.touchyNode(at("compact"))} {
					s, err := b.Snapshot(t.Context(), "lobby", hub.Position{})
					require.NoError(t, err)
					var kept []string
					for _, e := range s.Events {
						kept = append(kept, string(e.Value))
					}
					assert.Equal(t, want.kept, strings.Join(kept, " "))
					assert.Len(t, s.Members, 2)
				}
				assert.Contains(t, unhandled.String(), map[string]string{
					"goexit": observable.ErrGoexit.Error(), "panic": "a bug",
				}[way])
			})
		}
	}
}

// A panic of user code on its way is the error of Publish, as with the broker of one
// process.
func TestPublishReturnsAPanic(t *testing.T) {
	reading = func(touchy) {}
	c := newCloud(t)
	b := c.touchyNode(func(text touchy) {
		if text == "bad" {
			panic("a bug")
		}
	})
	say := func(text touchy) error {
		return b.Publish(t.Context(), &touchyEvent{Kind: hub.Said, Room: "lobby", Value: text})
	}
	var failure *hub.RoomError
	require.ErrorAs(t, say("bad"), &failure)
	var bug *observable.PanicError
	require.ErrorAs(t, failure.Err, &bug)
	assert.Equal(t, "a bug", bug.Value)
	require.NoError(t, say("good"))
}

// Observers that end their goroutine keep no event and no status from any other observer.
func TestObserversThatDoNotReturn(t *testing.T) {
	observabletest.Unhandled(t)
	c := newCloud(t)
	a, b := c.desk(3), c.desk(3)
	onB := b.topic(">")
	leave := func() { runtime.Goexit() }
	for range 2 {
		b.pubsub.Subscribe(t.Context(), observable.ObserverFuncs[*wsevent.Envelope]{
			OnNext: func(*wsevent.Envelope) { leave() },
		})
	}
	a.publish("x", "1", "2")
	eventually(t, "x1 x2", onB)

	b.joint.Status().Subscribe(t.Context(), observable.ObserverFuncs[natsbroker.Status]{
		OnNext: func(s natsbroker.Status) {
			if s == natsbroker.Disconnected {
				leave()
			}
		},
	})
	statuses := observabletest.NewRecorder[natsbroker.Status]()
	b.joint.Status().Subscribe(t.Context(), statuses)
	b.pubsub.Subscribe(t.Context(), observable.ObserverFuncs[*wsevent.Envelope]{
		OnNext: func(*wsevent.Envelope) { leave() },
	})
	b.wire.set(true)
	eventually(t, "disconnected", func() string { return last(statuses.Values()) })
	a.publish("x", "3")
	eventually(t, "x3", c.retained)
	b.wire.set(false)
	eventually(t, "connected", func() string { return last(statuses.Values()) })
	eventually(t, "x1 x2 x3", onB)
	a.publish("y", "4")
	eventually(t, "x1 x2 x3 y4", onB)
}

// last tells the last status.
func last(all []natsbroker.Status) string { return all[len(all)-1].String() }
