// Package promhook counts the events of the sockets and subjects of package wsource for
// Prometheus. It is a module of its own, so that only programs that use it depend on
// Prometheus' client:
//
//	go get github.com/rxsocket/rxsocket/wsource/promhook
//
// The metrics, all with the prefix rxsocket_:
//
//	connections                  gauge      connections that are open
//	opened_total                 counter    connections that were opened
//	closed_total{code}           counter    connections that are over, by close code
//	refused_total{status}        counter    handshakes that were refused, by HTTP status
//	messages_total{direction}    counter    messages received and sent
//	frames_total{direction}      counter    their frames, one or more each
//	bytes_total{direction}       counter    their data, before compression
//	queued_messages              histogram  messages that waited behind each sent batch
//	dropped_total{outcome}       counter    messages certainly or maybe unsent
//	undecodable_total            counter    messages for subjects that did not decode
//	failed_total                 counter    failures of servers' code for a socket
//	reconnects_total             counter    attempts at another connection, of subjects
//	round_trip_seconds           histogram  round-trip times, by heartbeat
package promhook

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rxsocket/rxsocket/wsource"
)

// Hook is a [wsource.Hook] that counts, and the [prometheus.Collector] of its counts. One
// hook serves any number of sockets and subjects. [New] makes it. The label "code" has a
// value for each close code that occurs; the peers choose those from 3000 to 4999.
type Hook struct {
	connections prometheus.Gauge
	opened      prometheus.Counter
	closed      *prometheus.CounterVec
	refused     *prometheus.CounterVec
	messages    *prometheus.CounterVec
	frames      *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	queued      prometheus.Histogram
	dropped     *prometheus.CounterVec
	undecodable prometheus.Counter
	overRate    prometheus.Counter
	failed      prometheus.Counter
	reconnects  prometheus.Counter
	roundTrip   prometheus.Histogram
}

var (
	_ wsource.Hook         = (*Hook)(nil)
	_ prometheus.Collector = (*Hook)(nil)
)

// New returns a hook and registers it with registry; with nil the caller registers it. If
// the registry already has such a hook, New returns that one, so that a client and a
// server of one program count together. The error is the registry's, as when it has other
// metrics of these names.
func New(registry prometheus.Registerer) (*Hook, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "rxsocket", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "rxsocket", Name: name, Help: help, Buckets: buckets,
		})
	}
	h := &Hook{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "rxsocket", Name: "connections", Help: "WebSocket connections that are open.",
		}),
		opened:   counter("opened_total", "WebSocket connections that were opened.").WithLabelValues(),
		closed:   counter("closed_total", "WebSocket connections that are over, by close code.", "code"),
		refused:  counter("refused_total", "WebSocket handshakes that were refused, by HTTP status.", "status"),
		messages: counter("messages_total", "Messages received and sent.", "direction"),
		frames:   counter("frames_total", "Frames of messages received and sent.", "direction"),
		bytes:    counter("bytes_total", "Bytes of data of messages received and sent, before compression.", "direction"),
		queued: histogram("queued_messages", "Messages that waited behind each batch that was sent.",
			[]float64{0, 1, 4, 16, 64, 256, 1024}),
		dropped:     counter("dropped_total", "Messages not sent, or of which that is unknown, by outcome.", "outcome"),
		undecodable: counter("undecodable_total", "Messages for subjects that did not decode.").WithLabelValues(),
		overRate:    counter("over_rate_total", "Messages received over their connection's rate, and dropped.").WithLabelValues(),
		failed:      counter("failed_total", "Failures of the work that servers do for a socket.").WithLabelValues(),
		reconnects:  counter("reconnects_total", "Attempts of subjects at another connection.").WithLabelValues(),
		roundTrip: histogram("round_trip_seconds", "Round-trip times that heartbeats have measured.",
			prometheus.ExponentialBuckets(0.001, 2, 15)),
	}
	if registry != nil {
		err := registry.Register(h)
		if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
			if hook, ok := there.ExistingCollector.(*Hook); ok {
				return hook, nil
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Handle counts an event.
func (h *Hook) Handle(e wsource.Event) {
	switch e.Kind {
	case wsource.EventOpened:
		h.connections.Inc()
		h.opened.Inc()
	case wsource.EventClosed:
		h.connections.Dec()
		h.closed.WithLabelValues(strconv.Itoa(int(e.Code))).Inc()
	case wsource.EventRefused:
		status := 0
		if he, ok := errors.AsType[*wsource.HandshakeError](e.Err); ok {
			status = he.Status
		}
		h.refused.WithLabelValues(strconv.Itoa(status)).Inc()
	case wsource.EventReceived:
		h.count("received", e)
	case wsource.EventSent:
		h.count("sent", e)
		h.queued.Observe(float64(e.Queued))
	case wsource.EventDropped:
		outcome := wsource.Unsent
		if se, ok := errors.AsType[*wsource.SendError](e.Err); ok {
			outcome = se.Outcome
		}
		h.dropped.WithLabelValues(outcome.String()).Add(float64(e.Messages))
	case wsource.EventUndecodable:
		h.undecodable.Inc()
	case wsource.EventOverRate:
		h.overRate.Add(float64(e.Messages))
	case wsource.EventFailed:
		h.failed.Inc()
	case wsource.EventReconnect:
		h.reconnects.Inc()
	case wsource.EventHeartbeat:
		h.roundTrip.Observe(e.RTT.Seconds())
	}
}

func (h *Hook) count(direction string, e wsource.Event) {
	h.messages.WithLabelValues(direction).Add(float64(e.Messages))
	h.frames.WithLabelValues(direction).Add(float64(e.Frames))
	h.bytes.WithLabelValues(direction).Add(float64(e.Bytes))
}

func (h *Hook) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		h.connections, h.opened, h.closed, h.refused, h.messages, h.frames, h.bytes, h.queued, h.dropped, h.undecodable,
		h.overRate, h.failed,
		h.reconnects, h.roundTrip,
	}
}

// Describe describes the metrics (see [prometheus.Collector]).
func (h *Hook) Describe(descriptions chan<- *prometheus.Desc) {
	for _, c := range h.collectors() {
		c.Describe(descriptions)
	}
}

// Collect passes the counts on (see [prometheus.Collector]).
func (h *Hook) Collect(metrics chan<- prometheus.Metric) {
	for _, c := range h.collectors() {
		c.Collect(metrics)
	}
}
