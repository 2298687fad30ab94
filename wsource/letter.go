package wsource

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Delivery says how a message is to be sent. The zero value is reliable: the message waits, in
// its order, until there is a connection.
type Delivery struct {
	// Volatile drops the message if it cannot go now, because there is no open connection or its queue is
	// full: for positions of a mouse pointer. It never blocks its sender.
	Volatile bool
	// Key, if it is not empty, lets the message take the place of one with the same key that has not been
	// written yet, at the end of the queue: for a state of which only the latest counts.
	Key string
	// TTL, if it is not 0, drops the message when it has not been written after that time.
	TTL time.Duration
}

// letter is a message on its way. Its fields below are guarded by the line's mu.
type letter struct {
	number   uint64 // in the order of sending
	message  Message
	delivery Delivery
	expires  time.Time        // zero: never
	done     func(*SendError) // of Send; nil when Next sent it

	place      place
	link       *link    // that it waits for or was sent on
	session    *session // that has it
	prev, next *letter  // in the mailbox
	due        int      // its place among the deadlines
	deserted   bool     // its Send has returned
	mark       byte     // its address identifies the message to the connection
}

// place is where a letter is.
type place uint8

const (
	atSender  place = iota // there is no room for it yet
	inMailbox              // it waits for a connection
	atSocket               // a connection has it
	settled                // it was sent or dropped, and done is or will be told
)

// post sends a letter, or lets it wait for a connection. It blocks while there is no room and the
// policy is to.
func (ln *line) post(ctx context.Context, mail *letter) {
	ln.mu.Lock()
	ln.number++
	mail.number = ln.number
	if ttl := mail.delivery.TTL; ttl > 0 {
		mail.expires = time.Now().Add(ttl)
		ln.schedule(mail)
	}
	var stop func() bool
	for {
		notices, posted := ln.place(ctx, mail)
		if posted {
			ss := mail.session
			ln.mu.Unlock()
			if stop != nil {
				stop()
			}
			if ss != nil {
				defer ss.submit(ctx, mail)
			}
			ln.deliver(notices)
			return
		}
		if stop == nil && ctx.Done() != nil {
			stop = context.AfterFunc(ctx, ln.wake)
		}
		ln.aboutToWait()
		ln.changed.Wait()
	}
}

// wake lets senders that wait for room look at their context.
func (ln *line) wake() {
	ln.mu.Lock()
	ln.changed.Broadcast()
	ln.mu.Unlock()
}

// place gives a letter to the connection or the mailbox, or drops it or others as its delivery and the policy
// say. It reports false if the letter has to wait for room. mu is held.
func (ln *line) place(ctx context.Context, mail *letter) (notices []notice, posted bool) {
	refuse := func(cause error) ([]notice, bool) {
		ln.settle(mail)
		return append(notices, mail.notice(cause)), true
	}
	l := ln.linkNow()
	ss := l.session
	open := ss != nil && ss.ready
	ready := open && !ss.flight.full() && l.mailbox.count == 0
	switch {
	case ctx.Err() != nil:
		return refuse(context.Cause(ctx))
	case ln.invalid != nil:
		return refuse(ln.invalid)
	case ln.gone, l.finishing != nil: // the latter before anybody has subscribed
		return refuse(ErrClosed)
	case mail.place == settled: // while it waited for room
		return append(notices, mail.notice(ErrExpired)), true
	case mail.delivery.Volatile && open && !ready:
		return refuse(ErrOutboxFull)
	case mail.delivery.Volatile && !ready:
		return refuse(ErrNotOpen)
	}
	if old := l.replaced(mail); old != nil {
		notices = append(notices, old.notice(ErrReplaced))
	}
	if ready {
		ss.take(mail)
		return notices, true
	}
	for !l.mailbox.fits(mail.message) {
		switch l.mailbox.limit.Overflow {
		case observable.OverflowBlock:
			return notices, false // nothing was dropped: a letter that is replaced leaves room
		case observable.OverflowDropOldest:
			oldest := l.mailbox.first
			ln.settle(oldest)
			notices = append(notices, oldest.notice(ErrOutboxFull))
		default:
			return refuse(ErrOutboxFull)
		}
	}
	l.put(mail)
	return notices, true
}

// put lets a letter wait; mu is held.
func (l *link) put(mail *letter) {
	mail.place, mail.link = inMailbox, l
	l.mailbox.put(mail)
	if key := mail.delivery.Key; key != "" {
		l.latest[key] = mail
	}
}

// replaced takes back the letter in whose place mail is put, if there is one; mu is held.
func (l *link) replaced(mail *letter) *letter {
	if mail.delivery.Key == "" {
		return nil
	}
	old := l.latest[mail.delivery.Key]
	if old == nil || !l.line.withdraw(old) {
		return nil
	}
	return old
}

// withdraw takes a letter back from where it waits, and reports false if it is being written, or was;
// mu is held.
func (ln *line) withdraw(mail *letter) bool {
	if mail.place == atSocket {
		if !mail.session.socket.out.withdraw(&mail.mark) {
			return false
		}
		mail.session.release()
	}
	waited := mail.place != settled
	ln.settle(mail)
	return waited
}

// settle ends the letter's way; mu is held.
func (ln *line) settle(mail *letter) {
	if mail.place == inMailbox {
		mail.link.mailbox.remove(mail)
		ln.changed.Broadcast()
	}
	if l := mail.link; l != nil && mail.delivery.Key != "" && l.latest[mail.delivery.Key] == mail {
		delete(l.latest, mail.delivery.Key)
	}
	if mail.due > 0 {
		heap.Remove(&ln.due, mail.due-1)
	}
	mail.place = settled
}

// takeAll empties the mailbox; mu is held.
func (l *link) takeAll() []*letter {
	var all []*letter
	for l.mailbox.first != nil {
		all = append(all, l.mailbox.first)
		l.line.settle(l.mailbox.first)
	}
	return all
}

// takeBack takes the message of a Send whose context has ended back from where it waits.
func (ln *line) takeBack(ctx context.Context, mail *letter, result <-chan error) error {
	ln.mu.Lock()
	switch {
	case mail.place == settled:
		ln.mu.Unlock()
		return <-result
	case ln.withdraw(mail):
		cause := context.Cause(ctx)
		if mail.link != nil && !mail.link.started {
			cause = fmt.Errorf("%w: %w", ErrNotSubscribed, cause)
		}
		ln.mu.Unlock()
		return &SendError{mail.message, Unsent, cause}
	}
	mail.deserted = true
	ln.mu.Unlock()
	return &SendError{mail.message, Unknown, context.Cause(ctx)}
}

// schedule arranges for the end of a letter's time to live; mu is held.
func (ln *line) schedule(mail *letter) {
	heap.Push(&ln.due, mail)
	if ln.due[0] == mail {
		ln.setClock()
	}
}

// setClock lets the clock ring when the next letter's time is over; mu is held.
func (ln *line) setClock() {
	switch {
	case len(ln.due) == 0:
	case ln.clock == nil:
		ln.clock = time.AfterFunc(time.Until(ln.due[0].expires), ln.expire)
	default:
		ln.clock.Reset(time.Until(ln.due[0].expires))
	}
}

// expire drops the letters whose time is over, except those that are being written.
func (ln *line) expire() {
	var expired []*letter
	ln.mu.Lock()
	for now := time.Now(); len(ln.due) > 0 && !now.Before(ln.due[0].expires); {
		mail := ln.due[0]
		heap.Pop(&ln.due)
		switch mail.place {
		case atSender:
			mail.place = settled // its sender finds out
			ln.changed.Broadcast()
		default:
			if ln.withdraw(mail) {
				expired = append(expired, mail)
			}
		}
	}
	ln.setClock()
	ln.mu.Unlock()
	ln.deliver(unsent(expired, ErrExpired))
}

// deadlines are the letters whose time to live runs, as a heap whose first is the next.
type deadlines []*letter

func (d *deadlines) Len() int           { return len(*d) }
func (d *deadlines) Less(i, j int) bool { return (*d)[i].expires.Before((*d)[j].expires) }

func (d *deadlines) Swap(i, j int) {
	all := *d
	all[i], all[j] = all[j], all[i]
	all[i].due, all[j].due = i+1, j+1
}

// Push implements heap.Interface.
func (d *deadlines) Push(v any) {
	*d = append(*d, v.(*letter)) //nolint:forcetypeassert // only place pushes
	(*d)[len(*d)-1].due = len(*d)
}

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	mail := (*d)[last]
	mail.due = 0
	*d = slices.Delete(*d, last, last+1)
	return mail
}

// notice tells one who has sent a message what became of it.
type notice struct {
	done func(*SendError) // of a Send; nil for Undelivered
	err  *SendError
}

// unsent returns the notices that letters were not sent.
func unsent(letters []*letter, cause error) []notice {
	notices := make([]notice, 0, len(letters))
	for _, mail := range letters {
		notices = append(notices, mail.notice(cause))
	}
	return notices
}

func (mail *letter) notice(cause error) notice {
	return notice{mail.done, &SendError{mail.message, Unsent, cause}}
}

// deliver delivers notices. Those for Undelivered are told on another goroutine: see line.run.
func (ln *line) deliver(notices []notice) {
	if len(notices) == 0 {
		return
	}
	if !slices.ContainsFunc(notices, func(n notice) bool { return n.done == nil }) {
		ln.deliverAll(notices)
		return
	}
	ln.run(func() { ln.deliverAll(notices) })
}

// deliverAll delivers notices, all of them even if one who is told ends the goroutine.
func (ln *line) deliverAll(notices []notice) {
	told := 0
	defer func() {
		if told < len(notices) {
			ln.deliverAll(notices[told:])
		}
	}()
	for told < len(notices) {
		n := notices[told]
		told++
		if n.done != nil {
			n.done(n.err)
		} else {
			dropped(ln.hook, nil, n.err)
			ln.undelivered.Next(n.err)
		}
	}
}
