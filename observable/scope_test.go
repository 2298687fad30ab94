package observable_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

// newScope returns the scope of a live subscription to nothing.
func newScope(t *testing.T) (*observable.Scope, observable.Subscription) {
	t.Helper()
	var scope *observable.Scope
	src := observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) { scope = sc })
	_, sub := record(t.Context(), src)
	t.Cleanup(sub.Unsubscribe)
	return scope, sub
}

// TestScopeTeardownOrder closes a tree of scopes.
func TestScopeTeardownOrder(t *testing.T) {
	root, sub := newScope(t)
	var order []string
	step := func(name string) func() { return func() { order = append(order, name) } }
	a := root.Child()
	a.Finally(step("a, finally"))
	b := a.Child()
	b.Finally(step("b, finally"))
	b.OnClose(step("b, first"))
	b.OnClose(step("b, second"))
	a.OnClose(step("a"))
	root.OnClose(step("root"))
	c := root.Child()
	c.OnClose(step("c"))
	d := root.Child()
	d.OnClose(step("d"))

	c.Close()
	assert.Equal(t, []string{"c"}, order)
	assert.True(t, root.Open())
	assert.False(t, c.Open())
	sub.Unsubscribe()
	assert.Equal(t, []string{"c", "b, first", "b, second", "b, finally", "a", "a, finally", "root", "d"}, order)
	for _, s := range []*observable.Scope{root, a, b, d} {
		assert.False(t, s.Open())
	}
	a.Close()
	assert.Len(t, order, 8)
}

// TestScopeClosed uses a scope that is closed.
func TestScopeClosed(t *testing.T) {
	scope, _ := newScope(t)
	scope = scope.Child()
	scope.Close()
	assert.False(t, scope.Child().Open())
	var embedded struct{ observable.Scope }
	scope.Nest(&embedded.Scope)
	assert.False(t, embedded.Open())
	calls := 0
	scope.OnClose(func() { calls++ })
	scope.Child().Finally(func() { calls++ })
	assert.Equal(t, 2, calls, "both at once")
}

// TestScopeTeardownOnce registers teardown while another goroutine closes the scope.
func TestScopeTeardownOnce(t *testing.T) {
	for range 2000 {
		scope, _ := newScope(t)
		scope = scope.Child()
		var calls [3]atomic.Int32
		var group sync.WaitGroup
		group.Go(scope.Close)
		scope.OnClose(func() { calls[0].Add(1) })
		scope.Child().Finally(func() { calls[1].Add(1) })
		after := make(chan struct{}, 2) // it may be called on a goroutine of its own
		scope.AfterFunc(func() {
			calls[2].Add(1)
			after <- struct{}{}
		})
		group.Wait()
		scope.Close()
		<-after
		for i := range calls {
			require.EqualValues(t, 1, calls[i].Load(), i)
		}
	}
}

// TestScopeClosedByMany closes a scope from several goroutines and from its own teardown.
func TestScopeClosedByMany(t *testing.T) {
	for range 500 {
		root, _ := newScope(t)
		scope := root.Child()
		var calls atomic.Int32
		for range 3 {
			child := scope.Child()
			child.Finally(func() {
				calls.Add(1)
				scope.Close()
				child.Close()
			})
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(scope.Close)
		}
		group.Wait()
		require.EqualValues(t, 3, calls.Load())
	}
}

// TestScopeTeardownPanics has all teardown of a scope panic: each is called, and each
// panic is reported.
func TestScopeTeardownPanics(t *testing.T) {
	scope, sub := newScope(t)
	calls := 0
	for range 3 {
		scope.OnClose(func() {
			calls++
			panic(errBoom)
		})
	}
	child := scope.Child()
	child.Finally(func() {
		calls++
		panic("finally")
	})
	scope.AfterFunc(func() {
		calls++
		panic("after func")
	})
	sub.Unsubscribe()
	<-sub.Done()
	assert.Equal(t, 5, calls)
	err := sub.Err()
	require.ErrorIs(t, err, errBoom)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	assert.NotEmpty(t, joined.Unwrap())
}

// TestScopeOnCloseWithin registers teardown from within teardown.
func TestScopeOnCloseWithin(t *testing.T) {
	scope, sub := newScope(t)
	var order []string
	scope.OnClose(func() {
		order = append(order, "first")
		scope.OnClose(func() { order = append(order, "nested") })
	})
	scope.OnClose(func() { order = append(order, "second") })
	sub.Unsubscribe()
	assert.Equal(t, []string{"first", "nested", "second"}, order)
}
