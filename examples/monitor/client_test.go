package main

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// follow runs the client's pipeline until the test ends, and returns the events that it
// shows.
func follow(t *testing.T, n *network) *observabletest.Recorder[[]event] {
	t.Helper()
	wish, err := clientSide.Encode(command{Interval: interval(100 * ms), Metrics: []string{"heap"}})
	require.NoError(t, err)
	shown := observabletest.NewRecorder[[]event]().OnNext(func(batch []event) { assert.NotEmpty(t, batch) })
	sub := watch(liveURL, n.options(), wish).Subscribe(t.Context(), shown)
	t.Cleanup(sub.Unsubscribe)
	return shown
}

// lookAtEach is a look that returns each event of the batches.
func lookAtEach(shown *observabletest.Recorder[[]event]) []event {
	var events []event
	for _, batch := range look(shown) {
		events = append(events, batch.Value...)
	}
	return events
}

// lossesAndSamples counts losses and samples, beside settings.
func lossesAndSamples(events []event) (losses, samples, settings int) {
	for _, e := range events {
		switch {
		case e.lost != nil:
			losses++
		case e.Sample != nil:
			samples++
		case e.Settings != nil:
			settings++
		}
	}
	return losses, samples, settings
}

func TestWatchAsksForWhatItWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shown := follow(t, startServer(t))
		time.Sleep(refresh)
		events := lookAtEach(shown)
		require.Len(t, events, 4)
		assert.Equal(t, interval(100*ms), events[1].Settings.Interval)
		assert.Equal(t, []string{"heap"}, events[1].Settings.Metrics)
		assert.Len(t, events[2].Sample.Values, 1)
		time.Sleep(10 * time.Second)
		losses, samples, settings := lossesAndSamples(lookAtEach(shown))
		assert.Equal(t, []int{0, 100, 0}, []int{losses, samples, settings}, "none is lost between two refreshes")
	})
}

func TestWatchConnectsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startServer(t)
		for number := 2; number < 6; number++ {
			require.NoError(t, n.OnDial(number, wstest.Refuse()))
		}
		shown := follow(t, n)
		time.Sleep(5 * time.Second)
		lookAtEach(shown)
		require.NoError(t, n.Link(1).Inject(wstest.Cut(wstest.ToClient, 0)))
		time.Sleep(20 * time.Second)
		events := lookAtEach(shown)
		assert.Equal(t, 6, n.Dials())
		losses, samples, settings := lossesAndSamples(events)
		assert.Equal(t, 2, losses, "the cut and, once, that nobody answers")
		assert.Equal(t, 2, settings, "the greeting and the answer to the command, which is sent again")
		assert.Greater(t, samples, 100)
		first := slices.IndexFunc(events, func(e event) bool { return e.lost != nil })
		require.GreaterOrEqual(t, first, 0)
		assert.Equal(t, wsource.StatusAbnormalClosure, wsource.CloseStatus(events[first].lost))
	})
}

func TestWatchIgnoresWhatItDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(network)
		listener, err := n.Listen("server.test:80")
		require.NoError(t, err)
		later := new(wsource.Server)
		accepting := later.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(s *wsource.Socket) {
				s.Next(wsource.TextMessage(`{"weather":{"sun":true}}`))
				s.Next(wsource.TextMessage(`{"error":"no","since":"a later version"}`))
			},
		})
		defer accepting.Unsubscribe()
		served := make(chan error, 1)
		go func() { served <- later.Serve(listener) }()
		shown := follow(t, n)
		time.Sleep(time.Second)
		assert.Equal(t, []event{{reply: reply{Error: "no"}}}, lookAtEach(shown))
		require.NoError(t, later.Shutdown(t.Context()))
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
}
