// Package hub has rooms in which many sockets hear the same values: a chat, a document, a
// price.
//
// A [Room] is an observer of the values said in it, and an observable of them, in one
// order for all members. A member of a room is one user, with any number of sockets. A
// [Membership] is a subscription that ends with its socket, so nothing is sent to a
// socket that is over. A value is encoded once, and compressed at most once, for any
// number of sockets (see [wsource.Prepared]).
//
//	rooms := hub.New(hub.Config[string, string, string]{})
//	member, err := rooms.Room("lobby").Join(ctx, socket, "ann", hub.JoinOptions{})
//	...
//	operators.Map(socket, wsource.Message.String).Subscribe(ctx, member)
//
// # Slow sockets
//
// A hub never waits for a socket. The messages that a socket has not taken yet are
// bounded in count and bytes, for all its rooms together. The [Slow] policy of the hub
// decides what happens at the bound: by default the socket is closed with 1013.
// The hub counts the messages that are lost, and [Hub.Losses] emits them.
//
// # Coming and going
//
// A socket that joins first gets a [Welcome]: its place in the order, the members that
// are present, and what has become of the time since its last [Position]. Then come the
// values that it missed, as far as they are kept, and then every value said from that
// moment on: without a gap, and none twice. The others get [Entered] when the first
// socket of a member comes, and [Left] when the last one has been gone for the linger.
//
// # Several nodes
//
// A [Broker] orders the values said, and keeps them. The default one is in memory, for
// one process; package natsbroker, a module of its own, has one for several nodes.
package hub
