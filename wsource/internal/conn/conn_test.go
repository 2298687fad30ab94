package conn_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

var _ transport.Conn = (*conn.Conn)(nil)

// owner is the owner of a connection on which nothing is received but by Receive.
type owner struct {
	mu    sync.Mutex
	told  []string
	ended *transport.End
	over  bool
}

func (o *owner) Demand() conn.Demand                                  { return conn.DemandNone }
func (o *owner) Await(_ func() bool, done <-chan struct{})            { <-done }
func (o *owner) Notify()                                              {}
func (o *owner) Message(bool, []byte, bool) (taken bool)              { return false }
func (o *owner) Reader(*conn.Incoming) (taken bool)                   { return false }
func (o *owner) Failure(end *transport.End) error                     { return &endError{end} }
func (o *owner) Ending(error)                                         {}
func (o *owner) Ended(end *transport.End, _ error)                    { o.ended = end }
func (o *owner) Over()                                                { o.over = true }
func (o *owner) Done(i *transport.Item, w transport.Outcome, _ error) { o.note(string(i.Data), w) }

func (o *owner) Undelivered(_ bool, data []byte, outcome transport.Outcome, _ error) {
	o.note(string(data), outcome)
}

func (o *owner) note(data string, outcome transport.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, fmt.Sprint(data[:min(4, len(data))], " ", outcome))
}

type endError struct{ end *transport.End }

func (e *endError) Error() string { return fmt.Sprint("ended with ", e.end.Code) }

// open returns a connection to a peer that is played by hand, over a pipe, so that
// nothing leaves before the peer reads it.
func open(t *testing.T) (c *conn.Conn, o *owner, peer net.Conn) {
	t.Helper()
	o = new(owner)
	c, peer = openFor(t, o)
	return c, o, peer
}

// openFor is open for an owner.
func openFor(t *testing.T, o conn.Owner) (c *conn.Conn, peer net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	c = new(conn.Conn)
	c.Open(conn.NewStream(near, near), conn.Config{
		ReadLimit: 1 << 20, CloseTimeout: time.Second, WriteTimeout: time.Hour,
		Heartbeat: conn.Heartbeat{Off: true}, Owner: o,
	})
	c.Start()
	return c, far
}

// messagesOf returns the peer's messages until its stream ends.
func messagesOf(t *testing.T, peer net.Conn) (messages []string) {
	t.Helper()
	r := frame.NewReader(peer, frame.Config{Client: true})
	for {
		h, err := r.Next()
		if err != nil {
			return messages
		}
		p, err := r.Message(h, 1<<20, nil).ReadAll(nil)
		require.NoError(t, err)
		if h.Opcode == frame.Close {
			return messages
		}
		messages = append(messages, string(p))
	}
}

// TestWithdraw takes messages out of a queue behind a peer that does not read: for any
// order, the others keep theirs, and each is reported once.
func TestWithdraw(t *testing.T) {
	for name, order := range map[string][]int{
		"first": {0}, "last": {9}, "all": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "backwards": {9, 8, 7, 6},
		"most": {4, 2, 8, 1, 9, 3}, "again": {5, 5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, o, peer := open(t)
				go c.Next(false, []byte("lone"), false) // is being written
				synctest.Wait()
				items := make([]*transport.Item, 10)
				var want, told []string
				for i := range items {
					items[i] = &transport.Item{Data: fmt.Appendf(nil, "item %d", i), Owner: o}
					c.Send(context.Background(), items[i])
				}
				gone := map[int]bool{}
				for _, i := range order {
					assert.Equal(t, !gone[i], c.Withdraw(items[i]))
					gone[i] = true
				}
				for i, item := range items {
					if !gone[i] {
						want, told = append(want, string(item.Data)), append(told, "item 0")
					}
				}
				c.Close(&transport.End{Code: 1000})
				assert.Equal(t, append([]string{"lone"}, want...), messagesOf(t, peer))
				require.NoError(t, peer.Close())
				<-c.Done()
				synctest.Wait()
				assert.Equal(t, told, o.told)
				assert.True(t, o.over)
				for _, item := range items {
					assert.False(t, c.Withdraw(item), "it was sent, or withdrawn")
				}
			})
		})
	}
}

// TestWithdrawnMessagesTakeNoMemory replaces the message behind one that waits, again and
// again, as a subject does with a key.
func TestWithdrawnMessagesTakeNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, o, peer := open(t)
		go c.Next(false, []byte("lone"), false)
		synctest.Wait()
		c.Send(context.Background(), &transport.Item{Data: []byte("first"), Owner: o})
		items := [2]*transport.Item{{Data: []byte("zero"), Owner: o}, {Data: []byte("one"), Owner: o}}
		c.Send(context.Background(), items[0])
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range 100_000 {
			c.Send(context.Background(), items[(i+1)%2])
			require.True(t, c.Withdraw(items[i%2]))
		}
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<10))
		c.Close(&transport.End{Code: 1000})
		assert.Equal(t, []string{"lone", "first", "zero"}, messagesOf(t, peer))
		require.NoError(t, peer.Close())
		<-c.Done()
		synctest.Wait()
		assert.Equal(t, []string{"firs 0", "zero 0"}, o.told)
	})
}

// TestRoom fills a queue.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, o, peer := open(t)
		go c.Next(false, []byte("lone"), false)
		synctest.Wait()
		const messages = 1024
		for i := range messages - 1 {
			c.Next(false, fmt.Append(nil, i), false)
		}
		// The one that is being written was counted off.
		c.Next(false, []byte("full"), false)
		c.Send(context.Background(), &transport.Item{Data: []byte("refused"), Room: transport.RoomRefuse, Owner: o})
		c.Send(context.Background(), &transport.Item{Data: []byte("ignoring"), Room: transport.RoomIgnore})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.Send(ctx, &transport.Item{Data: []byte("waiting"), Owner: o})
		assert.Equal(t, []string{"refu 1", "wait 1"}, o.told)
		go c.Close(&transport.End{Code: 1000})
		got := messagesOf(t, peer)
		assert.Len(t, got, messages+2)
		assert.Equal(t, "ignoring", got[messages+1])
		require.NoError(t, peer.Close())
		<-c.Done()
		synctest.Wait()
	})
}

// TestWhatIsQueuedWhenTheConnectionBreaks breaks a connection: queued messages are
// unsent, and the one that was being written is unknown.
func TestWhatIsQueuedWhenTheConnectionBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, o, peer := open(t)
		go c.Next(false, []byte("written"), false)
		synctest.Wait()
		_, err := peer.Read(make([]byte, 3))
		require.NoError(t, err)
		c.Next(false, []byte("queued"), false)
		c.Send(context.Background(), &transport.Item{Data: []byte("item"), Owner: o})
		c.Break(&transport.End{Code: 1006, Err: net.ErrClosed})
		<-c.Done()
		synctest.Wait()
		c.Next(false, []byte("late"), false)
		assert.ElementsMatch(t, []string{"writ 3", "queu 2", "item 2", "late 2"}, o.told)
		assert.True(t, o.over)
		assert.EqualValues(t, 1006, o.ended.Code)
		require.EqualError(t, c.Err(), "ended with 1006")
		require.NoError(t, peer.Close())
	})
}
