package natsbroker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/observable"
)

// feed follows a stream. It hears of each message as the server republishes it, finds by
// the sequences which messages it has not heard, and fetches those.
type feed struct {
	link   *link
	stream string
	filter string // matches all subjects of the stream
	live   string // matches all subjects under which its messages are republished
	owner  follower

	steps  steps // the events of the feed, one after the other
	sub    *nats.Subscription
	worker worker // takes the messages of sub to the steps

	behind atomic.Bool // it may lack a message, and is to look

	// The following fields belong to the step in progress.
	loaded  bool
	created time.Time // the time when the stream was made
	applied uint64    // the sequence up to which it has everything
	lastAt  time.Time // the time when the message of that sequence was stored
	late    time.Time // messages stored before this time have waited for a sync

	mu      sync.Mutex
	seen    uint64 // applied, for goroutines that wait
	waiting map[chan struct{}]uint64
}

// follower hears from a feed about its stream, in steps. User code in take, synced or
// aside may panic or end the goroutine: the calls that follow there are deferred.
type follower interface {
	// ensure makes the stream if there is none.
	ensure(ctx context.Context) (*jetstream.StreamInfo, error)
	// from returns the sequence from which a sync is to fetch. Fresh says that the stream
	// is another one than before.
	from(info *jetstream.StreamInfo, fresh bool, applied uint64) uint64
	// synced gets the messages that a sync has fetched, up to the last sequence of the
	// stream.
	synced(info *jetstream.StreamInfo, fresh bool, messages []stored)
	// take gets the next message of the stream.
	take(m stored)
	// aside gets a message that is not of the stream.
	aside(m *nats.Msg)
}

// open begins to follow the stream.
func (f *feed) open(ctx context.Context) error {
	f.waiting = make(map[chan struct{}]uint64)
	f.steps.start(f.stream)
	f.worker.start(func(m *nats.Msg) { f.steps.do(func() { f.handle(m) }) })
	err := f.link.do(ctx, func(ctx context.Context) (err error) {
		if f.sub == nil {
			if f.sub, err = f.link.conn.Subscribe(f.live, f.worker.add); err != nil {
				return err
			}
		}
		return f.link.conn.FlushWithContext(ctx)
	})
	if err == nil {
		err = observable.ErrGoexit
		done := make(chan struct{})
		apart(func() {
			f.steps.do(func() {
				defer func() {
					if f.loaded { // also if user code has not returned; that is told
						err = nil
					}
					close(done)
				}()
				err = f.sync(ctx)
			})
		})
		<-done
	}
	if err != nil {
		f.close()
	}
	return err
}

// close ends the following of the stream. A step that is in progress may still go on.
func (f *feed) close() {
	if f.sub != nil {
		_ = f.sub.Unsubscribe() // otherwise it is over with the connection
	}
	f.worker.stop()
	f.steps.end()
}

// resync looks for messages that the feed lacks. It returns when that is done, or queued.
func (f *feed) resync() {
	f.steps.do(func() {
		if f.behind.Load() {
			_ = f.sync(context.Background()) // otherwise it stays behind
		}
	})
}

// handle handles a message that the server has republished.
func (f *feed) handle(message *nats.Msg) {
	m, ok := storedOf(message)
	switch {
	case !f.loaded:
	case !ok:
		f.owner.aside(message)
	case m.sequence == f.applied+1:
		m.late = m.at.Before(f.late)
		defer f.advance(m.sequence, m.at)
		f.owner.take(m)
	case m.sequence > f.applied:
		f.behind.Store(true)
		_ = f.sync(context.Background()) // otherwise it stays behind
	case m.at.After(f.lastAt): // its sequence is old, and so it is of another stream
		f.behind.Store(true)
	}
}

// sync fetches the messages that the feed lacks, in as many steps as it takes: as long as
// messages come, it goes on. If it fails, the feed is behind.
func (f *feed) sync(ctx context.Context) error {
	var p progress
	for done := false; !done; {
		// Each request has its own time.
		err := f.link.do(ctx, func(context.Context) (err error) {
			done, err = f.syncSome(ctx, &p)
			return err
		})
		if err != nil {
			f.behind.Store(true)
			return err
		}
	}
	return nil
}

// progress is the state of a sync.
type progress struct {
	// The stream up to whose last sequence it goes; nil if the stream is to be looked at.
	info     *jetstream.StreamInfo
	looked   time.Time // the time of that look
	created  time.Time
	fresh    bool
	from     uint64
	next     uint64 // the sequence to fetch next
	messages []stored
}

// syncSome fetches some messages. If there are no more, it takes them all, and reports
// true.
func (f *feed) syncSome(ctx context.Context, p *progress) (done bool, err error) {
	if p.info == nil {
		if err := f.look(ctx, p); err != nil {
			return false, err
		}
	}
	before := len(p.messages)
	if err := f.fetchSome(ctx, p); err != nil {
		p.info = nil // it may be another stream by now
		if len(p.messages) > before {
			err = nil
		}
		return false, err
	}
	if p.next <= p.info.State.LastSeq {
		return false, nil
	}
	defer func() {
		f.loaded, f.created = true, p.info.Created
		f.advance(p.info.State.LastSeq, p.info.State.LastTime)
		f.late = p.info.TimeStamp.Add(time.Since(p.looked)) // now, by the server's clock
	}()
	f.owner.synced(p.info, p.fresh, p.messages)
	return true, nil
}

// fetchSome fetches some messages, if there are more.
func (f *feed) fetchSome(ctx context.Context, p *progress) error {
	last := p.info.State.LastSeq
	if p.next > last {
		return nil
	}
	batch, more, err := f.link.fetch(ctx, f.stream, f.filter, p.next)
	for _, m := range batch {
		if p.next = m.sequence + 1; m.sequence <= last {
			p.messages = append(p.messages, m)
		}
	}
	if err != nil || more && len(batch) > 0 || p.next > last {
		return err
	}
	// A replica that answers may be behind the leader. The leader has the last word.
	gone, err := f.link.gone(ctx, f.stream, last)
	switch {
	case err != nil:
		return err
	case !gone:
		return nats.ErrTimeout
	}
	p.next = last + 1
	return nil
}

// look looks at the stream. Messages of it that were fetched before stay.
func (f *feed) look(ctx context.Context, p *progress) error {
	f.behind.Store(false)
	soon, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	info, err := f.owner.ensure(soon)
	if err != nil {
		return err
	}
	fresh := !f.loaded || !info.Created.Equal(f.created) || info.State.LastSeq < f.applied
	from := f.owner.from(info, fresh, f.applied)
	if !info.Created.Equal(p.created) || from != p.from {
		*p = progress{created: info.Created, from: from, next: from}
	}
	p.info, p.looked, p.fresh = info, time.Now(), fresh
	return nil
}

// advance notes that the feed has everything up to a sequence.
func (f *feed) advance(sequence uint64, at time.Time) {
	f.applied, f.lastAt = sequence, at
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = sequence
	for wait, until := range f.waiting {
		if sequence >= until {
			close(wait)
			delete(f.waiting, wait)
		}
	}
}

// await waits until the feed has everything up to a sequence, and reports whether it has.
// It gives up when the time is over or ctx ends.
func (f *feed) await(ctx context.Context, sequence uint64, longest time.Duration) bool {
	f.mu.Lock()
	if f.seen >= sequence {
		f.mu.Unlock()
		return true
	}
	wait := make(chan struct{})
	f.waiting[wait] = sequence
	f.mu.Unlock()
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-wait:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, wait)
	return false
}
