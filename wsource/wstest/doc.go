// Package wstest is a network in memory for testing programs that speak WebSocket, and
// whatever else runs over a [net.Conn], against the faults of a real one.
//
// A [Network] listens and dials by name. Real clients and servers run over it: an
// http.Server serves its listener, and a WebSocket dialler gets the Transport of [Network.HTTPClient].
// What connects the two ends of a connection is a [Link], on which a test sets a
// [Fault]: after so many bytes in one [Direction] the connection is cut, reset or
// stalled, what passes is delayed, throttled or corrupted, a dial is refused. [Network.OnDial]
// sets it on a connection to come, [Link.Inject] on one that is open.
//
//	network := new(wstest.Network)
//	network.OnDial(1, wstest.Cut(wstest.ToServer, 17)) // the first connection breaks early,
//	network.OnDial(2, wstest.Refuse())                 // the second is not made,
//	network.OnDial(3)                                  // and the third is clean.
//
// What comes to pass is counted: [Network.Dials] says how many connections were
// dialled, [Link.Passed] how many bytes went which way, and [Network.Links] which
// connections are still open, so that a test can end by asserting that there are none.
//
// # Virtual time
//
// The package works inside a testing/synctest bubble. Whatever waits in it waits in a
// way that a bubble knows, so an hour of heartbeats takes no wall time, and a delay of
// 50 ms is exactly that. Make the network, its listeners and its connections inside
// the bubble in which they are used. The package starts no goroutine that waits, and a
// connection on which nothing waits holds no timer.
//
// Time in a bubble stops when the test function returns. A test that delays, throttles
// or stalls a connection therefore ends by letting the time pass, or by [Link.Resume],
// or else the far side never hears that it is over.
//
// # How it differs from TCP
//
// A [Conn] does what a TCP connection does where a program can tell, except that what
// TCP leaves to chance is certain here:
//
//   - Everything that was written before an end arrives before it, even if that end is
//     a reset, and even if the end that was closed had not read what it was sent.
//   - Word of an end travels with the direction's delay, and a stall holds it back.
//     Of the writes that follow the peer's close exactly one succeeds and is lost; on
//     TCP it may be none or several.
//   - A peer that stops without closing is never noticed: there are no keep-alives and
//     no time limit on unacknowledged data.
package wstest
