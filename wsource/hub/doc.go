// Package hub has rooms in which many sockets hear the same: a chat, a document, a price.
//
// A [Room] is an observer of what is said in it and an observable of that, in one order for
// all who are there. A member of a room is one user, with any number of sockets. A
// [Membership] is a subscription that ends with its socket, so nothing is sent to one that is
// over. What is said is encoded once, and compressed at most once, whatever the number of
// sockets (see [wsource.Prepared]).
//
//	rooms := hub.New(hub.Config[string, string, string]{})
//	member, err := rooms.Room("lobby").Join(ctx, socket, "ann", hub.JoinOptions{})
//	...
//	operators.Map(socket, wsource.Message.String).Subscribe(ctx, member)
//
// # Slow sockets
//
// A hub never waits for a socket. What a socket has not taken yet is bounded in count and
// bytes, for all its rooms together. What happens at the bound is the [Slow] policy of the
// hub: by default the socket is closed with 1013. What is lost is counted, and told by
// [Hub.Losses].
//
// # Coming and going
//
// Who joins is first told by a [Welcome] where it is in what was said, who is there, and what
// has become of the time since its last [Position]. Then comes what it missed, as far as it
// is kept, and then everything that is said from that moment on: without a gap, and nothing
// twice. The others hear it [Entered] when the first socket of a member comes, and [Left] when
// the last one has been gone for the linger.
//
// # Several nodes
//
// A [Broker] orders what is said, and keeps it. The default one is in memory, for one
// process; package natsbroker, a module of its own, has one for several nodes.
package hub
