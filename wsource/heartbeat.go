package wsource

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

var (
	// ErrHeartbeat is the cause when nothing came from the peer within the heartbeat's time.
	ErrHeartbeat = errors.New("the peer has been silent for too long")
	// ErrWriteTimeout is the cause when the peer took no byte of what is written within WriteTimeout.
	ErrWriteTimeout = errors.New("the peer takes nothing of what is sent")
)

// Heartbeat finds peers that are gone without a word. A connection on which nothing has arrived
// for Interval is sent a ping, ahead of what is queued; if nothing arrives within Timeout, it
// ends with [StatusAbnormalClosure] and [ErrHeartbeat]. Any byte that arrives counts as life, and so
// does any that the peer takes of a message which is too large to be written at once.
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

// heart is the heartbeat of one socket, and watches over its writes: a timer, and no goroutine.
type heart struct {
	socket       *Socket
	off          bool
	interval     time.Duration
	timeout      time.Duration
	writeTimeout time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	written int64         // bytes that the peer had taken when progress was last seen
	moved   time.Time     // when that was, while something is being written
	drain   time.Duration // that the peer needs for what is on its way, by the rate of the last writes
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
func (h *heart) start(s *Socket, config Heartbeat, writeTimeout time.Duration) {
	h.socket, h.off, h.writeTimeout = s, config.Off, orDefault(writeTimeout, DefaultWriteTimeout)
	h.interval = orDefault(config.Interval, defaultInterval)
	h.timeout = orDefault(config.Timeout, defaultTimeout)
	s.wire.Touch()
	h.mu.Lock()
	h.timer = time.AfterFunc(min(h.interval, h.writeTimeout), h.beat)
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
	if cause := h.look(); cause != nil {
		h.socket.finish(&CloseError{Code: StatusAbnormalClosure, Err: cause})
	}
}

// look returns why the peer is taken for dead, or nil, and sets the timer.
func (h *heart) look() (dead error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil
	}
	stalled, taking := h.lookAtWrites()
	if stalled >= h.writeTimeout {
		return ErrWriteTimeout
	}
	next := h.writeTimeout - stalled
	if !h.off {
		wait := h.lookAtReads(taking)
		if wait <= 0 {
			return ErrHeartbeat
		}
		next = min(next, wait)
	}
	h.timer.Reset(next)
	return nil
}

// lookAtWrites returns for how long what is being written has made no progress, and whether it has
// made some since it was last looked at; mu is held.
func (h *heart) lookAtWrites() (stalled time.Duration, taking bool) {
	writing, written := h.socket.wire.Progress()
	now := time.Now()
	switch {
	case h.moved.IsZero():
		h.moved = now
	case written != h.written:
		perByte := float64(now.Sub(h.moved)) / float64(written-h.written)
		h.drain = min(time.Duration(perByte*onTheWay), h.writeTimeout)
		h.moved, taking = now, true
	}
	h.written, stalled = written, now.Sub(h.moved)
	if !writing {
		h.moved, stalled = time.Time{}, 0
	}
	return stalled, taking
}

// onTheWay is how many bytes the operating systems of both ends may keep, by default, of what was
// written and the peer has not read. A ping comes behind them.
const onTheWay = 4 << 20

// lookAtReads asks for a sign of life if it is time, and returns when to look again, or 0 if the peer
// has given none in time; mu is held. One that takes what is written is alive.
func (h *heart) lookAtReads(taking bool) (wait time.Duration) {
	paused := delivering(h.socket.turn.Load())
	last := h.socket.wire.LastRead()
	// That something came is told by a difference, not by an order: it may have come in the instant of the
	// ping, and the clock may be set back meanwhile. So may the silence be negative.
	silence := max(0, time.Since(last))
	switch {
	case paused:
		h.waiting = false
		if since := time.Since(h.sent); since < h.interval { // a look at writes has come in between
			return h.interval - since
		}
		h.ping(false)
		return h.interval
	case h.waiting && last.Equal(h.seen):
		if taking {
			h.asked = time.Now()
		}
		return h.timeout + h.drain - time.Since(h.asked)
	case silence >= h.interval:
		h.waiting, h.seen, h.asked = true, last, time.Now()
		if !taking {
			h.drain = 0
		}
		h.ping(true)
		return min(h.timeout, h.interval) // the next ping may be due before the time is over
	default:
		h.waiting = false
		return h.interval - silence
	}
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
	return !h.off
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
	if last == nil || h.off {
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
