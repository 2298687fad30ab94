package main

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// site is a real server in a network in memory, which sends each socket the readings of
// sends.
type site struct {
	wstest.Network
	// sends makes the readings of the latest connection.
	sends func(dial int) observable.Observable[string]
}

// start runs the server until the test ends. It must be called in a bubble of synctest.
func start(t *testing.T, sends func(dial int) observable.Observable[string]) *site {
	t.Helper()
	s := &site{sends: sends}
	listener, err := s.Listen("server.test:80")
	require.NoError(t, err)
	server := new(wsource.Server)
	served, answered := make(chan error, 1), make(chan error, 1)
	go func() {
		answered <- server.Answer(context.WithoutCancel(t.Context()), func(*wsource.Socket) observable.Observable[wsource.Message] {
			return operators.Map(s.sends(s.Dials()), wsource.TextMessage)
		})
	}()
	synctest.Wait() // until it takes sockets
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown(context.Background()))
		require.NoError(t, <-answered)
		require.ErrorIs(t, <-served, http.ErrServerClosed)
		time.Sleep(time.Minute) // until both ends know of any fault
		assert.Empty(t, s.Links(), "connections that are left")
	})
	return s
}

// watch runs the client until the test ends.
func (s *site) watch(t *testing.T) *observabletest.Recorder[bool] {
	t.Helper()
	told := observabletest.NewRecorder[bool]()
	options := &wsource.DialOptions{Transport: s.HTTPClient().Transport}
	watching := Watch("ws://server.test", options).Subscribe(t.Context(), told)
	t.Cleanup(watching.Unsubscribe)
	return told
}

// every sends a reading each second.
func every(reading string) observable.Observable[string] {
	return operators.Map(observable.Interval(time.Second), func(int) string { return reading })
}

// After any fault of the first connection, there is a second one, and the client goes on.
func TestWatchComesBack(t *testing.T) {
	for name, test := range map[string]struct {
		fault  wstest.Fault
		sends  observable.Observable[string] // over the first connection
		within time.Duration
	}{
		"nobody answers":              {wstest.Refuse(), every("20"), time.Second},
		"cut in the handshake":        {wstest.Cut(wstest.ToClient, 40), every("20"), time.Second},
		"reset in a message":          {wstest.Reset(wstest.ToClient, 400), every("20"), 5 * time.Minute},
		"silence on the wire":         {wstest.Stall(wstest.ToClient, 400), every("20"), 10 * time.Minute},
		"a server without readings":   {wstest.Delay(wstest.ToClient, time.Millisecond), observable.Never[string](), Silence + time.Second},
		"a server that sends rubbish": {wstest.Delay(wstest.ToClient, time.Millisecond), every("warm"), 2 * time.Second},
		"a server that has enough":    {wstest.Delay(wstest.ToClient, time.Millisecond), observable.Throw[string](&wsource.CloseError{Code: wsource.StatusGoingAway}), time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, func(dial int) observable.Observable[string] {
					if dial == 1 {
						return test.sends
					}
					return every("120")
				})
				require.NoError(t, s.OnDial(1, test.fault))
				told := s.watch(t)
				time.Sleep(test.within)
				assert.Equal(t, 2, s.Dials())
				time.Sleep(Settle + 2*time.Second)
				values := told.Values()
				require.NotEmpty(t, values)
				assert.True(t, values[len(values)-1], "the second connection's readings are heard")
			})
		})
	}
}

// A server that is away for an hour is asked at intervals that grow, so that it is not
// stormed when it is back.
func TestWatchIsPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, func(int) observable.Observable[string] { return every("120") })
		require.NoError(t, s.OnEveryDial(wstest.Refuse()))
		told := s.watch(t)
		time.Sleep(time.Hour)
		assert.Empty(t, told.Values())
		assert.Less(t, s.Dials(), int(time.Hour/time.Second), "full jitter of up to 5 s")
		assert.Greater(t, s.Dials(), int(time.Hour/(5*time.Second)))
		require.NoError(t, s.OnEveryDial())
		require.NoError(t, told.Await(1))
		assert.Equal(t, []bool{true}, told.Values())
	})
}
