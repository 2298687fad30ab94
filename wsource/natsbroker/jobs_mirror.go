package natsbroker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// jobLine is the jobs in the order in which they were added.
type jobLine []*jobEntry

// find returns the place where the job is, or belongs.
func (l *jobLine) find(first uint64) (int, bool) {
	return slices.BinarySearchFunc(*l, first, func(e *jobEntry, first uint64) int { return cmp.Compare(e.First, first) })
}

// put puts a job at its place.
func (l *jobLine) put(e *jobEntry) {
	if i, found := l.find(e.First); !found {
		*l = slices.Insert(*l, i, e)
	}
}

// drop takes a job out.
func (l *jobLine) drop(e *jobEntry) {
	if i, found := l.find(e.First); found {
		*l = slices.Delete(*l, i, i+1)
	}
}

// first returns the first job that may be taken, or nil. Of the jobs with one key, only
// the first may be.
func (l *jobLine) first(takeable func(*jobEntry) bool) *jobEntry {
	var keys map[string]bool
	for _, e := range *l {
		if keys[e.Key] {
			continue
		}
		if takeable(e) && e.refused != e.sequence {
			return e
		}
		if e.Key != "" {
			if keys == nil {
				keys = make(map[string]bool)
			}
			keys[e.Key] = true
		}
	}
	return nil
}

// waiting returns how many jobs no node has.
func (l *jobLine) waiting(takeable func(*jobEntry) bool) (n int) {
	for _, e := range *l {
		if takeable(e) {
			n++
		}
	}
	return n
}

// takeable reports whether no node works on a job; mu is held. A node that is taken for
// dead does not count.
func (q *Jobs) takeable(e *jobEntry) bool {
	switch e.Node {
	case "":
		return !q.held[e.id]
	case q.node:
		return !q.held[e.id] // the job could not be returned
	}
	last, known := q.heard[e.Node]
	if !known {
		q.heard[e.Node] = time.Now()
		return false
	}
	return time.Since(last) >= deadAfter
}

// ensure makes the stream if there is none.
func (q *Jobs) ensure(ctx context.Context) (*jetstream.StreamInfo, error) {
	stream, err := q.link.js.Stream(ctx, q.feed.stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = q.link.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: q.feed.stream, Subjects: []string{q.feed.filter}, Replicas: q.config.Replicas, Storage: jetstream.FileStorage,
			RePublish:   &jetstream.RePublish{Source: q.feed.filter, Destination: q.feed.live},
			AllowDirect: true, AllowMsgTTL: true, MaxMsgsPerSubject: 1, MaxMsgs: -1, MaxBytes: -1,
		})
	}
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil
}

// from returns the sequence where a sync begins. A sync after a long time fetches all, as
// deletions are not kept for ever.
func (q *Jobs) from(_ *jetstream.StreamInfo, fresh bool, applied uint64) uint64 {
	q.whole = fresh || time.Since(q.lately) > markerAge/2
	if q.whole {
		return 1
	}
	return applied + 1
}

// synced takes the messages that a sync has fetched. If the servers have come back with
// nothing, it tells of the jobs that they have lost.
func (q *Jobs) synced(_ *jetstream.StreamInfo, fresh bool, messages []stored) {
	q.lately = time.Now()
	has := make(map[string]bool)
	for _, m := range messages {
		has[q.idOf(m)] = true
	}
	q.mu.Lock()
	gone := 0
	for id, e := range q.entries {
		if q.whole && !has[id] {
			gone++
			q.drop(e)
		}
	}
	q.mu.Unlock()
	if fresh && gone > 0 {
		unheard(fmt.Errorf("natsbroker: the servers have lost jobs of the queue %s: %d", q.config.Queue, gone))
	}
	for _, m := range messages {
		q.take(m)
	}
	q.notify()
}

// idOf returns the ID of the job that a message is about.
func (q *Jobs) idOf(m stored) string {
	return strings.TrimPrefix(m.Header.Get("Nats-Subject"), q.subject("s", ""))
}

// take takes the next message of the stream.
func (q *Jobs) take(m stored) {
	id := q.idOf(m)
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.change()
	e := q.entries[id]
	if len(m.Data) == 0 {
		if e != nil {
			q.drop(e)
		}
		return
	}
	var state jobState
	if err := json.Unmarshal(m.Data, &state); err != nil {
		unheard(fmt.Errorf("natsbroker: job %s of the queue %s: %w", id, q.config.Queue, err))
		return
	}
	if state.First == 0 {
		state.First = m.sequence
	}
	if e == nil {
		e = &jobEntry{id: id}
		q.entries[id] = e
	}
	if m.sequence < e.sequence {
		return // this node has written a newer state since
	}
	e.jobState, e.sequence = state, m.sequence
	q.line.put(e)
}

// drop forgets a job; mu is held.
func (q *Jobs) drop(e *jobEntry) {
	delete(q.entries, e.id)
	q.line.drop(e)
}

// aside has nothing to do: all messages are of the stream.
func (q *Jobs) aside(*nats.Msg) {}
