package session

import (
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The most that a side has on its way: a part of the protocol.
const (
	windowMessages = 4096
	windowBytes    = 1 << 20
)

// Outbox bounds the messages that a session keeps: those that wait, and those that were
// sent and are not acknowledged. The zero value is the default.
type Outbox struct {
	// Messages is how many are kept; 0 means 4,096.
	Messages int
	// Bytes is how many bytes their data may have together; 0 means 1 MiB. A single
	// message may have more, if it is alone.
	Bytes int
	// Age is how long a message is kept, to an eighth of it. A message that was not sent
	// is then undelivered ([wsource.ErrExpired]). A message that was sent is let go: it
	// is part of a Gap unless the next connection finds that it has arrived. 0 means as
	// long as the session lasts.
	Age time.Duration
	// Overflow decides what becomes of a message that finds the outbox full: it blocks
	// its sender (the default); the oldest message is let go, as by its age; the new one
	// is undelivered; or, with [observable.OverflowFail], the session ends with an
	// [*OverflowError].
	Overflow observable.Overflow
}

// problem returns the problem with the settings, or "".
func (o Outbox) problem() string {
	switch {
	case o.Messages < 0 || o.Bytes < 0 || o.Age < 0:
		return "has a negative limit"
	case o.Overflow < observable.OverflowBlock || o.Overflow > observable.OverflowFail:
		return fmt.Sprint("has an unknown overflow policy: ", o.Overflow)
	}
	return ""
}

// withDefaults returns the settings with their defaults.
func (o Outbox) withDefaults() Outbox {
	if o.Messages == 0 {
		o.Messages = windowMessages
	}
	if o.Bytes == 0 {
		o.Bytes = windowBytes
	}
	return o
}

// entry is a message that is kept.
type entry struct {
	data   []byte // the data as it goes over the wire
	binary bool
	packer transport.Packer
	item   *transport.Item // the message's item; nil once its owner was told
}

// kept is the messages of one direction that the peer has not acknowledged, in their
// order. A message that the latest connection has had, or whose owner was told that it is
// sent, has a position that stays. The others get theirs when they are sent.
type kept struct {
	ring  []entry // its length is a power of two, or 0
	head  int
	count int
	bytes int // the size of all

	first  uint64 // the position of the first entry, or of the next one
	handed uint64 // the last position that the latest connection has had
	flight int    // the bytes of the entries up to there
	acked  uint64 // the last position that the peer has acknowledged
	// The last position that the latest connection has not had, as it was acknowledged or
	// lost before.
	floor     uint64
	told      uint64 // the last position whose owner was told
	gone      uint64 // the last position that was let go while it was on its way
	goneBytes int    // the bytes of all these, until that position is acknowledged
}

// last returns the position of the last entry.
func (k *kept) last() uint64 { return k.first + uint64(k.count) - 1 } //nolint:gosec // it counts

// unsent returns how many entries no connection has, or has had.
func (k *kept) unsent() int { return int(k.last() - k.handed) } //nolint:gosec // at most count

// at returns the entry at a position.
func (k *kept) at(position uint64) *entry {
	return &k.ring[(k.head+int(position-k.first))&(len(k.ring)-1)] //nolint:gosec // below count
}

// fits reports whether there is room for so many bytes.
func (k *kept) fits(size int, o *Outbox) bool {
	return k.count == 0 || k.count < o.Messages && k.bytes+size <= o.Bytes
}

// windowOpen reports whether the next entry may be sent.
func (k *kept) windowOpen() bool {
	done := max(k.acked, k.floor)
	return k.handed == done ||
		k.handed-done < windowMessages && k.flight+k.goneBytes+len(k.at(k.handed+1).data) <= windowBytes
}

// push adds an entry at the end.
func (k *kept) push(e entry) {
	if k.count == len(k.ring) {
		ring := make([]entry, max(4, 2*len(k.ring)))
		for i := range k.count {
			ring[i] = k.ring[(k.head+i)&(len(k.ring)-1)]
		}
		k.ring, k.head = ring, 0
	}
	k.count++
	k.bytes += len(e.data)
	*k.at(k.last()) = e
}

// shift takes off the first entry. Its position goes with it if it has one.
func (k *kept) shift() {
	slot := &k.ring[k.head]
	size := len(slot.data)
	*slot = entry{}
	k.head = (k.head + 1) & (len(k.ring) - 1)
	k.count--
	k.bytes -= size
	if k.first <= k.handed {
		k.flight -= size
	}
	if k.first <= max(k.handed, k.told) {
		k.first++
		k.handed = max(k.handed, k.first-1)
	}
}

// verdict is an item's outcome, to be told.
type verdict struct {
	item    *transport.Item
	outcome transport.Outcome
	err     error
}

// verdicts are to be told when no mutex is held.
type verdicts []verdict

func (v verdicts) tell() {
	for _, one := range v {
		if owner := one.item.Owner; owner != nil {
			owner.Done(one.item, one.outcome, one.err)
		}
	}
}

// acknowledge takes off the entries up to a position, as they have arrived.
func (k *kept) acknowledge(position uint64) (told verdicts) {
	before := k.count
	for k.count > 0 && k.first <= position {
		if k.first > k.told {
			k.told = k.first
			told = append(told, verdict{item: k.at(k.first).item, outcome: transport.Sent})
		}
		k.shift()
	}
	// Otherwise there is much to come: an idle session has no ring.
	if k.count == 0 && before < ackMessages {
		k.ring, k.head = nil, 0
	}
	k.acked = max(k.acked, position)
	if k.gone <= k.acked {
		k.goneBytes = 0
	}
	return told
}

// canLetGo reports whether the first entry can be given up. An entry that has its
// position and waits to be sent on the current connection cannot: the peer would take the
// next one for it.
func (k *kept) canLetGo(connected bool) bool {
	return k.count > 0 && (!connected || k.first <= k.handed || k.first > k.told)
}

// tellSent appends to told the items of all entries up to a position, as their owners are
// to be told that they are sent.
func (k *kept) tellSent(sent uint64, told []*transport.Item) []*transport.Item {
	for p := max(k.told+1, k.first); p <= sent; p++ {
		e := k.at(p)
		told = append(told, e.item)
		e.item = nil
	}
	k.told = max(k.told, sent)
	return told
}

// letGo gives the first entry up, because of err. An entry that has been sent is Sent to
// its owner: if it is lost, a gap tells. Any other is Refused, as the session goes on.
func (k *kept) letGo(err error) (told verdicts) {
	p, e, sent := k.first, *k.at(k.first), k.first <= max(k.handed, k.told)
	k.shift()
	switch {
	case !sent:
		return verdicts{{e.item, transport.Refused, err}}
	case p > k.told:
		k.told = p
		told = verdicts{{e.item, transport.Sent, nil}}
	}
	k.gone = p
	k.goneBytes += len(e.data)
	return told
}

// end gives all entries up, since the session is over because of err.
func (k *kept) end(err error) (told verdicts) {
	for k.count > 0 {
		p, outcome := k.first, transport.Unsent
		if p <= k.handed {
			outcome = transport.Unknown
		}
		if p > k.told {
			told = append(told, verdict{k.at(p).item, outcome, err})
		}
		k.shift()
	}
	return told
}

// withdraw takes back the entry of an item, if no connection has it, or has had it. It
// reports whether there is such an entry.
func (k *kept) withdraw(item *transport.Item) bool {
	for p := k.last(); p > max(k.handed, k.told); p-- {
		if k.at(p).item != item {
			continue
		}
		k.bytes -= len(k.at(p).data)
		for ; p < k.last(); p++ {
			*k.at(p) = *k.at(p + 1)
		}
		*k.at(p) = entry{}
		k.count--
		return true
	}
	return false
}

// resume goes on behind the last message that the peer has received, on another
// connection. It returns the positions that are lost, and false if the peer cannot have
// received so many, or so few.
func (k *kept) resume(received uint64) (lost Range, told verdicts, ok bool) {
	if received < k.acked || received > k.handed {
		return lost, nil, false
	}
	if k.first > received+1 {
		lost = Range{From: received + 1, To: k.first - 1}
	}
	told = k.acknowledge(received)
	k.handed = k.first - 1
	k.floor, k.flight, k.goneBytes = k.handed, 0, 0
	return lost, told, true
}
