package conn

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Heartbeat says how a connection watches its peer.
type Heartbeat struct {
	Off      bool          // sends no pings and judges nothing
	Interval time.Duration // of silence before a ping
	Timeout  time.Duration // of silence after the ping
}

// heart is the heartbeat of one connection, and watches over its writes: a timer, and no goroutine.
type heart struct {
	conn         *Conn
	interval     time.Duration
	timeout      time.Duration
	writeTimeout time.Duration

	mu      sync.Mutex
	off     bool // is not guarded
	stopped bool
	waiting bool    // for a sign of life after a ping
	clean   bool    // the latest ping's pong tells the round-trip time
	perByte float32 // nanoseconds that the last writes took for each byte
	timer   *time.Timer
	taken   int64         // bytes that the peer had taken when progress was last seen, as far as the system tells
	moved   int64         // when that was, or 0 if nothing waited for the peer; like all times here, in nanoseconds
	pinged  uint32        // written when the latest ping was sent, modulo 2^32 as a socket is to be small
	read    uint32        // what the peer has certainly read, likewise: pinged, when that was answered
	asked   int64         // when the ping was sent that is waited for
	seen    time.Duration // when something had arrived last before it, by frame.Reader.LastRead
	count   uint64        // of pings: the latest one carries it
	sent    int64         // when the latest one was, if there is one
	rtt     time.Duration
	told    func(number uint64, rtt time.Duration)
	last    func(number uint64)
}

// init makes the heartbeat that of c.
func (h *heart) init(c *Conn, config Heartbeat, writeTimeout time.Duration) {
	h.conn, h.off, h.writeTimeout = c, config.Off, writeTimeout
	h.interval, h.timeout = config.Interval, config.Timeout
}

// start begins the heartbeat of a connection whose reader is about to start.
func (h *heart) start() {
	h.conn.frames.Touch()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer = time.AfterFunc(min(h.interval, h.writeTimeout), h.beat)
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
		h.conn.Break(&transport.End{Code: codeAbnormal, Err: cause})
	}
}

// look returns why the peer is taken for dead, or nil, and sets the timer.
func (h *heart) look() (dead error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil
	}
	stalled, taking, all := h.lookAtWrites()
	if stalled >= h.writeTimeout {
		return transport.ErrWriteTimeout
	}
	next := h.writeTimeout - stalled
	if !h.off {
		wait := h.lookAtReads(taking, all)
		if wait <= 0 {
			return transport.ErrHeartbeat
		}
		next = min(next, wait)
	}
	h.timer.Reset(next)
	return nil
}

// lookAtWrites returns for how long what is being written has made no progress, whether the peer has
// taken some of what waited for it since that was last looked at, and whether its system is known to
// have all; mu is held.
func (h *heart) lookAtWrites() (stalled time.Duration, taking, all bool) {
	writing, taken := h.conn.writer.Progress()
	waits := writing
	if t, ok := h.conn.stream.taken(); ok {
		taken, waits, all = t.bytes, writing || t.waits, !writing && t.all
	}
	now := nanoseconds()
	switch {
	case h.moved == 0:
		h.moved = now
	case taken != h.taken:
		if waits { // or most of the time may have been nobody's
			h.perByte = float32(now-h.moved) / float32(taken-h.taken)
		}
		h.moved, taking = now, true
	}
	h.taken = taken
	if !waits {
		h.moved = 0
	}
	if !writing {
		return 0, taking, all
	}
	return time.Duration(now - h.moved), taking, all
}

// onTheWay is how many bytes the operating systems of both ends may keep, by default, of what was
// written and the peer has not read. A ping comes behind them.
const onTheWay = 4 << 20

// slowest is how many nanoseconds a byte takes a peer that reads as slowly as is borne: 1 KiB a second.
const slowest = float32(time.Second) / (1 << 10)

// drain returns how long the peer needs for what is on its way, by the rate of the last
// writes; mu is held. If its system has all, so that nothing shows any more what it reads,
// it may be slower, and a peer that has gone is not.
func (h *heart) drain(all bool) time.Duration {
	perByte := h.perByte
	if all {
		perByte = max(perByte, slowest)
	}
	_, written := h.conn.writer.Progress()
	left := min(uint32(written)-h.read, onTheWay) //nolint:gosec // modulo 2^32 is meant
	return min(time.Duration(perByte*float32(left)), h.writeTimeout)
}

// lookAtReads asks for a sign of life if it is time, and returns when to look again, or 0 if the peer
// has given none in time; mu is held. One that takes what is written is alive.
func (h *heart) lookAtReads(taking, all bool) (wait time.Duration) {
	paused := delivering(h.conn.epoch.Load())
	last := h.conn.frames.LastRead()
	// That something came is told by a difference, not by an order: it may have come in the instant of the
	// ping, and the clock may be set back meanwhile. So may the silence be negative.
	silence := max(0, h.conn.frames.Age()-last)
	switch {
	case paused:
		h.waiting = false
		if since := nanoseconds() - h.sent; h.count > 0 && since < int64(h.interval) { // a look at writes has come in between
			return h.interval - time.Duration(since)
		}
		h.ping(false)
		return h.interval
	case h.waiting && last == h.seen:
		if taking {
			h.asked = nanoseconds()
		}
		waited := time.Duration(nanoseconds()-h.asked) - h.drain(all)
		left := h.timeout - max(0, waited)
		return min(left, h.interval) // the answer may come meanwhile, and the next ping be due before the time is over
	case silence >= h.interval:
		h.waiting, h.seen, h.asked = true, last, nanoseconds()
		h.ping(true)
		return min(h.timeout, h.interval)
	default:
		h.waiting = false
		return h.interval - silence
	}
}

// ping sends a ping; mu is held.
func (h *heart) ping(clean bool) {
	h.count++
	h.sent, h.clean = nanoseconds(), clean
	_, written := h.conn.writer.Progress()
	h.pinged = uint32(written) //nolint:gosec // modulo 2^32 is meant
	h.conn.queue.sendPing(binary.BigEndian.AppendUint64(nil, h.count))
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
	h.ping(!delivering(h.conn.epoch.Load()))
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

// onAnswer has f told of each pong: the number of the ping, and the round-trip time if that is the
// latest one and this side was not itself what the pong had to wait for, otherwise 0. It has last
// told of the number of the ping that comes right before the close frame.
func (h *heart) onAnswer(f func(number uint64, rtt time.Duration), last func(number uint64)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told, h.last = f, last
}

// pongReceived hears of the peer's pongs.
func (h *heart) pongReceived(payload []byte) {
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
	if number == h.count {
		h.read = h.pinged
	}
	measured := number == h.count && h.clean
	if measured {
		rtt = time.Duration(nanoseconds() - h.sent)
		h.rtt = rtt
	}
	told := h.told
	h.mu.Unlock()
	h.conn.tell(func() {
		if told != nil {
			defer told(number, rtt)
		}
		if monitor := h.conn.monitor; measured && monitor != nil {
			monitor.RoundTrip(rtt)
		}
	})
}

// roundTrip returns the round-trip time of the last ping that was measured, or 0.
func (h *heart) roundTrip() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rtt
}
