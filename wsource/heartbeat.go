package wsource

import (
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

var (
	// ErrHeartbeat is the cause when nothing came from the peer within the heartbeat's time.
	ErrHeartbeat = transport.ErrHeartbeat
	// ErrWriteTimeout is the cause when the peer took no byte of what is written within WriteTimeout.
	ErrWriteTimeout = transport.ErrWriteTimeout
)

// Heartbeat finds peers that are gone without a word. A connection on which nothing has arrived
// for Interval is sent a ping, ahead of what is queued; if nothing arrives within Timeout, it
// ends with [StatusAbnormalClosure] and [ErrHeartbeat]. Any byte that arrives counts as life, and so
// does any that the peer takes of a message which is too large to be written at once.
// While this side's own subscribers hold up the reading, nothing is judged, and the pings go on, so that the
// peer sees life in turn. The zero value is the default. A browser (js/wasm) sends no pings for a
// page: there it is always off.
type Heartbeat struct {
	// Off sends no pings and judges nothing.
	Off bool
	// Interval of silence before a ping; 0 means 25 s, less than the minute after
	// which proxies drop an idle connection.
	Interval time.Duration
	// Timeout of silence after the ping; 0 means 20 s.
	Timeout time.Duration
}

const (
	defaultInterval = 25 * time.Second
	defaultTimeout  = 20 * time.Second
)

// config returns the Heartbeat with its defaults.
func (h Heartbeat) config() conn.Heartbeat {
	return conn.Heartbeat{
		Off: h.Off, Interval: orDefault(h.Interval, defaultInterval), Timeout: orDefault(h.Timeout, defaultTimeout),
	}
}

// RTT returns the round-trip time of the last ping that was measured, or 0 before the first.
func (s *Socket) RTT() time.Duration { return s.conn.RTT() }
