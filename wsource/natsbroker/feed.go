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

// feed follows a stream: it hears of each message as the server republishes it, finds by the
// sequences what it has not heard, and fetches that.
type feed struct {
	link   *link
	stream string
	filter string // all subjects of the stream
	live   string // all subjects under which its messages are republished
	owner  follower

	steps observable.Subject[step] // what happens, one after the other
	work  observable.Subscription
	sub   *nats.Subscription

	behind atomic.Bool // it may lack something, and is to look

	// What follows belongs to the step in progress.
	loaded  bool
	created time.Time // the stream
	applied uint64    // the sequence up to which it has everything
	lastAt  time.Time // when the message of that sequence was stored

	mu      sync.Mutex
	seen    uint64 // applied, for those who wait
	waiting map[chan struct{}]uint64
}

// step is something that happens in a feed.
type step struct {
	message *nats.Msg
	run     func()
}

// follower is what a feed tells of its stream, in steps.
type follower interface {
	// ensure makes the stream if there is none.
	ensure(ctx context.Context) (*jetstream.StreamInfo, error)
	// from returns the sequence from which a sync is to fetch. fresh says that the stream is
	// another one than before.
	from(info *jetstream.StreamInfo, fresh bool, applied uint64) uint64
	// synced gives what a sync has fetched, up to the last sequence of the stream.
	synced(info *jetstream.StreamInfo, fresh bool, messages []stored)
	// take gives the next message of the stream.
	take(m stored)
	// aside gives a message that is not of the stream.
	aside(m *nats.Msg)
}

// open begins to follow.
func (f *feed) open(ctx context.Context) error {
	f.waiting = make(map[chan struct{}]uint64)
	f.work = f.steps.Subscribe(context.Background(), observable.ObserverFuncs[step]{OnNext: f.handle})
	err := f.link.do(ctx, func(ctx context.Context) (err error) {
		if f.sub == nil {
			if f.sub, err = f.link.conn.Subscribe(f.live, func(m *nats.Msg) { f.steps.Next(step{message: m}) }); err != nil {
				return err
			}
		}
		return f.link.conn.FlushWithContext(ctx)
	})
	if err == nil {
		done := make(chan struct{})
		f.steps.Next(step{run: func() {
			defer close(done)
			err = f.sync(ctx)
		}})
		<-done
	}
	if err != nil {
		f.close()
	}
	return err
}

// close ends the following. A step that is in progress may still go on.
func (f *feed) close() {
	if f.sub != nil {
		_ = f.sub.Unsubscribe() // or else it is over with the connection
	}
	f.work.Unsubscribe()
}

// resync looks for what the feed lacks. It returns when that is done, or queued.
func (f *feed) resync() {
	f.steps.Next(step{run: func() {
		if f.behind.Load() {
			_ = f.sync(context.Background()) // or else it stays behind
		}
	}})
}

func (f *feed) handle(s step) {
	if s.run != nil {
		s.run()
		return
	}
	m, ok := storedOf(s.message)
	switch {
	case !f.loaded:
	case !ok:
		f.owner.aside(s.message)
	case m.sequence == f.applied+1:
		f.owner.take(m)
		f.advance(m.sequence, m.at)
	case m.sequence > f.applied:
		f.behind.Store(true)
		_ = f.sync(context.Background()) // or else it stays behind
	case m.at.After(f.lastAt): // its sequence is old, and so it is of another stream
		f.behind.Store(true)
	}
}

// sync fetches what the feed lacks, in as many steps as it takes: as long as something comes, it goes on. If it
// fails, the feed is behind.
func (f *feed) sync(ctx context.Context) error {
	var p progress
	for done := false; !done; {
		err := f.link.do(ctx, func(context.Context) (err error) { // each request has its own time
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

// progress is what a sync has done.
type progress struct {
	info     *jetstream.StreamInfo // up to whose last sequence it goes; nil if the stream is to be looked at
	created  time.Time
	fresh    bool
	from     uint64
	next     uint64 // what is fetched next
	messages []stored
}

// syncSome fetches some messages, and takes all when there are no more, which it reports.
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
	f.owner.synced(p.info, p.fresh, p.messages)
	f.loaded, f.created = true, p.info.Created
	f.advance(p.info.State.LastSeq, p.info.State.LastTime)
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
	// A replica that answers may be behind the leader, which has the last word.
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

// look looks at the stream, of which what was fetched before stays.
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
	p.info, p.fresh = info, fresh
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

// await waits until the feed has everything up to a sequence, and reports whether it has,
// before the time is over or ctx ends.
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
