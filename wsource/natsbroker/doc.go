// Package natsbroker has the rooms of package hub on several nodes, and sessions, queues and topics, by
// way of NATS with JetStream. It is a module of its own, so that only programs that use it depend on NATS:
//
//	go get github.com/rxsocket/rxsocket/wsource/natsbroker
//
// Each node has a [Broker] of the same [Config], and a hub with it:
//
//	conn, err := nats.Connect(url, nats.MaxReconnects(-1))
//	broker, err := natsbroker.New[string, string](ctx, conn, natsbroker.Config[string]{})
//	rooms := hub.New(hub.Config[string, string, string]{Broker: broker})
//
// Rooms, members, values and what members say about themselves travel in JSON, as
// encoding/json has it.
//
// # What is said
//
// Each room has a stream, which orders and keeps what is said to all. A position's offset is
// the sequence in the stream, and its epoch is when the stream was made. The server republishes
// each message that it has stored, so a node needs no consumer: it subscribes, sees by the
// sequences what has not come, and fetches that. What the stream keeps is in the memory of each
// node that follows the room, within the bounds of the History, and answers those who join.
//
// What is private is published once and not stored. It has its place behind what the same
// caller has said before; what others say may come on either side of it on another node.
//
// # Who is there
//
// A key-value bucket has one entry for each room, member and node. Each node mirrors it, and
// concludes from it who comes and goes. That is one order on all nodes, but it is another one
// than that of what is said. A node says every second that it is there. The entries of one that
// has not been heard for four seconds are deleted; if it was only cut off, it puts them back.
//
// # Sessions, jobs, topics
//
// [Sessions] is a session.Store: a client finds its session on each node, and after a node's restart. [Jobs] is an
// event.QueueBroker: the queue of all nodes, which outlives them. [PubSub] is an event.PubSubBroker: what is
// published on one node is heard on all.
//
// # While the servers cannot be reached
//
// [Broker.Status] tells. Rooms that a node follows stay open: sockets join and leave them, get
// what is kept, and private messages reach members on the same node. What is said to all waits
// for up to the Timeout, and fails with [ErrDisconnected]; what was said without an error is
// stored. Back again, a node fetches what it has missed. If the servers do not have that any
// more, or have lost the stream, sockets are told by a Welcome (see hub.Broker).
//
// # Bounds
//
// A room's key and a member's have at most [MaxNameBytes] bytes. A stream keeps what the
// History says, but at least 1,024 messages and 2 MiB, for nodes that come back. The stream of a
// room in which nothing is kept, and that no node follows, is deleted after a while. With
// Compact, a room stays until all of its keys are deleted: a state outlives its members.
package natsbroker
