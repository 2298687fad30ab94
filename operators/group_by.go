package operators

import (
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Group is an observable of the values of a [GroupBy]'s source that have one key.
type Group[K comparable, T any] struct {
	// Key is the key of the values.
	Key K

	subject    *observable.Subject[T] // own, or that of the group it stands for
	own        observable.Subject[T]
	in         observable.Feed[T] // entry of the subject from the gate of the source
	lease      *lease             // nil if subscribers do not keep the source
	prev, next *Group[K, T]       // neighbours in the order of beginning
}

// Subscribe adds observer to the group's subscribers, until it unsubscribes or the group
// ends.
func (g *Group[K, T]) Subscribe(ctx context.Context, observer observable.Observer[T]) observable.Subscription {
	return observable.Subscribe(ctx, g, observer)
}

// AttachTo adds down to the group's subscribers, until sc closes or the group ends.
func (g *Group[K, T]) AttachTo(sc *observable.Scope, down observable.Stage[T]) {
	if g.lease == nil {
		observable.Attach[T](g.subject, sc, down)
		return
	}
	member := sc.Child()
	g.lease.users.Add(1)
	member.Finally(g.lease.give)
	observable.Attach[T](g.subject, member, down)
}

// lease keeps the source of a GroupBy subscribed to while the stream of groups or any of
// the groups has a subscriber.
type lease struct {
	users interleave.Int64
	up    *observable.Scope
	give  func() // release, made once
}

func newLease(up *observable.Scope) *lease {
	l := &lease{up: up}
	l.give = l.release
	l.users.Store(1)
	return l
}

func (l *lease) release() {
	if l.users.Add(-1) == 0 {
		l.up.Close()
	}
}

// GroupBy sorts the values by key: it emits a [Group] for each new key, and each value
// through the group of its key.
//
//	src:                --1--2--3--4--|
//	GroupBy(odd/even):  --a--b--------|
//	group a:              1-----3-----|
//	group b:                 2-----4--|
//
// Each key costs memory as long as the source lasts; where keys come and go, use
// [GroupByUntil]. Keys are compared with ==, so that a NaN is always a new key. A group
// is emitted just before its first value, so subscribe to it when it comes; a subscriber
// in the same chain, as in a [MergeMap], is called directly.
//
// The end of the source, or a panic in key, ends the groups and then the stream. When the
// stream is unsubscribed from, as by a [Take], groups with subscribers go on, and the
// source is unsubscribed with the last of them. The end of the stream's context ends the
// source at once. RxJS: groupBy. See also [GroupByMap], [Window].
func GroupBy[T any, K comparable](
	src observable.Observable[T], key func(T) K,
) observable.Observable[*Group[K, T]] {
	if key == nil {
		return invalid[*Group[K, T]]("GroupBy", "key", isNil)
	}
	return groupBy[T, K, T, struct{}](src, key, func(v T) T { return v }, nil)
}

// GroupByMap is [GroupBy] with groups that emit the result of element for each value. A
// panic in element also ends the groups and the stream. RxJS: groupBy with an element
// selector.
//
//	src:                             --1--2--3--4--|
//	GroupByMap(odd/even, x => 10x):  --a--b--------|
//	group a:                           10----30----|
//	group b:                              20----40-|
func GroupByMap[T any, K comparable, E any](
	src observable.Observable[T], key func(T) K, element func(T) E,
) observable.Observable[*Group[K, E]] {
	switch {
	case key == nil:
		return invalid[*Group[K, E]]("GroupByMap", "key", isNil)
	case element == nil:
		return invalid[*Group[K, E]]("GroupByMap", "element", isNil)
	}
	return groupBy[T, K, E, struct{}](src, key, element, nil)
}

// GroupByUntil is [GroupBy] with groups that end: each completes when the observable that
// duration returned for it emits or completes, and fails when that observable fails. The
// next value with its key begins a new group.
//
//	src:                                     --1--2--3----5--|
//	GroupByUntil(odd/even, g => timer(7ms)): --a--b-------c--|
//	group a:                                   1-----3|
//	group b:                                      2------|
//	group c:                                              5--|
//
// duration is called with each new group after its emission, and may use the group
// itself: a [DebounceTime] of the group ends it after a silence. Such use does not count
// as a subscriber that keeps the source. The observable of duration is subscribed to
// before the group has its first value. A panic in duration ends all groups and the
// stream. RxJS: groupBy with a duration selector.
func GroupByUntil[T any, K comparable, N any](
	src observable.Observable[T], key func(T) K, duration func(*Group[K, T]) observable.Observable[N],
) observable.Observable[*Group[K, T]] {
	switch {
	case key == nil:
		return invalid[*Group[K, T]]("GroupByUntil", "key", isNil)
	case duration == nil:
		return invalid[*Group[K, T]]("GroupByUntil", "duration", isNil)
	}
	return groupBy(src, key, func(v T) T { return v }, duration)
}

func groupBy[T any, K comparable, E, N any](
	src observable.Observable[T],
	key func(T) K, element func(T) E, duration func(*Group[K, E]) observable.Observable[N],
) observable.Observable[*Group[K, E]] {
	return observable.AttachFunc[*Group[K, E]](func(sc *observable.Scope, down observable.Stage[*Group[K, E]]) {
		up := sc.Detach()
		g := &groups[T, K, E, N]{
			sc: sc, up: up, down: down, key: key, element: element, duration: duration,
			open: make(map[K]*Group[K, E]), lease: newLease(up),
		}
		sc.OnClose(g.lease.give)
		out := observable.Intercept(up, observable.Stage[output[K, E]]{Next: g.emit, Terminal: g})
		g.out = out.Next
		observable.Attach(src, up, observable.Stage[T]{Next: g.next, Terminal: out.Terminal})
	})
}

// groups is one subscription of a GroupBy.
type groups[T any, K comparable, E, N any] struct {
	sc       *observable.Scope
	up       *observable.Scope // scope of the source: groups may outlive their stream
	down     observable.Stage[*Group[K, E]]
	key      func(T) K
	element  func(T) E
	duration func(*Group[K, E]) observable.Observable[N]

	open        map[K]*Group[K, E]
	first, last *Group[K, E]
	lease       *lease
	ended       bool

	// out emits values and groups. A panic in a callback ends the groups and the stream;
	// a panic in a receiver goes further down.
	out func(output[K, E])
}

// output is a new group to emit, or a value to emit through its group.
type output[K comparable, E any] struct {
	group *Group[K, E]
	value E
	isNew bool
}

func (g *groups[T, K, E, N]) emit(o output[K, E]) {
	if !o.isNew {
		g.give(o.group, o.value)
	} else if g.sc.Open() {
		g.down.Next(o.group)
	}
}

// give gives a value to a group. If a callback of a subscriber ends this goroutine, the
// source may have ended with it, so all groups and the stream end. A panic does not come
// here: the group's subject deals with it.
func (g *groups[T, K, E, N]) give(group *Group[K, E], value E) {
	returned := false
	defer func() {
		if !returned {
			// The error is reported where it began.
			g.terminate(func(t observable.Terminal) { t.Error(observable.ErrGoexit) }, nil)
		}
	}()
	group.in.Next(value)
	returned = true
}

func (g *groups[T, K, E, N]) next(v T) {
	if g.ended {
		return
	}
	key := g.key(v)
	group := g.open[key]
	if group == nil {
		if g.duration == nil && !g.sc.Open() {
			return // no subscriber can get the group
		}
		if group = g.begin(key); !g.up.Open() {
			return
		}
	}
	g.out(output[K, E]{group: group, value: g.element(v)})
}

// begin opens a group and emits it.
func (g *groups[T, K, E, N]) begin(key K) *Group[K, E] {
	group := &Group[K, E]{Key: key, lease: g.lease, prev: g.last}
	group.subject = &group.own
	group.in = observable.NewFeed(&group.own, g.up)
	if isFound(key) {
		g.open[key] = group
	}
	if g.last != nil {
		g.last.next = group
	} else {
		g.first = group
	}
	g.last = group
	g.out(output[K, E]{group: group, isNew: true})
	if g.duration != nil && g.up.Open() {
		until := g.duration(&Group[K, E]{Key: key, subject: group.subject})
		g.limit(group, until)
	}
	return group
}

// limit ends the group when until emits or ends.
func (g *groups[T, K, E, N]) limit(group *Group[K, E], until observable.Observable[N]) {
	up := g.up.Child()
	complete := func() {
		g.remove(group)
		group.in.Complete()
		up.Close()
	}
	observable.Attach(until, up, observable.Intercept(up, observable.Stage[N]{
		Next: func(N) { complete() },
		Terminal: &observable.TerminalFuncs{
			OnComplete: complete,
			OnError: func(err error) {
				defer g.sc.Drop(err) // the group's subscribers may have left
				g.remove(group)
				group.in.Error(err)
				up.Close()
			},
		},
	}))
}

func (g *groups[T, K, E, N]) remove(group *Group[K, E]) {
	if group.prev == nil && g.first != group { // it is removed already
		return
	}
	if g.open[group.Key] == group {
		delete(g.open, group.Key)
	}
	if group.prev != nil {
		group.prev.next = group.next
	} else {
		g.first = group.next
	}
	if group.next != nil {
		group.next.prev = group.prev
	} else {
		g.last = group.prev
	}
	group.prev = nil // next stays, for a walk that has come to the group
}

// Error ends the groups and the stream.
func (g *groups[T, K, E, N]) Error(err error) {
	g.terminate(func(t observable.Terminal) { t.Error(err) }, err)
}

// Complete ends the groups and the stream.
func (g *groups[T, K, E, N]) Complete() { g.terminate(observable.Terminal.Complete, nil) }

// terminate ends the groups and the stream, with err if that is not nil.
func (g *groups[T, K, E, N]) terminate(end func(observable.Terminal), err error) {
	if g.ended {
		g.sc.Drop(err)
		return
	}
	g.ended = true
	defer g.up.Close()
	defer func() { // also when a callback of a group ends this goroutine
		g.first, g.last, g.open = nil, nil, nil
		if g.sc.Open() {
			end(g.down)
		} else {
			g.sc.Drop(err) // the groups' subscribers may have left too
		}
	}()
	endFrom(g.first, end)
}

// endFrom ends group and those after it, all of them even if a callback of one ends this
// goroutine.
func endFrom[K comparable, T any](group *Group[K, T], end func(observable.Terminal)) {
	defer func() {
		if group != nil {
			endFrom(group, end)
		}
	}()
	for group != nil {
		in := group.in
		group = group.next
		end(in)
	}
}
