// Package delivery keeps a conversation going over one connection after the other: it dials,
// reconnects, lets what is sent wait while there is no connection, knows what the peer has
// confirmed, and tells what became of everything else. It is a wsource.Subject without its
// types.
//
// An [Engine] has one [Generation] of subscribers at a time, that has one [Connection] at a
// time, which is a transport.Conn with the state that belongs to it. A [Message] is on its
// way in the Engine: in the backlog, at a connection, or unacknowledged. A [Registration] is
// a message that each connection gets first. All of them are guarded by the Engine's mutex,
// which is never held while code of the user's runs.
package delivery
