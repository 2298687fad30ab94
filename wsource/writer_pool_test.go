package wsource_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// more is a number of sockets to which a server does not write all at once.
var more = 3*runtime.GOMAXPROCS(0) + 1

// Sockets whose peers do not read keep others waiting for a few milliseconds at first,
// and then no more.
func TestStalledSocketsDoNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		var servers []*wsource.Socket
		var recorders []*observabletest.Recorder[wsource.Message]
		var links []*wstest.Link
		for i := range more + 2 {
			client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
			servers = append(servers, server)
			recorders = append(recorders, record[wsource.Message](t, client))
			if i <= more {
				links = append(links, s.link())
				require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
			}
		}
		message := wsource.BinaryMessage(make([]byte, 4*wstest.DefaultBuffer))
		for round, within := range []time.Duration{20 * time.Millisecond, time.Microsecond} {
			for _, server := range servers {
				server.Next(message)
			}
			time.Sleep(within)
			synctest.Wait()
			assert.Len(t, recorders[more+1].Values(), round+1)
			assert.Empty(t, recorders[more].Values())
		}
		for _, link := range links {
			link.Resume(wstest.ToClient)
		}
		for range 2 { // the slow ones are quick again
			for _, server := range servers {
				server.Next(message)
			}
			settle()
		}
		for _, got := range recorders {
			assert.Len(t, got.Values(), 4)
		}
	})
}

// In a burst the pool writes the messages; but Next has sent the answer to the last
// received message when it returns.
func TestAnswersAreWrittenByWhoAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var written atomic.Int32
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat, Hook: wsource.HookFunc(func(e wsource.Event) {
			if e.Kind == wsource.EventSent {
				written.Add(1)
			}
		})})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		answers := record[wsource.Message](t, client)
		server.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{OnNext: func(m wsource.Message) {
			before := written.Load()
			server.Next(m)
			assert.Equal(t, before+1, written.Load())
		}})
		for range 100 { // in no time, as is a burst
			client.Next(wsource.TextMessage("?"))
			synctest.Wait()
		}
		assert.Len(t, answers.Values(), 100)
	})
}

// Two peers may answer each other with more than the connection holds.
func TestLargeAnswersDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		large := wsource.BinaryMessage(make([]byte, 4*wstest.DefaultBuffer))
		var got atomic.Int32
		for _, socket := range []*wsource.Socket{client, server} {
			socket.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{OnNext: func(wsource.Message) {
				time.Sleep(time.Millisecond) // so that the answer is alone
				if got.Add(1) <= 100 {
					socket.Next(large)
				}
			}})
			go socket.Next(large)
		}
		time.Sleep(time.Second)
		assert.Equal(t, int32(102), got.Load())
	})
}

// The observer of an outcome may end the goroutine of a writer: other sockets' messages
// are written all the same.
func TestGoexitLeavesOtherSocketsTheirWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		var told atomic.Int32
		var servers []*wsource.Socket
		var recorders []*observabletest.Recorder[wsource.Message]
		for i := range 2 * more {
			client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
			servers = append(servers, server)
			if i > more {
				recorders = append(recorders, record[wsource.Message](t, client))
				continue
			}
			server.Undelivered().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.SendError]{
				OnNext: func(*wsource.SendError) {
					told.Add(1)
					runtime.Goexit()
				},
			})
			require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToClient, 100)))
		}
		for _, server := range servers {
			server.Next(wsource.BinaryMessage(make([]byte, wstest.DefaultBuffer)))
		}
		settle()
		assert.Positive(t, told.Load())
		for _, got := range recorders {
			assert.Len(t, got.Values(), 1)
		}
	})
}
