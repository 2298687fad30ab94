package observable_test

import (
	"context"
	"fmt"
	"iter"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestCreate subscribes twice to the observable of each creation function.
func TestCreate(t *testing.T) {
	double := func(v int) int { return 2 * v }
	below := func(limit int) func(int) bool { return func(v int) bool { return v < limit } }
	yes, no := func() bool { return true }, func() bool { return false }
	release := func(int) {}
	for name, test := range map[string]struct {
		src  observable.Observable[int]
		want []string
	}{
		"Of":               {observable.Of(1, 2), []string{"1", "2", "complete"}},
		"Of nothing":       {observable.Of[int](), []string{"complete"}},
		"FromSlice":        {observable.FromSlice([]int{3, 4}), []string{"3", "4", "complete"}},
		"FromSlice of nil": {observable.FromSlice[int](nil), []string{"complete"}},
		"FromSeq":          {observable.FromSeq(seq(5, 6)), []string{"5", "6", "complete"}},
		"FromSeq panic": {
			observable.FromSeq(func(yield func(int) bool) { yield(1); panic("seq") }),
			[]string{"1", "panic: seq"},
		},
		"Range":             {observable.Range(-1, 3), []string{"-1", "0", "1", "complete"}},
		"Range of nothing":  {observable.Range(7, 0), []string{"complete"}},
		"Range of less":     {observable.Range(7, -1), []string{"error: observable.Range: argument count is negative: -1"}},
		"Range of the last": {taken(observable.Range(math.MaxInt-1, 2), 1), []string{fmt.Sprint(math.MaxInt - 1), "complete"}},
		"Range too far": {
			observable.Range(math.MaxInt-1, 3),
			[]string{"error: observable.Range: argument count leads beyond the greatest int: 3 from " + fmt.Sprint(math.MaxInt-1) + " on"},
		},
		"Range of all":      {taken(observable.Range(math.MinInt, math.MaxInt), 1), []string{fmt.Sprint(math.MinInt), "complete"}},
		"Generate":          {observable.Generate(1, below(9), double), []string{"1", "2", "4", "8", "complete"}},
		"Generate nothing":  {observable.Generate(1, below(0), double), []string{"complete"}},
		"Generate endless":  {taken(observable.Generate(1, nil, double), 3), []string{"1", "2", "4", "complete"}},
		"Defer":             {observable.Defer(func() observable.Observable[int] { return observable.Of(1) }), []string{"1", "complete"}},
		"Defer nothing":     {observable.Defer(func() observable.Observable[int] { return nil }), []string{"complete"}},
		"Iif":               {observable.Iif(yes, observable.Of(1), observable.Of(2)), []string{"1", "complete"}},
		"Iif not":           {observable.Iif(no, observable.Of(1), observable.Of(2)), []string{"2", "complete"}},
		"Iif nothing":       {observable.Iif(no, observable.Of(1), nil), []string{"complete"}},
		"Empty":             {observable.Empty[int](), []string{"complete"}},
		"Never":             {observable.Never[int](), nil},
		"Throw":             {observable.Throw[int](errBoom), []string{"error: boom"}},
		"FromSeq nil":       {observable.FromSeq[int](nil), []string{"error: observable.FromSeq: argument seq is nil"}},
		"Generate nil":      {observable.Generate(1, nil, nil), []string{"error: observable.Generate: argument next is nil"}},
		"Defer nil":         {observable.Defer[int](nil), []string{"error: observable.Defer: argument factory is nil"}},
		"Iif nil":           {observable.Iif[int](nil, nil, nil), []string{"error: observable.Iif: argument condition is nil"}},
		"New nil":           {observable.New[int](nil), []string{"error: observable.New: argument subscribe is nil"}},
		"Using nil open":    {observable.Using(nil, resource, release), []string{"error: observable.Using: argument open is nil"}},
		"Using nil source":  {observable.Using[int, int](open, nil, release), []string{"error: observable.Using: argument source is nil"}},
		"Using nil release": {observable.Using(open, resource, nil), []string{"error: observable.Using: argument release is nil"}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				out, sub := record(t.Context(), test.src)
				assert.Equal(t, test.want, out.Log())
				sub.Unsubscribe()
				<-sub.Done()
			}
		})
	}
}

func open() (int, error) { return 1, nil }

func resource(v int) observable.Observable[int] { return observable.Of(v) }

func seq(values ...int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, v := range values {
			if !yield(v) {
				return
			}
		}
	}
}

// TestCreateStops ends sources that emit inside Subscribe midway, in two ways.
func TestCreateStops(t *testing.T) {
	calls := 0
	next := func(v int) int { calls++; return v + 1 }
	endless := func(yield func(int) bool) {
		for v := 0; yield(v); v++ {
			calls++
		}
	}
	for name, src := range map[string]observable.Observable[int]{
		"Of":       observable.Of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
		"FromSeq":  observable.FromSeq(endless),
		"Range":    observable.Range(0, 2_000_000_000),
		"Generate": observable.Generate(0, nil, next),
		"New": observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
			for v := 0; ctx.Err() == nil; v++ {
				o.Next(v)
				calls++
			}
			return nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			calls = 0
			out, _ := record(t.Context(), taken(src, 2))
			assert.Equal(t, []string{"0", "1", "complete"}, out.Log())

			ctx, cancel := context.WithCancel(t.Context())
			out = observabletest.NewRecorder[int]().OnNext(func(int) { cancel() })
			<-src.Subscribe(ctx, out).Done()
			assert.Equal(t, []string{"0", "error: context canceled"}, out.Log())
			assert.LessOrEqual(t, calls, 1_000_000)
		})
	}
}

// TestCreateClosedByCallback has the callbacks of creation functions end the
// subscription: the stages downstream hear nothing more.
func TestCreateClosedByCallback(t *testing.T) {
	var scope *observable.Scope
	leave := func() { scope.Close() }
	for name, src := range map[string]observable.Observable[int]{
		"Generate while": observable.Generate(0, func(int) bool { leave(); return true }, increment),
		"Generate end":   observable.Generate(0, func(int) bool { leave(); return false }, increment),
		"FromSeq":        observable.FromSeq(func(yield func(int) bool) { leave(); yield(1) }),
		"FromSeq end":    observable.FromSeq(func(func(int) bool) { leave() }),
		"Defer":          observable.Defer(func() observable.Observable[int] { leave(); return observable.Of(1) }),
		"Defer nothing":  observable.Defer(func() observable.Observable[int] { leave(); return nil }),
		"Iif":            observable.Iif(func() bool { leave(); return true }, observable.Of(1), nil),
		"Using open": observable.Using(func() (int, error) { leave(); return 0, errBoom }, resource,
			func(int) {}),
		"Using source": observable.Using(open, func(int) observable.Observable[int] { leave(); return nil },
			func(int) {}),
		"New": observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			leave()
			o.Next(1)
			o.Complete()
			return nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			_, sub := record(t.Context(), observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
				scope = sc.Child()
				late := func() { t.Error("a notification after the end") }
				observable.Attach(src, scope, observable.Stage[int]{
					Next:     func(int) { late() },
					Terminal: &observable.TerminalFuncs{OnError: func(error) { late() }, OnComplete: late},
				})
			}))
			sub.Unsubscribe()
		})
	}
}

// TestUsing releases the resource once, after the source's teardown, however the
// subscription ends.
func TestUsing(t *testing.T) {
	for name, test := range map[string]struct {
		source observable.Observable[int]
		want   []string
	}{
		"completion":  {observable.Of(1), []string{"1", "complete", "torn down", "released"}},
		"error":       {observable.Throw[int](errBoom), []string{"error: boom", "torn down", "released"}},
		"unsubscribe": {observable.Never[int](), []string{"torn down", "released"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := observabletest.NewRecorder[int]()
			sub := observable.Using(open, func(int) observable.Observable[int] {
				return finalized(test.source, func() { out.Notef("torn down") })
			}, func(v int) {
				assert.Equal(t, 1, v)
				out.Notef("released")
			}).Subscribe(t.Context(), out)
			sub.Unsubscribe()
			assert.Equal(t, test.want, out.Log())
		})
	}
	t.Run("nothing", func(t *testing.T) {
		out := observabletest.NewRecorder[int]()
		observable.Using(open, func(int) observable.Observable[int] { return nil }, func(int) { out.Notef("released") }).
			Subscribe(t.Context(), out)
		assert.Equal(t, []string{"complete", "released"}, out.Log())
	})
	t.Run("open fails", func(t *testing.T) {
		out, _ := record(t.Context(), observable.Using(func() (int, error) { return 0, errBoom }, resource,
			func(int) { t.Error("released a resource that was not opened") }))
		assert.Equal(t, []string{"error: boom"}, out.Log())
	})
}

// TestNewTeardown checks when the function's teardown is called.
func TestNewTeardown(t *testing.T) {
	out := observabletest.NewRecorder[int]()
	for name, test := range map[string]struct {
		emit func(o observable.Observer[int])
		want []string
	}{
		"live":      {func(o observable.Observer[int]) { o.Next(1) }, []string{"1", "unsubscribe", "torn down"}},
		"completed": {func(o observable.Observer[int]) { o.Complete() }, []string{"complete", "torn down", "unsubscribe"}},
		"failed":    {func(o observable.Observer[int]) { o.Error(errBoom) }, []string{"error: boom", "torn down", "unsubscribe"}},
	} {
		t.Run(name, func(t *testing.T) {
			out = observabletest.NewRecorder[int]()
			sub := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
				test.emit(o)
				return func() { out.Notef("torn down") }
			}).Subscribe(t.Context(), out)
			out.Notef("unsubscribe")
			sub.Unsubscribe()
			sub.Unsubscribe()
			assert.Equal(t, test.want, out.Log())
		})
	}
}

// TestNewFromGoroutines emits from a goroutine that the function has started.
func TestNewFromGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var group sync.WaitGroup
		src := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
			group.Go(func() {
				for v := 0; ; v++ {
					select {
					case <-ctx.Done():
						return
					case <-time.After(time.Second):
						o.Next(v)
					}
				}
			})
			return nil
		})
		all, err := observable.Collect(t.Context(), taken(src, 3))
		require.NoError(t, err)
		assert.Equal(t, []int{0, 1, 2}, all)
		group.Wait()
	})
}
