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
// A lane numbers the things that pass through it as TCP does: each byte, then the end of
// the stream, then the news that the sender is gone, which makes the other end's writes
// fail. So a stall is one number, beyond which nothing passes.
type lane struct {
	buffer   bytes.Buffer // bytes that have entered and are not yet read
	capacity int          // the number of bytes that it may hold
	tail     int64        // bytes that have entered since the beginning
	lost     int          // bytes taken after a cut: they fill the buffer and go nowhere

	end  notice // the reader's error once it has read everything
	gone notice // the sender's leaving, for the reader's own writes

	delay    time.Duration
	rate     int         // bytes per second, or 0 for no limit
	wireFree time.Time   // the time at which a throttled lane has sent all of tail
	latest   time.Time   // the last arrival so far; nothing overtakes it
	flights  []flight    // the pieces that have entered and not arrived, in order
	stallAt  int64       // number of the first thing that does not pass, or never
	cutAt    int64       // offset at which the connection breaks, or never
	cutBy    error       // the ends' error then: io.EOF or ECONNRESET
	flips    []corrupted // bytes to corrupt as they enter
}

// notice is an end that the reader of the lane knows of from an instant on. Its error is
// nil as long as there is no end.
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

// accept takes as much of p as there is room for and returns the number of bytes. It
// stops at the offset of a cut.
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

// arrival returns the time at which n bytes that enter now reach the other side; n is 0
// for an end.
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

// read moves the bytes that have arrived into p and returns their number.
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

// passed returns the number of bytes that have entered and that no stall holds.
func (l *lane) passed() int64 {
	return min(l.tail, l.stallAt)
}

// close ends the stream behind the bytes that have entered: its reader gets err.
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

// ended returns the error of the stream's end if the end has arrived. The caller has
// found nothing to read, and no byte that entered before the end arrives after it.
func (l *lane) ended(now time.Time) error {
	if l.tail >= l.stallAt || l.end.at.After(now) {
		return nil
	}
	return l.end.err
}

// peerGone returns io.EOF or ECONNRESET once the news has arrived that the other end has
// gone.
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

// stall lets the next n things pass and holds all later ones.
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
