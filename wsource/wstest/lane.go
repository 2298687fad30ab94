package wstest

import (
	"bytes"
	"math"
	"time"
)

// never is the offset at which a fault that is not set would strike.
const never = math.MaxInt64

// segment is the largest piece that a throttled lane sends at once. It is the
// payload of a TCP segment on Ethernet.
const segment = 1460

// lane is one direction of a link: a bounded buffer at whose entrance the
// network's faults strike. The link's mutex guards all of it.
//
// What passes through a lane is numbered as TCP numbers it: each byte, then the
// end of the stream, then the word that the sender is gone, which is what makes
// the other end's writes fail. So a stall is one number, beyond which nothing
// passes.
type lane struct {
	buffer   bytes.Buffer // bytes that have entered and are not yet read
	capacity int          // how many of them there may be
	tail     int64        // bytes that have entered since the beginning
	lost     int          // bytes taken from the writer after a cut; they fill the buffer and go nowhere

	end  notice // what the reader gets once it has read everything
	gone notice // how the sender has gone, for the reader's own writes

	delay    time.Duration
	rate     int         // bytes per second, or 0 for no limit
	wireFree time.Time   // when a throttled lane has sent what it took so far
	latest   time.Time   // when the latest thing that entered arrives; nothing overtakes it
	flights  []flight    // what has entered and not arrived, in order
	stallAt  int64       // number of the first thing that does not pass, or never
	cutAt    int64       // offset at which the connection breaks, or never
	cutBy    error       // what the ends get then: io.EOF or ECONNRESET
	flips    []corrupted // bytes to corrupt as they enter
}

// notice is an end of something, known to the reader of the lane from an instant
// on. Its error is nil as long as there is no end.
type notice struct {
	err error
	at  time.Time
}

// flight is a piece in transit: the bytes from start on arrive at an instant.
type flight struct {
	start int64
	at    time.Time
}

// corrupted is a byte that the network changes.
type corrupted struct {
	offset int64
	mask   byte
}

// accept takes as much of p as there is room for and returns how many bytes that
// is. It stops at the offset at which the lane is to be cut.
func (l *lane) accept(p []byte, now time.Time) int {
	n := min(len(p), max(0, l.capacity-l.buffer.Len()-l.lost))
	if l.end.err != nil {
		l.lost += n
		return n
	}
	n = int(min(int64(n), l.cutAt-l.tail))
	if l.rate > 0 {
		n = min(n, segment)
	}
	if n == 0 {
		return 0
	}
	start, at := l.tail, l.arrival(n, now)
	if at.After(now) {
		l.flights = append(l.flights, flight{start, at})
	}
	l.buffer.Write(p[:n])
	l.tail += int64(n)
	entered := l.buffer.Bytes()[l.buffer.Len()-n:]
	for _, flip := range l.flips {
		if start <= flip.offset && flip.offset < l.tail {
			entered[flip.offset-start] ^= flip.mask
		}
	}
	return n
}

// arrival returns when n bytes that enter now, or an end, for which n is 0, reach
// the other side.
func (l *lane) arrival(n int, now time.Time) time.Time {
	at := now
	if l.rate > 0 {
		if l.wireFree.After(at) {
			at = l.wireFree
		}
		at = at.Add(time.Duration(n) * time.Second / time.Duration(l.rate))
		l.wireFree = at
	}
	at = at.Add(l.delay)
	if l.latest.After(at) {
		at = l.latest
	}
	l.latest = at
	return at
}

// read moves what has arrived into p and returns how many bytes that is.
func (l *lane) read(p []byte, now time.Time) int {
	for len(l.flights) > 0 && !l.flights[0].at.After(now) {
		l.flights = l.flights[1:]
	}
	limit := l.passed()
	if len(l.flights) > 0 {
		limit = min(limit, l.flights[0].start)
	}
	head := l.tail - int64(l.buffer.Len())
	n := int(max(0, min(int64(len(p)), limit-head)))
	// A bytes.Buffer reports only that it is empty, and n is never more than it holds.
	_, _ = l.buffer.Read(p[:n])
	return n
}

// passed returns how many bytes have entered and are not held by a stall.
func (l *lane) passed() int64 {
	return min(l.tail, l.stallAt)
}

// close ends the stream behind what has entered: its reader gets err.
func (l *lane) close(err error, now time.Time) {
	if l.end.err == nil {
		l.end = notice{err, l.arrival(0, now)}
	}
}

// leave ends the stream as close does, and lets the reader know that nobody reads
// its own writes any more.
func (l *lane) leave(err error, now time.Time) {
	l.close(err, now)
	if l.gone.err == nil {
		l.gone = notice{err, l.arrival(0, now)}
	}
}

// ended returns the error at the end of the stream if that has arrived. The caller has
// found nothing to read, and nothing that entered before the end arrives after it.
func (l *lane) ended(now time.Time) error {
	if l.tail >= l.stallAt || l.end.at.After(now) {
		return nil
	}
	return l.end.err
}

// peerGone returns how the other end has gone, io.EOF or ECONNRESET, once the word of
// it has arrived.
func (l *lane) peerGone(now time.Time) error {
	if l.tail+1 >= l.stallAt || l.gone.at.After(now) {
		return nil
	}
	return l.gone.err
}

// release gives up the memory of a lane that nobody reads any more.
func (l *lane) release() {
	l.buffer, l.flights = bytes.Buffer{}, nil
}

// nextRead returns the next instant at which there may be something new to read,
// or the zero time if no such instant is set.
func (l *lane) nextRead() time.Time {
	if len(l.flights) > 0 {
		return l.flights[0].at
	}
	return l.end.at
}

// stall holds what enters after the next n things that pass.
func (l *lane) stall(n int) {
	next := l.tail
	if l.end.err != nil {
		next++
	}
	if l.gone.err != nil {
		next++
	}
	l.stallAt = offset(min(next, l.stallAt), n)
}

// offset returns base + n without passing never.
func offset(base int64, n int) int64 {
	return base + min(int64(n), never-base)
}
