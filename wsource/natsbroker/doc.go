// Package natsbroker shares the rooms of package hub between several nodes, and sessions,
// queues and topics, by way of NATS with JetStream. It is a module of its own, so that
// only programs that use it depend on NATS:
//
//	go get github.com/rxsocket/rxsocket/wsource/natsbroker
//
// Each node has a [Broker] of the same [Config], and a hub with it:
//
//	conn, err := nats.Connect(url, nats.MaxReconnects(-1))
//	broker, err := natsbroker.New[string, string](ctx, conn, natsbroker.Config[string]{})
//	rooms := hub.New(hub.Config[string, string, string]{Broker: broker})
//
// Rooms, members, values and the members' metadata travel in JSON, as encoding/json has
// it.
//
// # Values
//
// Each room has a stream, which orders and keeps the values said to all. A position's
// offset is the sequence in the stream, and its epoch is the time when the stream was
// made. The server republishes each message that it has stored. So a node needs no
// consumer: it subscribes, sees by the sequences which messages have not come, and
// fetches those. Each node that follows the room has the messages that the stream keeps
// in memory, within the bounds of the History, and answers sockets that join from there.
//
// A private value is published once and not stored. It comes after all earlier values of
// the same caller. On another node, other callers' values may come on either side of it.
//
// # Presence
//
// A key-value bucket has one entry for each room, member and node. Each node mirrors it,
// and concludes from it which members come and go. All nodes see these in one order, but
// not in one order with the values said. A node says every second that it is there. The
// entries of a node that has not been heard for four seconds are deleted; if it was only
// cut off, it puts them back.
//
// # Sessions, jobs, topics
//
// [Sessions] is a session.Store: a client finds its session on each node, and after a
// node's restart. [Jobs] is an event.QueueBroker: the queue of all nodes, which outlives
// them. [PubSub] is an event.PubSubBroker: an event published on one node is heard on
// all.
//
// # While the servers cannot be reached
//
// [Broker.Status] tells. Rooms that a node follows stay open: sockets join and leave
// them, get the kept values, and private messages reach members on the same node. A value
// said to all waits for up to the Timeout, and fails with [ErrDisconnected]; a value said
// without an error is stored. When the servers are back, a node fetches the messages that
// it has missed. These wait at its sockets outside of the bounds of the hub. If the
// servers do not have them any more, or have lost the stream, sockets are told by a
// Welcome (see hub.Broker).
//
// # Bounds
//
// A room's key and a member's have at most [MaxNameBytes] bytes. A stream keeps as much
// as the History says, but at least 1,024 messages and 2 MiB, for nodes that come back.
// The stream of a room in which nothing is kept, and that no node follows, is deleted
// after a while. With Compact, a room stays until all of its keys are deleted: a state
// outlives its members.
package natsbroker
