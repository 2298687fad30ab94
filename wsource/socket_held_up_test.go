package wsource_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// A subscriber that takes a message a second has 20 of them before it when the peer goes.
func TestSlowSubscriberDoesNotHideThatThePeerHasGone(t *testing.T) {
	leave := map[string]func(client *wsource.Socket){
		"reset": (*wsource.Socket).CloseNow,
		// The close frame waits behind the messages; the client gives up after its
		// CloseTimeout.
		"close": (*wsource.Socket).Complete,
	}
	for name, leaves := range leave {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{CloseTimeout: 3 * time.Second})
				client, server := s.pair(&wsource.DialOptions{CloseTimeout: 2 * time.Second})
				taken := 0
				ended := make(chan error, 1)
				server.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{
					OnNext: func(wsource.Message) {
						taken++
						time.Sleep(time.Second)
					},
					OnError: func(err error) { ended <- err },
				})
				for i := range 20 {
					client.Next(wsource.TextMessage(strconv.Itoa(i)))
				}
				synctest.Wait()
				gone := time.Now()
				leaves(client)
				<-client.Done()
				left := time.Since(gone)
				<-server.Done()
				assert.LessOrEqual(t, time.Since(gone), left+3*time.Second+2*time.Second, "a look a second, before and after")
				require.ErrorIs(t, server.Err(), wsource.ErrHeldUp)
				requireClose(t, server.Err(), wsource.StatusAbnormalClosure)
				require.ErrorIs(t, <-ended, wsource.ErrHeldUp, "the subscriber is told that it has not got all")
				assert.Less(t, taken, 20)
			})
		})
	}
}

func TestSlowSubscriberThatTakesTheRestInTimeGetsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{CloseTimeout: 6 * time.Second})
		client, server := s.pair(nil)
		taken := 0
		server.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{OnNext: func(wsource.Message) {
			taken++
			time.Sleep(time.Second)
		}})
		for range 5 {
			client.Next(wsource.TextMessage("x"))
		}
		client.Complete()
		<-server.Done()
		require.NoError(t, server.Err())
		assert.Equal(t, 5, taken)
	})
}

func TestMessagesOfAPeerThatHasGoneWaitForTheirFirstSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(nil)
		client.Next(wsource.TextMessage("1"))
		client.Next(wsource.TextMessage("2"))
		client.Complete()
		time.Sleep(time.Minute)
		got := record[wsource.Message](t, server)
		require.NoError(t, got.ExpectEnd(t))
		assert.Len(t, got.Values(), 2)
	})
}
