package wsource_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// A heartbeat of round numbers.
var beat = wsource.Heartbeat{Interval: 10 * time.Second, Timeout: 5 * time.Second}

// pingSize and pongSize are the bytes of a ping from a client, which is masked, and of
// the pong to it.
const (
	pingSize = 2 + 4 + 8
	pongSize = 2 + 8
)

// vanish stalls the connection in both directions.
func (s *site) vanish() {
	s.t.Helper()
	require.NoError(s.t, s.link().Inject(wstest.Stall(wstest.ToServer, 0), wstest.Stall(wstest.ToClient, 0)))
}

// appear lets everything pass again.
func (s *site) appear() {
	s.link().Resume(wstest.ToServer)
	s.link().Resume(wstest.ToClient)
}

func TestHeartbeatPingsAnIdleConnection(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
		record(t, server)
		before := s.link().Passed(wstest.ToServer)
		time.Sleep(9999 * time.Millisecond)
		assert.Equal(t, before, s.link().Passed(wstest.ToServer))
		assert.Zero(t, client.RTT())
		time.Sleep(2 * time.Millisecond)
		assert.Equal(t, before+pingSize, s.link().Passed(wstest.ToServer))
		// Each pong is life, so the next ping comes an interval later.
		time.Sleep(9 * beat.Interval)
		assert.Equal(t, before+10*pingSize, s.link().Passed(wstest.ToServer))
		assert.Equal(t, wsource.Open, client.State())
		client.Complete()
	})
}

func TestHeartbeatCountsAnyFrameAsLife(t *testing.T) {
	for name, act := range map[string]func(socket *wsource.Socket){
		"a message": func(socket *wsource.Socket) { socket.Next(wsource.TextMessage("x")) },
		// The server's own heartbeat.
		"a ping": func(*wsource.Socket) {},
	} {
		t.Run(name, func(t *testing.T) {
			options := calm
			if name == "a ping" {
				options.Heartbeat = wsource.Heartbeat{Interval: 9 * time.Second}
			}
			inBubbleWith(t, options, func(t *testing.T, s *site) {
				client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
				record(t, client)
				pongs := pongSize + 4 // the client's, which are masked
				if name == "a message" {
					pongs = 0
				}
				before := s.link().Passed(wstest.ToServer)
				for range 10 {
					time.Sleep(9 * time.Second)
					act(server)
				}
				settle()
				assert.Equal(t, before+10*pongs, s.link().Passed(wstest.ToServer), "no ping is needed")
				client.Complete()
			})
		})
	}
}

func TestHeartbeatCountsThePiecesOfALargeMessageAsLife(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
		got := record(t, client)
		require.NoError(t, s.link().Inject(wstest.Throttle(wstest.ToClient, 1000)))
		server.Next(wsource.TextMessage(strings.Repeat("x", 60_000))) // takes a minute
		time.Sleep(61 * time.Second)
		assert.Len(t, got.Values(), 1)
		assert.Equal(t, wsource.Open, client.State())
		client.Complete()
		<-client.Done()
	})
}

func TestHeartbeatFindsADeadPeer(t *testing.T) {
	for name, send := range map[string]func(client *wsource.Socket){
		"idle":    func(*wsource.Socket) {},
		"sending": func(client *wsource.Socket) { client.Next(wsource.TextMessage("is anybody there?")) },
		"jammed": func(client *wsource.Socket) {
			go client.Next(wsource.TextMessage(strings.Repeat("x", 2*wstest.DefaultBuffer)))
		},
		"queued": func(client *wsource.Socket) {
			go client.Next(wsource.TextMessage(strings.Repeat("x", 2*wstest.DefaultBuffer)))
			settle()
			client.Next(wsource.TextMessage("behind it"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
				got := record(t, client)
				server.Next(wsource.TextMessage("alive")) // the last sign of life
				settle()
				start := time.Now()
				s.vanish()
				time.Sleep(3 * time.Second)
				send(client)
				err := got.ExpectEnd(t)
				requireClose(t, err, wsource.StatusAbnormalClosure)
				require.ErrorIs(t, err, wsource.ErrHeartbeat)
				assert.InDelta(t, beat.Interval+beat.Timeout, time.Since(start), float64(2*time.Millisecond))
				s.appear()
				server.CloseNow()
			})
		})
	}
}

func TestHeartbeatFindsAPeerThatNeverSaidAWord(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
		start := time.Now()
		s.vanish()
		<-client.Done()
		assert.Equal(t, beat.Interval+beat.Timeout, time.Since(start))
		s.appear()
		server.CloseNow()
	})
}

func TestHeartbeatSparesAPeerThatIsLate(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
		record(t, server)
		require.NoError(t, s.link().Inject(wstest.Delay(wstest.ToServer, 4*time.Second)))
		time.Sleep(10 * time.Minute)
		assert.Equal(t, wsource.Open, client.State())
		assert.Equal(t, 4*time.Second, client.RTT())
		client.Complete()
		<-client.Done()
	})
}

// TestHeartbeatGoesOnBehindALateAnswer has a Timeout longer than the Interval: an answer
// that is late by more than an Interval does not put off the next ping until the Timeout
// is over.
func TestHeartbeatGoesOnBehindALateAnswer(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{
			Heartbeat: wsource.Heartbeat{Interval: time.Second, Timeout: time.Hour},
		})
		record(t, server)
		before := s.link().Passed(wstest.ToServer)
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		time.Sleep(10*time.Second + time.Millisecond)
		assert.Equal(t, before+pingSize, s.link().Passed(wstest.ToServer), "no second ping before the answer")
		s.link().Resume(wstest.ToClient)
		time.Sleep(3 * time.Second)
		assert.GreaterOrEqual(t, s.link().Passed(wstest.ToServer), before+3*pingSize)
		client.Complete()
	})
}

func TestHeartbeatDoesNotJudgeWhileTheReaderIsPaused(t *testing.T) {
	inBubbleWith(t, wsource.AcceptOptions{Heartbeat: beat}, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
		record(t, server)
		release := make(chan struct{})
		client.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
			OnNext: func(wsource.Message) { <-release },
		})
		server.Next(wsource.TextMessage("this will take some time"))
		time.Sleep(10 * time.Minute)
		assert.Equal(t, wsource.Open, client.State(), "the paused side does not judge")
		assert.Equal(t, wsource.Open, server.State(), "and its pings tell the other that it lives")
		close(release)
		time.Sleep(10 * time.Minute)
		assert.Equal(t, wsource.Open, client.State())
		assert.Less(t, client.RTT(), time.Second, "the pause is no round-trip time")

		// After the pause a peer that has died is found in time.
		release = make(chan struct{})
		server.Next(wsource.TextMessage("again"))
		settle()
		s.vanish()
		time.Sleep(10 * time.Minute)
		start := time.Now()
		close(release)
		<-client.Done()
		assert.LessOrEqual(t, time.Since(start), beat.Interval+beat.Timeout)
		s.appear()
		<-server.Done()
	})
}

func TestHeartbeatOvertakesWhatIsQueued(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
		record(t, server)
		// On this line the queue takes longer than the heartbeat waits. Each of its
		// messages is short.
		require.NoError(t, s.link().Inject(wstest.Throttle(wstest.ToServer, 64<<10)))
		go func() {
			for range 100 {
				client.Next(wsource.BinaryMessage(make([]byte, 60<<10)))
			}
		}()
		time.Sleep(95 * time.Second)
		assert.Equal(t, wsource.Open, client.State())
		assert.NotZero(t, client.RTT())
		assert.Less(t, client.RTT(), 5*time.Second)
		client.Complete()
		<-client.Done()
	})
}

func TestHeartbeatCanBeOff(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		before := s.link().Passed(wstest.ToServer)
		s.vanish()
		time.Sleep(24 * time.Hour)
		assert.Equal(t, wsource.Open, client.State())
		s.appear()
		settle()
		assert.Equal(t, before, s.link().Passed(wstest.ToServer))
		client.Complete()
		<-server.Done()
	})
}

func TestHeartbeatByDefault(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		client, server := s.pair(nil)
		start := time.Now()
		s.vanish()
		<-client.Done()
		assert.Equal(t, 45*time.Second, time.Since(start))
		s.appear()
		server.CloseNow()
	})
}

func TestHeartbeatOfASubjectReconnects(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{
			Reconnect: steady(), Dial: wsource.DialOptions{Heartbeat: beat},
		})
		lost := record(t, subject.Undelivered())
		_, sub := listen(t, subject)
		far := s.accept()
		link := s.link()
		s.vanish()
		subject.Next("a")
		start := time.Now()
		far2 := s.accept()
		assert.InDelta(t, beat.Interval+beat.Timeout, time.Since(start), float64(2*time.Second))
		require.Len(t, lost.Values(), 1)
		assert.Equal(t, wsource.Unknown, lost.Values()[0].Outcome)
		require.ErrorIs(t, lost.Values()[0], wsource.ErrHeartbeat)
		subject.Next("b")
		assert.Equal(t, []string{"b"}, far2.heard())
		link.Resume(wstest.ToServer) // for the rest of the old connection
		link.Resume(wstest.ToClient)
		far.CloseNow()
		time.Sleep(time.Minute)
		assert.Equal(t, wsource.Open, far2.State())
		sub.Unsubscribe()
	})
}

// TestHeartbeatCountsWhatThePeerTakesAsLife sends a message to a peer that reads steadily
// but slowly, and so answers no ping for long.
func TestHeartbeatCountsWhatThePeerTakesAsLife(t *testing.T) { //nolint:tparallel // beside its own subtests only
	for name, send := range map[string]func(t *testing.T, client *wsource.Socket, size int){
		"Next": func(_ *testing.T, client *wsource.Socket, size int) {
			client.Next(wsource.BinaryMessage(make([]byte, size)))
		},
		"SendReader": func(t *testing.T, client *wsource.Socket, size int) {
			t.Helper()
			assert.NoError(t, client.SendReader(t.Context(), wsource.Binary, bytes.NewReader(make([]byte, size))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, wsource.AcceptOptions{Heartbeat: noBeat, ReadLimit: 64 << 20}, func(t *testing.T, s *site) {
				client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
				got := record(t, server)
				require.NoError(t, s.link().Inject(wstest.Throttle(wstest.ToServer, 64<<10)))
				send(t, client, 16<<20) // takes four minutes
				time.Sleep(5 * time.Minute)
				assert.Equal(t, wsource.Open, client.State())
				assert.Len(t, got.Values(), 1)
				client.Complete()
				<-client.Done()
			})
		})
	}
}

// TestHeartbeatCountsPiecesThatASlowPeerTakes sends from the side that does not mask, and
// so writes in the largest pieces.
func TestHeartbeatCountsPiecesThatASlowPeerTakes(t *testing.T) {
	inBubbleWith(t, wsource.AcceptOptions{Heartbeat: beat}, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, ReadLimit: 64 << 20})
		got := record(t, client)
		require.NoError(t, s.link().Inject(wstest.Throttle(wstest.ToClient, 8<<10)))
		server.Next(wsource.BinaryMessage(make([]byte, 2<<20))) // takes four minutes
		time.Sleep(5 * time.Minute)
		assert.Equal(t, wsource.Open, server.State())
		assert.Len(t, got.Values(), 1)
		client.Complete()
		<-client.Done()
	})
}

// TestHeartbeatWithoutALimit has a very long Timeout, and a peer that is slow, and then
// gone.
func TestHeartbeatWithoutALimit(t *testing.T) {
	inBubbleWith(t, wsource.AcceptOptions{Heartbeat: noBeat, ReadLimit: 64 << 20}, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: wsource.Heartbeat{Interval: time.Second, Timeout: math.MaxInt64}})
		record(t, server)
		require.NoError(t, s.link().Inject(wstest.Throttle(wstest.ToServer, 64<<10)))
		client.Next(wsource.BinaryMessage(make([]byte, 1<<20)))
		time.Sleep(10 * time.Second)
		s.vanish()
		time.Sleep(10 * time.Second)
		assert.Equal(t, wsource.Open, client.State(), "%v", client.Err())
		client.CloseNow()
		server.CloseNow()
	})
}

// TestHeartbeatWaitsForWhatIsOnItsWay stops sending while much is on its way to a peer
// that reads steadily but slowly. A pong that comes meanwhile does not say that the peer
// has read all.
func TestHeartbeatWaitsForWhatIsOnItsWay(t *testing.T) { //nolint:tparallel // beside its own subtests only
	beat := wsource.Heartbeat{Interval: time.Second / 2, Timeout: time.Second}
	for size := 15 << 19; size < 8<<20; size += 64 << 10 {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, wsource.AcceptOptions{Heartbeat: noBeat, ReadLimit: 64 << 20}, func(t *testing.T, s *site) {
				s.network.Buffer = 4 << 20
				client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
				got := record(t, server)
				require.NoError(t, s.link().Inject(wstest.Throttle(wstest.ToServer, 1<<20)))
				assert.NoError(t, client.SendReader(t.Context(), wsource.Binary, bytes.NewReader(make([]byte, size))))
				time.Sleep(time.Minute)
				assert.Equal(t, wsource.Open, client.State())
				assert.Len(t, got.Values(), 1)
				s.vanish()
				time.Sleep(beat.Interval + beat.Timeout + time.Second)
				assert.Equal(t, wsource.Closed, client.State(), "of which no allowance is left")
			})
		})
	}
}

// TestHeartbeatFindsADeadPeerThatASubscriberWaitsFor has an echo that waits to send to a
// peer that has gone.
func TestHeartbeatFindsADeadPeerThatASubscriberWaitsFor(t *testing.T) {
	inBubbleWith(t, wsource.AcceptOptions{Heartbeat: noBeat}, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Heartbeat: beat})
		client.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{
			// More than the connection takes, by the caller.
			OnNext: func(wsource.Message) {
				for range 10_000 {
					client.Next(wsource.BinaryMessage(make([]byte, 1000)))
				}
			},
			OnError: func(error) {},
		})
		settle()
		s.vanish()
		start := time.Now()
		server.Next(wsource.TextMessage("go"))
		s.appear()
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, s.link().Passed(wstest.ToServer))))
		<-client.Done()
		require.ErrorIs(t, client.Err(), wsource.ErrWriteTimeout)
		assert.LessOrEqual(t, time.Since(start), wsource.DefaultWriteTimeout+beat.Interval)
		server.CloseNow()
	})
}

func TestWriteTimeout(t *testing.T) {
	for name, options := range map[string]wsource.DialOptions{
		"with pongs all along": {WriteTimeout: 10 * time.Second, Heartbeat: wsource.Heartbeat{Interval: 3 * time.Second}},
		"without heartbeat":    {WriteTimeout: 10 * time.Second, Heartbeat: noBeat},
	} {
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, wsource.AcceptOptions{Heartbeat: noBeat}, func(t *testing.T, s *site) {
				client, server := s.pair(&options)
				require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
				stop := make(chan struct{})
				go func() { // signs of life
					for {
						select {
						case <-stop:
							return
						case <-time.After(time.Second):
							server.Next(wsource.TextMessage("x"))
						}
					}
				}()
				record(t, client)
				start := time.Now()
				client.Next(wsource.BinaryMessage(make([]byte, 8<<20)))
				<-client.Done()
				close(stop)
				require.ErrorIs(t, client.Err(), wsource.ErrWriteTimeout)
				assert.LessOrEqual(t, time.Since(start), 20*time.Second)
				server.CloseNow()
			})
		})
	}
}
