// Package wstest is a network in memory for testing programs that speak WebSocket, or
// anything else over a [net.Conn], against the faults of a real network.
//
// A [Network] listens and dials by name. Real clients and servers run over it: an
// http.Server serves its listener, and a WebSocket dialler gets the Transport of
// [Network.HTTPClient]. A [Link] connects the two ends of a connection. A test sets a
// [Fault] on it: after so many bytes in one [Direction] the connection is cut, reset or
// stalled, bytes are delayed, throttled or corrupted, a dial is refused. [Network.OnDial]
// sets the fault on a future connection, [Link.Inject] on an open one.
//
//	network := new(wstest.Network)
//	network.OnDial(1, wstest.Cut(wstest.ToServer, 17)) // the first connection breaks early,
//	network.OnDial(2, wstest.Refuse())                 // the second is not made,
//	network.OnDial(3)                                  // and the third is clean.
//
// The network counts: [Network.Dials] returns the number of dialled connections,
// [Link.Passed] the number of bytes in each direction, and [Network.Links] the
// connections that are still open, so that a test can end by asserting that there are
// none.
//
// # Virtual time
//
// The package works inside a testing/synctest bubble. All its waits are durable ones, so
// an hour of heartbeats takes no wall time, and a delay of 50 ms is exactly that. Make
// the network, its listeners and its connections inside the bubble in which they are
// used. The package starts no goroutine that waits, and a connection on which nothing
// waits holds no timer.
//
// Time in a bubble stops when the test function returns. A test that delays, throttles or
// stalls a connection therefore ends by letting the time pass, or by [Link.Resume].
// Otherwise the far side never hears of the end.
//
// # How it differs from TCP
//
// A program cannot tell a [Conn] from a TCP connection, except that things which TCP
// leaves to chance are certain here:
//
//   - All bytes written before an end arrive before it, even before a reset, and even if
//     the side that closed had not read its own incoming bytes.
//   - The news of an end travels with the direction's delay, and a stall holds it back.
//     Of the writes after the peer's close exactly one succeeds and is lost; on TCP it
//     may be none or several.
//   - A peer that stops without closing is never noticed: there are no keep-alives and
//     no time limit on unacknowledged data.
package wstest
