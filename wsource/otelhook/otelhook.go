// Package otelhook measures and traces the events of the sockets and subjects of package
// wsource with OpenTelemetry. It is a module of its own, so that only programs that use
// it depend on OpenTelemetry's API:
//
//	go get github.com/rxsocket/rxsocket/wsource/otelhook
//
// The metrics, all with the prefix rxsocket.:
//
//	connections          up-down counter  connections that are open
//	closes               counter          connections that are over, by code
//	refused              counter          handshakes that were refused, by HTTP status
//	messages             counter          messages, by direction
//	frames               counter          their frames, one or more each, by direction
//	bytes                counter          their data, before compression, by direction
//	queued               histogram        messages that waited behind each sent batch
//	dropped              counter          messages certainly or maybe unsent, by outcome
//	undecodable          counter          messages for subjects that did not decode
//	failed               counter          failures of servers' code for a socket
//	reconnects           counter          attempts at another connection, of subjects
//	round_trip           histogram        round-trip times in seconds, by heartbeat
//
// Each connection is a span, "websocket", whose kind is client or server. At its end it
// has the peer's address, the close code and the counts of received and sent messages. It
// has failed unless the closure was normal, or had the code 1001 or no code, as nearly
// every page that a browser leaves ends its connection so.
package otelhook

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxsocket/rxsocket/wsource"
)

const scope = "github.com/rxsocket/rxsocket/wsource/otelhook"

// Options name the targets of measurements and spans. The zero value means the global
// providers.
type Options struct {
	// MeterProvider takes the measurements. Default: the global one.
	MeterProvider metric.MeterProvider
	// TracerProvider takes the spans. Default: the global one.
	TracerProvider trace.TracerProvider
	// Propagator finds the parent of an accepted connection's span in the handshake's
	// request. Default: the global one.
	Propagator propagation.TextMapPropagator
}

// New returns a hook that measures and traces; one serves any number of sockets and
// subjects. The error is the meter's, which may refuse an instrument.
func New(options Options) (wsource.Hook, error) {
	if options.MeterProvider == nil {
		options.MeterProvider = otel.GetMeterProvider()
	}
	if options.TracerProvider == nil {
		options.TracerProvider = otel.GetTracerProvider()
	}
	h := &hook{tracer: options.TracerProvider.Tracer(scope), propagator: options.Propagator}
	if h.propagator == nil {
		h.propagator = otel.GetTextMapPropagator()
	}
	meter := options.MeterProvider.Meter(scope)
	var failures []error
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := meter.Int64Counter("rxsocket."+name, metric.WithUnit(unit), metric.WithDescription(description))
		failures = append(failures, err)
		return c
	}
	h.closes = counter("closes", "{connection}", "WebSocket connections that are over")
	h.refused = counter("refused", "{handshake}", "WebSocket handshakes that were refused")
	h.messages = counter("messages", "{message}", "Messages received and sent")
	h.frames = counter("frames", "{frame}", "Frames of messages received and sent")
	h.bytes = counter("bytes", "By", "Data of messages received and sent, before compression")
	h.dropped = counter("dropped", "{message}", "Messages not sent, or of which that is unknown")
	h.undecodable = counter("undecodable", "{message}", "Messages for subjects that did not decode")
	h.overRate = counter("over_rate", "{message}", "Messages received over the rate of their connection, and dropped")
	h.failed = counter("failed", "{failure}", "Failures of the work that servers do for a socket")
	h.reconnects = counter("reconnects", "{attempt}", "Attempts of subjects at another connection")
	var err [3]error
	h.connections, err[0] = meter.Int64UpDownCounter("rxsocket.connections",
		metric.WithUnit("{connection}"), metric.WithDescription("WebSocket connections that are open"))
	h.queued, err[1] = meter.Int64Histogram("rxsocket.queued",
		metric.WithUnit("{message}"), metric.WithDescription("Messages that waited behind a batch that was sent"),
		metric.WithExplicitBucketBoundaries(0, 1, 4, 16, 64, 256, 1024))
	h.roundTrip, err[2] = meter.Float64Histogram("rxsocket.round_trip",
		metric.WithUnit("s"), metric.WithDescription("Round-trip times that heartbeats have measured"),
		metric.WithExplicitBucketBoundaries(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20))
	if err := errors.Join(append(failures, err[:]...)...); err != nil {
		return nil, err
	}
	return h, nil
}

type hook struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator

	connections metric.Int64UpDownCounter
	closes      metric.Int64Counter
	refused     metric.Int64Counter
	messages    metric.Int64Counter
	frames      metric.Int64Counter
	bytes       metric.Int64Counter
	queued      metric.Int64Histogram
	dropped     metric.Int64Counter
	undecodable metric.Int64Counter
	overRate    metric.Int64Counter
	failed      metric.Int64Counter
	reconnects  metric.Int64Counter
	roundTrip   metric.Float64Histogram

	lives sync.Map // from *wsource.Socket to *life, while it is open
}

// life is a connection's span, with the counts for its end.
type life struct {
	span           trace.Span
	received, sent traffic
}

type traffic struct{ messages, frames, bytes atomic.Int64 }

// The marks of measurements for the two directions.
//
//nolint:gochecknoglobals // they are constants, which Go cannot declare as such
var (
	received = metric.WithAttributeSet(attribute.NewSet(attribute.String("direction", "received")))
	sent     = metric.WithAttributeSet(attribute.NewSet(attribute.String("direction", "sent")))
)

// Handle measures and traces an event.
func (h *hook) Handle(e wsource.Event) {
	ctx := context.Background() // no caller's context belongs to an event
	switch e.Kind {
	case wsource.EventOpened:
		h.connections.Add(ctx, 1)
		h.lives.Store(e.Socket, &life{span: h.open(ctx, e.Socket)})
	case wsource.EventClosed:
		h.connections.Add(ctx, -1)
		h.closes.Add(ctx, 1, metric.WithAttributes(attribute.Int("code", int(e.Code))))
		if v, ok := h.lives.LoadAndDelete(e.Socket); ok {
			v.(*life).end(e) //nolint:forcetypeassert // nothing else is in there
		}
	case wsource.EventRefused:
		status := 0
		if he, ok := errors.AsType[*wsource.HandshakeError](e.Err); ok {
			status = he.Status
		}
		h.refused.Add(ctx, 1, metric.WithAttributes(attribute.Int("status", status)))
	case wsource.EventReceived:
		h.count(ctx, e, received, func(l *life) *traffic { return &l.received })
	case wsource.EventSent:
		h.count(ctx, e, sent, func(l *life) *traffic { return &l.sent })
		h.queued.Record(ctx, int64(e.Queued))
	case wsource.EventDropped:
		outcome := wsource.Unsent
		if se, ok := errors.AsType[*wsource.SendError](e.Err); ok {
			outcome = se.Outcome
		}
		h.dropped.Add(ctx, int64(e.Messages), metric.WithAttributes(attribute.String("outcome", outcome.String())))
	case wsource.EventUndecodable:
		h.undecodable.Add(ctx, int64(e.Messages))
	case wsource.EventOverRate:
		h.overRate.Add(ctx, int64(e.Messages))
	case wsource.EventFailed:
		h.failed.Add(ctx, 1)
	case wsource.EventReconnect:
		h.reconnects.Add(ctx, 1)
	case wsource.EventHeartbeat:
		h.roundTrip.Record(ctx, e.RTT.Seconds())
	}
}

// open begins a connection's span.
func (h *hook) open(ctx context.Context, socket *wsource.Socket) trace.Span {
	kind := trace.SpanKindClient
	if request := socket.Request(); request != nil {
		kind = trace.SpanKindServer
		ctx = h.propagator.Extract(ctx, propagation.HeaderCarrier(request.Header))
	}
	_, span := h.tracer.Start(ctx, "websocket", trace.WithSpanKind(kind))
	if address := socket.RemoteAddr(); address != nil {
		span.SetAttributes(attribute.String("network.peer.address", address.String()))
	}
	return span
}

// end ends the span. It leaves out all of the error but the code, as the rest may come
// from the peer.
func (l *life) end(e wsource.Event) {
	l.span.SetAttributes(
		attribute.Int("rxsocket.close.code", int(e.Code)),
		attribute.Int64("rxsocket.received.messages", l.received.messages.Load()),
		attribute.Int64("rxsocket.received.frames", l.received.frames.Load()),
		attribute.Int64("rxsocket.received.bytes", l.received.bytes.Load()),
		attribute.Int64("rxsocket.sent.messages", l.sent.messages.Load()),
		attribute.Int64("rxsocket.sent.frames", l.sent.frames.Load()),
		attribute.Int64("rxsocket.sent.bytes", l.sent.bytes.Load()),
	)
	if e.Err != nil && e.Code != wsource.StatusGoingAway && e.Code != wsource.StatusNoStatusReceived {
		l.span.SetStatus(codes.Error, e.Code.String())
	}
	l.span.End()
}

func (h *hook) count(ctx context.Context, e wsource.Event, direction metric.AddOption, of func(*life) *traffic) {
	h.messages.Add(ctx, int64(e.Messages), direction)
	h.frames.Add(ctx, int64(e.Frames), direction)
	h.bytes.Add(ctx, int64(e.Bytes), direction)
	if v, ok := h.lives.Load(e.Socket); ok {
		t := of(v.(*life)) //nolint:forcetypeassert // nothing else is in there
		t.messages.Add(int64(e.Messages))
		t.frames.Add(int64(e.Frames))
		t.bytes.Add(int64(e.Bytes))
	}
}
