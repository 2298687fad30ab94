package stress_test

import (
	"context"
	"flag"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// connects is how often TestConnectsLeaveNothing connects: many times as often tells of
// smaller leaks.
var connects = flag.Int("connects", 1500, "how many `connections` TestConnectsLeaveNothing opens and closes")

// TestConnectsLeaveNothing has clients come, be in rooms, speak and go, in each way that
// a connection can end. Then there is as much of everything as before.
func TestConnectsLeaveNothing(t *testing.T) {
	rooms := hub.New(hub.Config[int, string, string]{History: hub.History{Count: 10}})
	var served atomic.Int64
	f := newFort(t, new(wsource.Server), func(ctx context.Context, socket *wsource.Socket) error {
		served.Add(1)
		number := int(served.Load())
		for i := range 2 {
			room := rooms.Room(number / 20 % 10 * (i + 1))
			member, err := room.Join(ctx, socket, socket.ID(), hub.JoinOptions{})
			if err != nil {
				return err
			}
			if err := member.Say(ctx, "hello"); err != nil {
				return err
			}
		}
		if number%5 == 0 {
			return &wsource.CloseError{Code: 4000, Reason: "enough"}
		}
		return observable.ForEach(ctx, socket, socket.Next)
	})
	visit := func(number int) {
		client, err := wsource.Dial(t.Context(), "ws://"+f.addr, nil)
		if !assert.NoError(t, err) {
			return
		}
		client.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{OnError: func(error) {}})
		client.Next(wsource.TextMessage("a question"))
		switch number % 3 {
		case 0:
			client.CloseNow()
		case 1:
			client.Complete()
			<-client.Done()
		default:
			_ = client.Close(wsource.StatusGoingAway, "")
			client.CloseNow()
		}
	}
	crowd := func(count int) {
		const visitors = 16
		var all sync.WaitGroup
		for visitor := range visitors {
			all.Go(func() {
				for i := visitor; i < count; i += visitors {
					visit(i)
				}
			})
		}
		all.Wait()
		require.Eventually(t, func() bool {
			left := rooms.Stats()
			return f.Len() == 0 && left.Rooms == 0 && left.Sockets == 0
		}, patience, time.Millisecond, "connections, rooms or memberships are left")
	}
	crowd(200) // after that everything is there that stays
	before := use()
	crowd(*connects)
	assertReturns(t, before, 512<<10)
	t.Logf("%d connections, before: %+v, after: %+v", served.Load(), before, use())
}
