// Package conn is one live WebSocket connection, from the handshake to its end. A [Conn]
// reads, sends, answers pings, watches the peer and closes; it is the transport.Conn of
// package wsource, whose Socket is its [Owner].
//
// # Receiving
//
// One goroutine reads (read.go). It waits in frame.Reader.Await, takes the next message
// (received.go), and hands it to the Owner or to the function given to Receive, without a
// queue or a lock in between. A message that a subscriber reads while it arrives is lent
// as an [Incoming] (incoming.go). While a message is delivered nothing is read, so that a
// slow subscriber slows the peer.
//
// # Sending
//
// A lone message is written by its sender: queue.submit, Writer.Message, one write of the
// [Stream]. In a burst messages wait in the queue (queue.go), and a goroutine of the
// [Pool] writes them all with one write (queue_write.go, pool.go). A message from a
// reader has its place in the queue, and is written in fragments by its sender
// (queue_fragmented.go, fragments.go). Control frames go between frames, ahead of the
// queued messages.
//
// # The end
//
// Close begins the close handshake, answerClose answers the peer's, abort ends the
// connection because of the peer's data, and Break ends it at once (close.go). Each comes
// to Break in the end, and only the first Break counts. The heartbeat (heartbeat.go) is a
// timer that sends pings and breaks the connection of a peer that is gone or takes
// nothing.
//
// # Locks
//
// Conn.mu guards the state, queue.mu the messages that wait, heart.mu the heartbeat,
// Pool.mu the assignment of goroutines to queues. No goroutine holds one of them while it
// writes, or while it calls the Owner, save for its Failure. Several are taken in the
// order heart.mu, queue.mu, Pool.mu. The permit of the Writer is no mutex: its holder may
// be blocked in a write.
package conn
