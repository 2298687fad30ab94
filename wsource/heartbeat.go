package wsource

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

// ErrHeartbeat is the cause when nothing came from the peer within the heartbeat's time.
var ErrHeartbeat = errors.New("the peer has been silent for too long")

// Heartbeat finds peers that are gone without a word. A connection on which nothing has arrived
// for Interval is sent a ping, ahead of what is queued; if nothing arrives within Timeout, it
// ends with [StatusAbnormalClosure] and [ErrHeartbeat]. Any byte that arrives counts as life.
// While this side's own subscribers hold up the reading, nothing is judged, and the pings go on, so that the
// peer sees life in turn. The zero value is the default.
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

// heart is the heartbeat of one socket: a timer, and no goroutine.
type heart struct {
	socket   *Socket
	interval time.Duration
	timeout  time.Duration

	mu      sync.Mutex
	timer   *time.Timer // nil if there is no heartbeat
	stopped bool
	waiting bool      // for a sign of life after a ping
	asked   time.Time // when that was
	seen    time.Time // when something had arrived last before it
	count   uint64    // of pings: the latest one carries it
	sent    time.Time // when the latest one was
	clean   bool      // its pong tells the round-trip time
	rtt     time.Duration
	told    func(number uint64, rtt time.Duration)
	last    func(number uint64)
}

// start begins the heartbeat of a socket whose reader is about to start.
func (h *heart) start(s *Socket, config Heartbeat) {
	h.socket = s
	if config.Off {
		return
	}
	h.interval = orDefault(config.Interval, defaultInterval)
	h.timeout = orDefault(config.Timeout, defaultTimeout)
	s.wire.Touch()
	h.mu.Lock()
	h.timer = time.AfterFunc(h.interval, h.beat)
	h.mu.Unlock()
}

func (h *heart) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	if h.timer != nil {
		h.timer.Stop()
	}
}

// beat looks at the connection when the timer fires.
func (h *heart) beat() {
	if h.look() {
		h.socket.finish(&CloseError{Code: StatusAbnormalClosure, Err: ErrHeartbeat})
	}
}

// look reports whether the peer is dead, and sets the timer if it is not.
func (h *heart) look() (dead bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return false
	}
	paused := delivering(h.socket.turn.Load())
	last := h.socket.wire.LastRead()
	// That something came is told by a difference, not by an order: it may have come in the instant of the
	// ping, and the clock may be set back meanwhile. So may the silence be negative.
	silence := max(0, time.Since(last))
	switch {
	case paused:
		h.waiting = false
		h.ping(false)
		h.timer.Reset(h.interval)
	case h.waiting && last.Equal(h.seen):
		left := h.timeout - time.Since(h.asked)
		if left <= 0 {
			return true
		}
		h.timer.Reset(left)
	case silence >= h.interval:
		h.waiting, h.seen, h.asked = true, last, time.Now()
		h.ping(true)
		h.timer.Reset(min(h.timeout, h.interval)) // the next ping may be due before the time is over
	default:
		h.waiting = false
		h.timer.Reset(h.interval - silence)
	}
	return false
}

// ping sends a ping; mu is held.
func (h *heart) ping(clean bool) {
	h.count++
	h.sent, h.clean = time.Now(), clean
	h.socket.out.sendPing(binary.BigEndian.AppendUint64(nil, h.count))
}

// beats reports whether the heartbeat is on.
func (h *heart) beats() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.timer != nil
}

// ask sends a ping and returns its number. The pong says that the peer has read what was sent before.
func (h *heart) ask() (number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ping(!delivering(h.socket.turn.Load()))
	return h.count
}

// lastPing returns the payload of a ping that goes out behind all messages, right before the close
// frame: its pong says that the peer has read them. It is nil if nobody wants to know.
func (h *heart) lastPing() []byte {
	h.mu.Lock()
	last, number := h.last, h.count+1
	if last == nil || h.timer == nil {
		h.mu.Unlock()
		return nil
	}
	h.count, h.clean = number, false
	h.mu.Unlock()
	last(number)
	return binary.BigEndian.AppendUint64(nil, number)
}

// whenPong has f told of each pong: the number of the ping, and the round-trip time if that is the
// latest one and this side was not itself what the pong had to wait for, otherwise 0. It has last
// told of the number of the ping that comes right before the close frame.
func (h *heart) whenPong(f func(number uint64, rtt time.Duration), last func(number uint64)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told, h.last = f, last
}

// pongReceived hears of the peer's pongs.
func (s *Socket) pongReceived(_ context.Context, payload []byte) {
	h := &s.heart
	if len(payload) != 8 {
		return
	}
	number := binary.BigEndian.Uint64(payload)
	h.mu.Lock()
	if number == 0 || number > h.count {
		h.mu.Unlock()
		return
	}
	var rtt time.Duration
	measured := number == h.count && h.clean
	if measured {
		rtt = time.Since(h.sent)
		h.rtt = rtt
	}
	told := h.told
	h.mu.Unlock()
	if measured && s.hook != nil {
		s.hook.Handle(Event{Kind: EventHeartbeat, Socket: s, RTT: rtt})
	}
	if told != nil {
		told(number, rtt)
	}
}

// RTT returns the round-trip time of the last ping that was measured, or 0 before the first.
func (s *Socket) RTT() time.Duration {
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	return s.heart.rtt
}
