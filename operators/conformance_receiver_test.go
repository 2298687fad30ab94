package operators_test

import (
	"context"

	"github.com/rxsocket/rxsocket/observable"
)

// receiver is a subscriber of the test. It records its notifications, in one list with
// those of the observables among its values. It is no observabletest.Recorder, which
// records one stream: the list is of several, in the form and the frames of the vectors.
type receiver struct {
	run *run

	// Guarded by run.mu.
	events []event
	inner  []observable.Subscription // to the observables received
}

// Next records a value; an observable is recorded by its number and subscribed to.
func (o *receiver) Next(v any) {
	src, ok := v.(O)
	if !ok {
		o.add(event{K: "N", V: v})
		return
	}
	r := o.run
	r.mu.Lock()
	n := len(o.inner)
	o.inner = append(o.inner, noSubscription{})
	r.mu.Unlock()
	value := map[string]any{"$obs": n}
	if group, ok := v.(interface{ GroupKey() any }); ok {
		value["key"] = group.GroupKey()
	}
	o.add(event{K: "N", V: value})
	if r.flag("ignoreInner") {
		return
	}
	sub := src.Subscribe(context.Background(), &innerReceiver{o, n})
	r.hold(sub)
	r.mu.Lock()
	o.inner[n] = sub
	r.mu.Unlock()
}

func (o *receiver) Error(err error) { o.add(event{K: "E", E: errorName(err)}) }

func (o *receiver) Complete() { o.add(event{K: "C"}) }

func (o *receiver) add(e event) {
	e.T = o.run.frame()
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	o.run.count++
	o.events = append(o.events, e)
}

// unsubscribeInner ends the subscriptions to observables received, unless the case keeps
// them.
func (o *receiver) unsubscribeInner() {
	if o.run.flag("keepInner") {
		return
	}
	o.run.mu.Lock()
	inner := o.inner
	o.run.mu.Unlock()
	for _, sub := range inner {
		sub.Unsubscribe()
	}
}

// flag returns an argument that is meant for the runner.
func (r *run) flag(name string) bool {
	set, _ := r.vector.Args[name].(bool)
	return set
}

// innerReceiver is the observer that a receiver subscribes to the n-th observable among
// its values.
type innerReceiver struct {
	outer *receiver
	n     int
}

func (o *innerReceiver) Next(v any) { o.outer.add(event{K: "N", V: v, W: &o.n}) }

func (o *innerReceiver) Error(err error) { o.outer.add(event{K: "E", E: errorName(err), W: &o.n}) }

func (o *innerReceiver) Complete() { o.outer.add(event{K: "C", W: &o.n}) }

// noSubscription stands where an observable received is not subscribed to, or not yet.
type noSubscription struct{}

func (noSubscription) Unsubscribe() {}

func (noSubscription) Done() <-chan struct{} { return nil }

func (noSubscription) Err() error { return nil }
