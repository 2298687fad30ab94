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
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// more is a number of sockets that a server does not write to all at once.
var more = 3*runtime.GOMAXPROCS(0) + 1

// Sockets whose peers do not read keep others waiting for a few milliseconds at first, and then no more.
func TestStalledSocketsDoNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		var servers []*wsource.Socket
		var tapes []*tape[wsource.Message]
		var links []*wstest.Link
		for i := range more + 2 {
			client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
			servers = append(servers, server)
			tapes = append(tapes, record[wsource.Message](t, client))
			if i != 0 && i <= more { // the first of a burst is written to by its sender
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
			assert.Len(t, tapes[more+1].got(), round+1)
			assert.Empty(t, tapes[more].got())
		}
		for _, link := range links {
			link.Resume(wstest.ToClient)
		}
		for range 2 { // those that were slow are quick again
			for _, server := range servers {
				server.Next(message)
			}
			settle()
		}
		for _, tape := range tapes {
			assert.Len(t, tape.got(), 4)
		}
	})
}

// In a burst, a sender leaves its message to the crew; one that answers the last message that came writes it itself.
func TestAnswersAreWrittenByWhoAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		large := wsource.BinaryMessage(make([]byte, 4*wstest.DefaultBuffer))
		busy, other := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		beats := record[wsource.Message](t, busy)
		beat := func() { // and no time passes until the next sleep: a burst has begun
			settle()
			other.Next(wsource.BinaryMessage(nil))
		}
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		answers := record[wsource.Message](t, client)
		stall := func() *wstest.Link {
			link := s.link()
			require.NoError(t, link.Inject(wstest.Stall(wstest.ToClient, 0)))
			return link
		}

		beat()
		link := stall()
		server.Next(large) // or this would not return
		link.Resume(wstest.ToClient)
		settle()
		assert.Len(t, answers.got(), 1)

		var began, done atomic.Int32
		server.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{OnNext: func(wsource.Message) {
			began.Add(1)
			server.Next(large)
			done.Add(1)
		}})
		beat()
		link = stall()
		client.Next(wsource.TextMessage("?"))
		synctest.Wait()
		assert.Equal(t, int32(1), began.Load())
		assert.Zero(t, done.Load(), "the answer was left to the crew")
		link.Resume(wstest.ToClient)
		settle()
		assert.Equal(t, int32(1), done.Load())
		assert.Len(t, answers.got(), 2)
		assert.Len(t, beats.got(), 2)
	})
}

// A goroutine that is ended by somebody who was told what became of a message does not take with it what others have
// to write.
func TestGoexitLeavesOtherSocketsTheirWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		var told atomic.Int32
		var servers []*wsource.Socket
		var tapes []*tape[wsource.Message]
		for i := range 2 * more {
			client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
			servers = append(servers, server)
			if i == 0 || i > more { // the first of a burst is written to by its sender
				tapes = append(tapes, record[wsource.Message](t, client))
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
		for _, tape := range tapes {
			assert.Len(t, tape.got(), 1)
		}
	})
}
