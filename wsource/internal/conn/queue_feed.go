package conn

import (
	"slices"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// A goroutine that holds a mutex may feed a queue: see [transport.Feeder].

// feed is the Feed of [transport.Feeder].
func (q *queue) feed(out outgoing, room transport.Room, writes bool) transport.Fed {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil || q.sealed || room == transport.RoomRefuse && q.full(len(out.data)) {
		return transport.FedRefused
	}
	q.count++
	q.bytes += len(out.data)
	if writes && len(out.data) <= inlineBytes && q.takeTurn(out) {
		return transport.FedToFlush
	}
	q.enqueue(out)
	return transport.FedQueued
}

// fed returns how many messages of an item wait for a writer.
func (q *queue) fed(item *transport.Item) (messages int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.queue == nil {
		return 0
	}
	for i := range q.queue.list {
		if q.queue.list[i].item == item {
			messages++
		}
	}
	return messages
}

// takeBack is the TakeBack of [transport.Feeder].
func (q *queue) takeBack(item *transport.Item, behind int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.queue == nil {
		return false
	}
	for i := range slices.Backward(q.queue.list) {
		if q.queue.list[i].item != item {
			continue
		}
		if behind == 0 {
			q.takeOut(i)
			return true
		}
		behind--
	}
	return false
}
