package promhook_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/promhook"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Two connections of a subject to a server that echoes and restarts once.
func TestCountsOfAnEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		hook, err := promhook.New(registry)
		require.NoError(t, err)
		network := new(wstest.Network)
		require.NoError(t, network.OnEveryDial(wstest.Delay(wstest.ToServer, 5*time.Millisecond)))
		listener, err := network.Listen("server.test:80")
		require.NoError(t, err)
		server := new(wsource.Server)
		sockets := make(chan *wsource.Socket, 2)
		server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(socket *wsource.Socket) {
				socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{OnNext: socket.Next})
				sockets <- socket
			},
		})
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()

		subject := wsource.NewSubject("ws://server.test", wsource.TextCodec(), &wsource.SubjectConfig[string]{
			Dial: wsource.DialOptions{
				Transport: network.HTTPClient().Transport,
				Heartbeat: wsource.Heartbeat{Interval: 10 * time.Second},
			},
			Reconnect: &backoff.Config{Base: time.Second},
			Hook:      hook,
		})
		waiting := make(chan struct{}, 2) // gets a notice when the subject begins to wait
		subject.Status().Subscribe(t.Context(), observable.ObserverFuncs[wsource.Status]{OnNext: func(s wsource.Status) {
			if s.State == wsource.LinkBackoff {
				waiting <- struct{}{}
			}
		}})
		echoes := make(chan string, 3)
		subscription := subject.Subscribe(t.Context(), observable.ObserverFuncs[string]{
			OnNext: func(v string) { echoes <- v },
		})
		first := <-sockets
		for _, text := range []string{"a", "bc", "def"} {
			require.NoError(t, subject.Send(t.Context(), text))
			assert.Equal(t, text, <-echoes)
		}
		time.Sleep(2 * time.Second) // by then a ping has confirmed the messages
		require.NoError(t, first.Close(wsource.StatusServiceRestart, ""))
		<-waiting
		volatile := wsource.Delivery{Volatile: true}
		require.ErrorIs(t, subject.SendAs(t.Context(), "lost", volatile), wsource.ErrNotOpen)
		<-sockets
		time.Sleep(10*time.Second + 100*time.Millisecond)

		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
			# HELP rxsocket_bytes_total Bytes of data of messages received and sent, before compression.
			# TYPE rxsocket_bytes_total counter
			rxsocket_bytes_total{direction="received"} 6
			rxsocket_bytes_total{direction="sent"} 6
			# HELP rxsocket_closed_total WebSocket connections that are over, by close code.
			# TYPE rxsocket_closed_total counter
			rxsocket_closed_total{code="1012"} 1
			# HELP rxsocket_connections WebSocket connections that are open.
			# TYPE rxsocket_connections gauge
			rxsocket_connections 1
			# HELP rxsocket_dropped_total Messages not sent, or of which that is unknown, by outcome.
			# TYPE rxsocket_dropped_total counter
			rxsocket_dropped_total{outcome="unsent"} 1
			# HELP rxsocket_frames_total Frames of messages received and sent.
			# TYPE rxsocket_frames_total counter
			rxsocket_frames_total{direction="received"} 3
			rxsocket_frames_total{direction="sent"} 3
			# HELP rxsocket_messages_total Messages received and sent.
			# TYPE rxsocket_messages_total counter
			rxsocket_messages_total{direction="received"} 3
			rxsocket_messages_total{direction="sent"} 3
			# HELP rxsocket_opened_total WebSocket connections that were opened.
			# TYPE rxsocket_opened_total counter
			rxsocket_opened_total 2
			# HELP rxsocket_reconnects_total Attempts of subjects at another connection.
			# TYPE rxsocket_reconnects_total counter
			rxsocket_reconnects_total 1
		`), "rxsocket_bytes_total", "rxsocket_closed_total", "rxsocket_connections", "rxsocket_dropped_total",
			"rxsocket_frames_total", "rxsocket_messages_total", "rxsocket_opened_total", "rxsocket_reconnects_total"))
		assert.Equal(t, []float64{3, 0}, histogram(t, registry, "rxsocket_queued_messages"))
		roundTrips := histogram(t, registry, "rxsocket_round_trip_seconds")
		assert.Positive(t, roundTrips[0])
		assert.InDelta(t, 0.005*roundTrips[0], roundTrips[1], 1e-6)

		subscription.Unsubscribe()
		time.Sleep(time.Second)
		require.NoError(t, server.Shutdown(t.Context()))
		<-served
		assert.Empty(t, network.Links())
	})
}

// histogram returns the count and the sum of a histogram.
func histogram(t *testing.T, registry *prometheus.Registry, name string) []float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == name {
			h := family.GetMetric()[0].GetHistogram()
			return []float64{float64(h.GetSampleCount()), h.GetSampleSum()}
		}
	}
	require.Fail(t, "no such metric", name)
	return nil
}

func TestRefusalsAreCounted(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	hook, err := promhook.New(registry)
	require.NoError(t, err)
	hook.Handle(wsource.Event{Kind: wsource.EventRefused, Err: &wsource.HandshakeError{Status: 403}})
	hook.Handle(wsource.Event{Kind: wsource.EventRefused, Err: &wsource.HandshakeError{Status: 403}})
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
		# HELP rxsocket_refused_total WebSocket handshakes that were refused, by HTTP status.
		# TYPE rxsocket_refused_total counter
		rxsocket_refused_total{status="403"} 2
	`), "rxsocket_refused_total"))
}

func TestWhatDoesNotDecodeIsCounted(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	hook, err := promhook.New(registry)
	require.NoError(t, err)
	hook.Handle(wsource.Event{Kind: wsource.EventUndecodable, Messages: 1, Err: &wsource.CodecError{}})
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
		# HELP rxsocket_undecodable_total Messages for subjects that did not decode.
		# TYPE rxsocket_undecodable_total counter
		rxsocket_undecodable_total 1
	`), "rxsocket_undecodable_total"))
	hook.Handle(wsource.Event{Kind: wsource.EventFailed, Err: wsource.ErrClosed})
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
		# HELP rxsocket_failed_total Failures of the work that servers do for a socket.
		# TYPE rxsocket_failed_total counter
		rxsocket_failed_total 1
	`), "rxsocket_failed_total"))
}

func TestNewOnARegistryThatHasOne(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	first, err := promhook.New(registry)
	require.NoError(t, err)
	second, err := promhook.New(registry)
	require.NoError(t, err)
	require.Same(t, first, second)
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func TestNewTellsTheRegistrysError(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "rxsocket_opened_total", Help: "Another one."}))
	_, err := promhook.New(registry)
	require.Error(t, err)
}

func ExampleNew() {
	registry := prometheus.NewRegistry()
	hook, err := promhook.New(registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &wsource.Server{Options: wsource.AcceptOptions{Hook: hook}}
	_ = server // serve it, and the registry by promhttp.HandlerFor
	count, _ := testutil.GatherAndCount(registry)
	fmt.Println(count, "metrics before the first connection")
	// Output: 8 metrics before the first connection
}

// A hook is a collector: a program that makes it without a registry can register it with
// labels of its own.
func ExampleHook_Collect() {
	hook, err := promhook.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	registry := prometheus.NewRegistry()
	labelled := prometheus.WrapRegistererWith(prometheus.Labels{"shop": "oslo"}, registry)
	// It calls Describe, and later Collect.
	if err := labelled.Register(hook); err != nil {
		fmt.Println(err)
		return
	}
	descriptions := make(chan *prometheus.Desc, 100)
	hook.Describe(descriptions)
	fmt.Println(len(descriptions), "kinds of metrics")
	hook.Handle(wsource.Event{Kind: wsource.EventRefused, Err: &wsource.HandshakeError{Status: 403}})
	families, _ := registry.Gather()
	for _, family := range families {
		if m := family.GetMetric()[0]; family.GetName() == "rxsocket_refused_total" {
			fmt.Println(m.GetLabel()[0].GetValue(), m.GetLabel()[1].GetValue(), m.GetCounter().GetValue())
		}
	}
	// Output:
	// 14 kinds of metrics
	// oslo 403 1
}
