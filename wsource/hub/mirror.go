package hub

import (
	"maps"
	"reflect"

	"github.com/rxsocket/rxsocket/observable"
)

// StateMaps makes the map of a [State] again from the events that a socket gets: on the
// other side of the socket, decoded. It emits the map when it is whole, and again after
// each change; each map is a copy.
//
//	events: --welcome--a=1--b=2-------a=3---
//	maps:   -----------------{a:1 b:2}--{a:3 b:2}---
//
// The events may be those of one connection after the other, as of a wsource.Subject: a
// welcome begins a new map, or continues the map if it says Recovered. StateMaps
// completes and fails as events does.
func StateMaps[R, M, K comparable, V any](
	events observable.Observable[Event[R, M, Change[K, V]]],
) observable.Observable[map[K]V] {
	return observable.AttachFunc[map[K]V](func(sc *observable.Scope, down observable.Stage[map[K]V]) {
		m := mirror[K, V]{told: func(values map[K]V, _ []Change[K, V]) { down.Next(maps.Clone(values)) }}
		observable.Attach(events, sc, stageOf[R, M](&m, down.Terminal))
	})
}

// StateChanges emits the changes between the maps of [StateMaps], of which the first is
// compared with none. After a connection that has not recovered, it compares the maps to
// find the changes meanwhile. It completes and fails as events does.
func StateChanges[R, M, K comparable, V any](
	events observable.Observable[Event[R, M, Change[K, V]]],
) observable.Observable[Change[K, V]] {
	return observable.AttachFunc[Change[K, V]](func(sc *observable.Scope, down observable.Stage[Change[K, V]]) {
		m := mirror[K, V]{told: func(_ map[K]V, changes []Change[K, V]) {
			for _, c := range changes {
				if !sc.Open() {
					return
				}
				down.Next(c)
			}
		}}
		observable.Attach(events, sc, stageOf[R, M](&m, down.Terminal))
	})
}

// stageOf returns the stage that gives events to a mirror.
func stageOf[R, M, K comparable, V any](
	m *mirror[K, V], terminal observable.Terminal,
) observable.Stage[Event[R, M, Change[K, V]]] {
	return observable.Stage[Event[R, M, Change[K, V]]]{
		Terminal: terminal,
		Next: func(e Event[R, M, Change[K, V]]) {
			switch {
			case e.Kind == Welcome:
				m.begin(e.Replayed, e.Recovery == Recovered)
			case e.Kind == Said && !e.Private:
				m.change(e.Value)
			}
		},
	}
}

// mirror is the map of a State at the other side.
type mirror[K comparable, V any] struct {
	told    func(values map[K]V, changes []Change[K, V])
	values  map[K]V
	before  map[K]V        // map before a new one; nil when the map goes on
	coming  int            // events of the past that are still to come
	changes []Change[K, V] // changes of those events so far
}

// begin awaits that many events of the past, which make the map anew or continue it.
// Events that continue a whole map are told as they come.
func (m *mirror[K, V]) begin(replayed int, goesOn bool) {
	switch {
	case goesOn && m.values != nil && m.before == nil:
		return
	case !goesOn || m.values == nil:
		if m.before == nil {
			m.before = m.values
		}
		if m.before == nil {
			m.before = make(map[K]V)
		}
		m.values, m.changes = make(map[K]V), nil
	}
	if m.coming = replayed; replayed == 0 {
		m.whole()
	}
}

func (m *mirror[K, V]) change(c Change[K, V]) {
	if m.values == nil { // no welcome came before
		m.values = make(map[K]V)
	}
	if c.Deleted {
		delete(m.values, c.Key)
	} else {
		m.values[c.Key] = c.Value
	}
	if m.coming == 0 {
		m.told(m.values, []Change[K, V]{c})
		return
	}
	m.changes = append(m.changes, c)
	if m.coming--; m.coming == 0 {
		m.whole()
	}
}

// whole emits the map when it has been made anew.
func (m *mirror[K, V]) whole() {
	changes := m.compare()
	m.before, m.changes = nil, nil
	m.told(m.values, changes)
}

// compare returns the changes from the map before to this one; it uses up the map before.
func (m *mirror[K, V]) compare() (changes []Change[K, V]) {
	for key := range m.before {
		if _, ok := m.values[key]; !ok {
			changes = append(changes, Change[K, V]{Key: key, Deleted: true})
		}
	}
	for _, c := range m.changes { // in the order of events, the last one of each key
		now, there := m.values[c.Key]
		if before, ok := m.before[c.Key]; there && (!ok || !reflect.DeepEqual(before, now)) {
			changes = append(changes, Change[K, V]{Key: c.Key, Value: now, Expires: c.Expires})
			m.before[c.Key] = now
		}
	}
	return changes
}
