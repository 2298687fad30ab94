package conn

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Heartbeat says how a connection watches its peer.
type Heartbeat struct {
	Off      bool          // no pings are sent and the peer is not judged
	Interval time.Duration // the silence before a ping
	Timeout  time.Duration // the silence after the ping
}

// heart is the heartbeat of one connection, and watches over its writes. It is a timer,
// and no goroutine.
type heart struct {
	conn         *Conn
	interval     time.Duration
	timeout      time.Duration
	writeTimeout time.Duration

	mu      sync.Mutex
	off     bool // not guarded
	stopped bool
	waiting bool    // a sign of life is due after a ping
	clean   bool    // the latest ping's pong tells the round-trip time
	perByte float32 // the nanoseconds that the last writes took for each byte
	timer   *time.Timer
	// The bytes that the peer had taken when progress was last seen, as far as the system
	// tells.
	taken int64
	// The time of that progress, or 0 if nothing waited for the peer; like all times
	// here, in nanoseconds.
	moved int64
	// The bytes written when the latest ping was sent, modulo 2^32 to keep a socket
	// small.
	pinged uint32
	// The bytes that the peer has certainly read, likewise: pinged, when that ping was
	// answered.
	read  uint32
	asked int64 // the time of the ping whose answer is waited for
	// The time of the last arrival before it, by frame.Reader.LastRead.
	seen  time.Duration
	count uint64 // the number of pings; the latest one carries it
	sent  int64  // the time of the latest ping, if there is one
	rtt   time.Duration
	told  func(number uint64, rtt time.Duration)
	last  func(number uint64)
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

// look returns the reason to take the peer for dead, or nil, and sets the timer.
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

// lookAtWrites returns for how long the current write has made no progress, whether the
// peer has taken some of the data that waited for it since the last look, and whether the
// peer's system is known to have all; mu is held.
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
		if waits { // otherwise most of the time may have been nobody's
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

// onTheWay is how many bytes the operating systems of both ends may keep, by default, of
// the data that was written and the peer has not read. A ping comes behind them.
const onTheWay = 4 << 20

// slowest is how many nanoseconds a byte takes the slowest peer that is borne: one that
// reads 1 KiB a second.
const slowest = float32(time.Second) / (1 << 10)

// drain returns how long the peer needs for the data on its way, by the rate of the last
// writes; mu is held. If the peer's system has all of it, the peer may be slower and
// still be there: nothing shows any more how fast it reads.
func (h *heart) drain(all bool) time.Duration {
	perByte := h.perByte
	if all {
		perByte = max(perByte, slowest)
	}
	_, written := h.conn.writer.Progress()
	left := min(uint32(written)-h.read, onTheWay) //nolint:gosec // modulo 2^32 is meant
	return min(time.Duration(perByte*float32(left)), h.writeTimeout)
}

// lookAtReads asks for a sign of life if it is time. It returns when to look again, or 0
// if the peer has given none in time; mu is held. A peer that takes the data written to
// it is alive.
func (h *heart) lookAtReads(taking, all bool) (wait time.Duration) {
	paused := delivering(h.conn.epoch.Load())
	last := h.conn.frames.LastRead()
	// An arrival is told by a difference, not by an order: it may have come in the
	// instant of the ping, and the clock may be set back meanwhile. For the same reason
	// the silence may be negative.
	silence := max(0, h.conn.frames.Age()-last)
	switch {
	case paused:
		h.waiting = false
		// A look at writes has come in between.
		if since := nanoseconds() - h.sent; h.count > 0 && since < int64(h.interval) {
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
		// The answer may come meanwhile, and the next ping be due before the time is
		// over.
		return min(left, h.interval)
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

// ask sends a ping and returns its number. The pong says that the peer has read all that
// was sent before.
func (h *heart) ask() (number uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ping(!delivering(h.conn.epoch.Load()))
	return h.count
}

// lastPing returns the payload of a ping that goes out behind all messages, right before
// the close frame. Its pong says that the peer has read them. The payload is nil if
// nobody wants to know.
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

// onAnswer has f told of each pong: the number of the ping, and the round-trip time. That
// is 0 unless the ping is the latest one and this side did not itself delay the pong. It
// has last told of the number of the ping that comes right before the close frame.
func (h *heart) onAnswer(f func(number uint64, rtt time.Duration), last func(number uint64)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told, h.last = f, last
}

// pongReceived takes the peer's pongs.
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
