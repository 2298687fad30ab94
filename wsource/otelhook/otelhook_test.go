package otelhook_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/otelhook"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A traced client sends three messages to a traced server that echoes, drops one, and
// closes with a code.
func TestMeasuresAndTracesAnEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader := metric.NewManualReader()
		spans := tracetest.NewSpanRecorder()
		hook, err := otelhook.New(otelhook.Options{
			MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
			TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
			Propagator:     propagation.TraceContext{},
		})
		require.NoError(t, err)
		network := new(wstest.Network)
		require.NoError(t, network.OnEveryDial(wstest.Delay(wstest.ToServer, 5*time.Millisecond)))
		listener, err := network.Listen("server.test:80")
		require.NoError(t, err)
		server := &wsource.Server{Options: wsource.AcceptOptions{Hook: hook, Heartbeat: wsource.Heartbeat{Off: true}}}
		server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(socket *wsource.Socket) {
				socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{OnNext: socket.Next})
			},
		})
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()

		const parent = "4bf92f3577b34da6a3ce929d0e0e4736"
		client, err := wsource.Dial(t.Context(), "ws://server.test", &wsource.DialOptions{
			Header:    http.Header{"Traceparent": {"00-" + parent + "-00f067aa0ba902b7-01"}},
			Transport: network.HTTPClient().Transport,
			Heartbeat: wsource.Heartbeat{Interval: 10 * time.Second},
			Hook:      hook,
		})
		require.NoError(t, err)
		echoes := make(chan string, 3)
		client.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{
			OnNext: func(m wsource.Message) { echoes <- m.String() },
		})
		for _, text := range []string{"a", "bc", "def"} {
			require.NoError(t, client.Send(t.Context(), wsource.TextMessage(text)))
			assert.Equal(t, text, <-echoes)
		}
		require.Error(t, client.Send(t.Context(), wsource.TextMessage("\xff")))
		time.Sleep(11 * time.Second)
		assert.Equal(t, int64(2), sums(t, reader)["rxsocket.connections"])
		assert.Empty(t, spans.Ended())
		require.NoError(t, client.Close(4000, "secret"))
		<-client.Done()
		time.Sleep(time.Second)
		require.NoError(t, server.Shutdown(t.Context()))
		<-served
		assert.Empty(t, network.Links())

		assert.Equal(t, map[string]int64{
			"rxsocket.connections":                 0,
			"rxsocket.closes code=4000":            2,
			"rxsocket.messages direction=sent":     6,
			"rxsocket.messages direction=received": 6,
			"rxsocket.frames direction=sent":       6,
			"rxsocket.frames direction=received":   6,
			"rxsocket.bytes direction=sent":        12,
			"rxsocket.bytes direction=received":    12,
			"rxsocket.dropped outcome=unsent":      1,
			"rxsocket.queued count":                6,
			"rxsocket.round_trip count":            1,
		}, sums(t, reader))

		ended := spans.Ended()
		require.Len(t, ended, 2)
		for _, span := range ended {
			assert.Equal(t, "websocket", span.Name())
			assert.Equal(t, sdktrace.Status{Code: codes.Error, Description: "4000"}, span.Status())
			for _, key := range []string{
				"rxsocket.received.messages", "rxsocket.sent.messages", "rxsocket.received.frames", "rxsocket.sent.frames",
			} {
				assert.Contains(t, span.Attributes(), attribute.Int(key, 3))
			}
			for _, key := range []string{"rxsocket.received.bytes", "rxsocket.sent.bytes"} {
				assert.Contains(t, span.Attributes(), attribute.Int(key, 6))
			}
			assert.Contains(t, span.Attributes(), attribute.Int("rxsocket.close.code", 4000))
			assert.Greater(t, span.EndTime().Sub(span.StartTime()), 11*time.Second)
			assert.Equal(t, span.SpanKind() == trace.SpanKindServer, span.SpanContext().TraceID().String() == parent)
		}
		assert.NotEqual(t, ended[0].SpanKind(), ended[1].SpanKind())
	})
}

// sums returns the sums of the counters, and the counts of the histograms, by name and
// attributes.
func sums(t *testing.T, reader metric.Reader) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &all))
	require.Len(t, all.ScopeMetrics, 1)
	values := make(map[string]int64)
	for _, m := range all.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, point := range data.DataPoints {
				name := m.Name
				for _, kv := range point.Attributes.ToSlice() {
					name += " " + string(kv.Key) + "=" + kv.Value.String()
				}
				values[name] = point.Value
			}
		case metricdata.Histogram[int64]:
			values[m.Name+" count"] = int64(data.DataPoints[0].Count)
		case metricdata.Histogram[float64]:
			point := data.DataPoints[0]
			values[m.Name+" count"] = int64(point.Count)
			assert.InDelta(t, 0.005, point.Sum, 1e-6, m.Name)
		}
	}
	return values
}

func TestReconnectsAreCounted(t *testing.T) {
	reader := metric.NewManualReader()
	hook, err := otelhook.New(otelhook.Options{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	require.NoError(t, err)
	hook.Handle(wsource.Event{Kind: wsource.EventReconnect, Attempt: 1})
	hook.Handle(wsource.Event{Kind: wsource.EventReconnect, Attempt: 2})
	assert.Equal(t, map[string]int64{"rxsocket.reconnects": 2}, sums(t, reader))
}

func TestRefusalsAreCounted(t *testing.T) {
	reader := metric.NewManualReader()
	hook, err := otelhook.New(otelhook.Options{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	require.NoError(t, err)
	hook.Handle(wsource.Event{Kind: wsource.EventRefused, Err: &wsource.HandshakeError{Status: 403}})
	assert.Equal(t, map[string]int64{"rxsocket.refused status=403": 1}, sums(t, reader))
}

func TestWhatDoesNotDecodeIsCounted(t *testing.T) {
	reader := metric.NewManualReader()
	hook, err := otelhook.New(otelhook.Options{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	require.NoError(t, err)
	hook.Handle(wsource.Event{Kind: wsource.EventUndecodable, Messages: 1, Err: &wsource.CodecError{}})
	hook.Handle(wsource.Event{Kind: wsource.EventFailed, Err: wsource.ErrClosed})
	assert.Equal(t, map[string]int64{"rxsocket.undecodable": 1, "rxsocket.failed": 1}, sums(t, reader))
}

// TestAPageThatIsLeftIsNoFailure ends spans with the codes that are no failure, and with
// one that is.
func TestAPageThatIsLeftIsNoFailure(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	hook, err := otelhook.New(otelhook.Options{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))})
	require.NoError(t, err)
	for _, code := range []wsource.StatusCode{1001, 1005, 1006} {
		socket := new(wsource.Socket)
		hook.Handle(wsource.Event{Kind: wsource.EventOpened, Socket: socket})
		hook.Handle(wsource.Event{Kind: wsource.EventClosed, Socket: socket, Code: code, Err: &wsource.CloseError{Code: code}})
	}
	failed := make([]bool, 0, 3)
	for _, span := range spans.Ended() {
		failed = append(failed, span.Status().Code == codes.Error)
	}
	assert.Equal(t, []bool{false, false, true}, failed)
}

func ExampleNew() {
	hook, err := otelhook.New(otelhook.Options{}) // the global providers
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &wsource.Server{Options: wsource.AcceptOptions{Hook: hook}}
	fmt.Println(server.Len(), "connections")
	// Output: 0 connections
}
