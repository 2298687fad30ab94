// Package delivery keeps a conversation going over one connection after the other. It
// dials, reconnects, lets messages wait while there is no connection, knows the messages
// that the peer has confirmed, and tells the outcome of all others. It is a
// wsource.Subject without its types.
//
// An [Engine] has one [Generation] of subscribers at a time. A Generation has one
// [Connection] at a time, which is a transport.Conn with the state that belongs to it. A
// [Message] on its way is in the backlog, at a connection, or unacknowledged. A
// [Registration] is a message that each connection gets first. All of them are guarded by
// the Engine's mutex, which is never held while user code runs.
package delivery
