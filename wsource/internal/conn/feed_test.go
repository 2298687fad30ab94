package conn_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

var _ transport.Feeder = (*conn.Conn)(nil)

// counter is an Owner that counts.
type counter struct{ counts []int }

func (c *counter) CountSent(messages int) { c.counts = append(c.counts, messages) }

func (c *counter) Done(*transport.Item, transport.Outcome, error) { c.counts = append(c.counts, -1) }

// TestFeed: fed messages go in their order among those sent, and are counted with them.
// They are refused when there is no room, unless that does not matter, and when the
// connection closes.
func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, o, peer := open(t)
		go c.Next(false, []byte("lone"), false) // is being written
		synctest.Wait()
		count := new(counter)
		item := &transport.Item{Owner: count}
		feed := func(text string, room transport.Room) transport.Fed {
			return c.Feed(item, false, []byte(text), nil, room, true)
		}
		want := []string{"lone"}
		for i := range 1024 {
			text := fmt.Sprint(i)
			want = append(want, text)
			if i == 100 {
				c.Send(context.Background(), &transport.Item{Data: []byte(text), Owner: o})
			} else {
				require.Equal(t, transport.FedQueued, feed(text, transport.RoomRefuse))
			}
		}
		assert.Equal(t, transport.FedRefused, feed("refused", transport.RoomRefuse))
		assert.Equal(t, transport.FedQueued, feed("ignoring", transport.RoomIgnore))
		c.Close(&transport.End{Code: 1000})
		synctest.Wait()
		assert.Equal(t, transport.FedRefused, feed("closing", transport.RoomIgnore))
		assert.Equal(t, append(want, "ignoring"), messagesOf(t, peer))
		require.NoError(t, peer.Close())
		<-c.Done()
		synctest.Wait()
		assert.Equal(t, []int{100, 924}, count.counts)
		assert.Equal(t, []string{"100 0"}, o.told)
	})
}

// TestFlush: the goroutine that feeds a lone message writes it, and no other does before.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &narrow{room: 100}
		c, o := openNarrow(t, n)
		count := new(counter)
		item := &transport.Item{Owner: count}
		require.Equal(t, transport.FedToFlush, c.Feed(item, false, []byte("one"), nil, transport.RoomRefuse, true))
		require.Equal(t, transport.FedQueued, c.Feed(item, false, []byte("two"), nil, transport.RoomRefuse, true))
		synctest.Wait()
		assert.Empty(t, n.written())
		c.Flush()
		assert.Equal(t, frames("one"), n.written())
		close(n.opened)
		synctest.Wait()
		assert.Equal(t, frames("one", "two"), n.written())
		assert.Equal(t, []int{1, 1}, count.counts)
		time.Sleep(time.Millisecond)
		require.Equal(t, transport.FedQueued, c.Feed(item, false, []byte("three"), nil, transport.RoomRefuse, false), "this goroutine does not write")
		synctest.Wait()
		assert.Equal(t, frames("one", "two", "three"), n.written())
		c.Break(&transport.End{Code: 1006})
		synctest.Wait()
		assert.True(t, o.over)
	})
}

// TestTakeBack: fed messages that nobody writes yet are taken back, each by its place
// from the end, and the rest keeps its order. A message that is being written is not
// taken back.
func TestTakeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &narrow{}
		c, o := openNarrow(t, n)
		count := new(counter)
		item := &transport.Item{Owner: count}
		feed := func(text string) {
			require.Equal(t, transport.FedQueued, c.Feed(item, false, []byte(text), nil, transport.RoomIgnore, false))
		}
		assert.Zero(t, c.Waiting(item))
		feed("written")
		synctest.Wait()
		assert.Zero(t, c.Waiting(item), "it is being written")
		assert.False(t, c.TakeBack(item, 0))
		for _, text := range []string{"a", "b", "c"} {
			feed(text)
		}
		c.Send(context.Background(), &transport.Item{Data: []byte("other"), Owner: o, Room: transport.RoomIgnore})
		feed("d")
		assert.Equal(t, 4, c.Waiting(item))
		assert.True(t, c.TakeBack(item, 2), "b")
		assert.True(t, c.TakeBack(item, 0), "d")
		assert.False(t, c.TakeBack(item, 2), "there are two")
		assert.Equal(t, 2, c.Waiting(item))
		messages, _ := c.Queued()
		assert.Equal(t, 3, messages)
		close(n.opened)
		synctest.Wait()
		assert.Equal(t, frames("written", "a", "c", "other"), n.written())
		assert.Equal(t, []int{1, 1, 1}, count.counts, "a gap is between the last two")
		assert.Equal(t, []string{"othe 0"}, o.told)
		c.Break(&transport.End{Code: 1006})
		synctest.Wait()
		assert.True(t, o.over)
	})
}
