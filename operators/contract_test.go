package operators_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCatalogueIsWhole fails when an exported function that returns an observable is not in the
// catalogue, and so not put through the trials, or has no marble diagram or no Example.
func TestCatalogueIsWhole(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var found []*ast.FuncDecl
	examples := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok || f.Recv != nil:
			case strings.HasPrefix(f.Name.Name, "Example"):
				examples[f.Name.Name] = true
			case !strings.HasSuffix(name, "_test.go") && f.Name.IsExported() && returnsObservable(f):
				found = append(found, f)
			}
		}
	}
	for _, f := range found {
		assert.Contains(t, catalogue, f.Name.Name)
		assert.Regexp(t, `\n\t.*[-|(].*[-|)]`, f.Doc.Text(), "%s has a marble diagram", f.Name.Name)
		assert.True(t, examples["Example"+f.Name.Name], "%s has an Example", f.Name.Name)
	}
	assert.Len(t, catalogue, len(found))
}

func returnsObservable(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	index, ok := f.Type.Results.List[0].Type.(*ast.IndexExpr)
	if !ok {
		return false
	}
	selector, ok := index.X.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "Observable"
}

// passTrial is the hook that does nothing.
func passTrial(v int) int { return v }

// watched is a source that counts its subscriptions.
type watched struct {
	stream
	made, open atomic.Int32
}

func watch(s stream) *watched {
	w := &watched{}
	w.stream = observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		w.made.Add(1)
		w.open.Add(1)
		sc.OnClose(func() { w.open.Add(-1) })
		observable.Attach(s, sc, down)
	})
	return w
}

// judgeTrial is an observer that fails the test when the contract is broken.
type judgeTrial struct {
	t        *testing.T
	inside   atomic.Int32
	ended    atomic.Bool
	mu       sync.Mutex
	values   []int
	err      error
	complete bool
	onNext   func(int)
}

func (j *judgeTrial) enter() func() {
	assert.Equal(j.t, int32(1), j.inside.Add(1), "notifications are serial")
	return func() { j.inside.Add(-1) }
}

func (j *judgeTrial) Next(v int) {
	defer j.enter()()
	assert.False(j.t, j.ended.Load(), "a value after the terminal")
	j.mu.Lock()
	j.values = append(j.values, v)
	j.mu.Unlock()
	if j.onNext != nil {
		j.onNext(v)
	}
}

func (j *judgeTrial) Error(err error) {
	defer j.enter()()
	assert.False(j.t, j.ended.Swap(true), "two terminals")
	j.err = err
}

func (j *judgeTrial) Complete() {
	defer j.enter()()
	assert.False(j.t, j.ended.Swap(true), "two terminals")
	j.complete = true
}

// everyOperator runs a trial with each operator, in virtual time. A goroutine that is left behind fails
// the trial: its bubble does not end.
func everyOperator(t *testing.T, trial func(t *testing.T, apply func(s stream, h hook) stream)) {
	for name, apply := range catalogue {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { trial(t, apply) })
		})
	}
}

// within runs the clock for long enough that everything in the catalogue is over.
func within(t *testing.T, sub observable.Subscription) {
	t.Helper()
	select {
	case <-sub.Done():
	case <-time.After(time.Minute):
		sub.Unsubscribe()
		<-sub.Done()
	}
}

// produceTrial has four goroutines emit together.
func produceTrial(subject *observable.Subject[int]) {
	var producers sync.WaitGroup
	for range 4 {
		producers.Go(func() {
			for v := range 200 {
				subject.Next(v)
			}
		})
	}
	producers.Wait()
}

func TestContractCompletion(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		src, j := watch(observable.Range(0, 6)), &judgeTrial{t: t}
		within(t, apply(src, passTrial).Subscribe(t.Context(), j))
		synctest.Wait()
		assert.Zero(t, src.open.Load(), "the source is torn down")
	})
}

func TestContractError(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		failing := operators.Concat(operators.Take(observable.Interval(msTrial), 3), observable.Throw[int](errTrial))
		src, j := watch(failing), &judgeTrial{t: t}
		within(t, apply(src, passTrial).Subscribe(t.Context(), j))
		synctest.Wait()
		assert.Zero(t, src.open.Load(), "the source is torn down")
		if j.err != nil && !errors.Is(j.err, operators.ErrSequence) { // Single has seen enough before
			assert.ErrorIs(t, j.err, errTrial)
		}
	})
}

func TestContractUnsubscribe(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		src, j := watch(observable.Interval(msTrial)), &judgeTrial{t: t}
		sub := apply(src, passTrial).Subscribe(t.Context(), j)
		time.Sleep(5*msTrial + msTrial/2)
		sub.Unsubscribe()
		<-sub.Done()
		synctest.Wait()
		before := len(j.values)
		assert.Zero(t, src.open.Load(), "the source is torn down")
		time.Sleep(time.Second)
		assert.Len(t, j.values, before, "nothing after Unsubscribe")
		assert.NotErrorIs(t, j.err, context.Canceled, "Unsubscribe is silent")
	})
}

func TestContractTake(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		src, j := watch(operators.Take(observable.Interval(msTrial), 50)), &judgeTrial{t: t}
		within(t, operators.Take(apply(src, passTrial), 1).Subscribe(t.Context(), j))
		synctest.Wait()
		assert.LessOrEqual(t, len(j.values), 1)
		assert.Zero(t, src.open.Load(), "the source is torn down")
	})
}

func TestContractContext(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		ctx, cancel := context.WithCancelCause(t.Context())
		src, j := watch(observable.Interval(msTrial)), &judgeTrial{t: t}
		sub := apply(src, passTrial).Subscribe(ctx, j)
		time.Sleep(5*msTrial + msTrial/2)
		open := !j.ended.Load()
		cancel(errTrial)
		<-sub.Done()
		synctest.Wait()
		assert.Zero(t, src.open.Load(), "the source is torn down")
		if open {
			assert.Equal(t, errTrial, j.err, "the context's cause, past every operator")
		}
	})
}

func TestContractPanicInCallback(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		var panicked atomic.Bool
		h := func(v int) int {
			if v == 2 {
				panicked.Store(true)
				panic(errTrial)
			}
			return v
		}
		src, j := watch(operators.Take(observable.Interval(msTrial), 6)), &judgeTrial{t: t}
		within(t, apply(src, h).Subscribe(t.Context(), j))
		synctest.Wait()
		assert.Zero(t, src.open.Load(), "the source is torn down")
		if panicked.Load() {
			assert.ErrorIs(t, j.err, errTrial)
			var pe *observable.PanicError
			assert.ErrorAs(t, j.err, &pe)
		}
	})
}

func TestContractPanicInObserver(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		src, j := watch(operators.Take(observable.Interval(msTrial), 6)), &judgeTrial{t: t}
		j.onNext = func(int) { panic(errTrial) }
		within(t, apply(src, passTrial).Subscribe(t.Context(), j))
		synctest.Wait()
		assert.Zero(t, src.open.Load(), "the source is torn down")
		if len(j.values) > 0 {
			assert.Len(t, j.values, 1, "nothing but the error after a panic")
			assert.ErrorIs(t, j.err, errTrial, "past every operator")
		}
	})
}

func TestContractReentrancy(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		var subject observable.Subject[int]
		j, returned := &judgeTrial{t: t}, 0
		j.onNext = func(int) {
			if len(j.values) == 1 {
				for v := range 1000 { // more than the gate's queue holds
					subject.Next(v)
				}
				subject.Complete()
			}
			returned++
		}
		sub := apply(&subject, passTrial).Subscribe(t.Context(), j)
		subject.Next(4)
		time.Sleep(10 * msTrial)
		subject.Complete()
		within(t, sub)
		synctest.Wait()
		assert.Equal(t, len(j.values), returned, "no callback waits for itself")
	})
}

// What an operator's own callback emits into the source must not wait for that callback either, and neither
// does the observer's, while other producers keep the chain busy.
func TestContractFeedback(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		var subject observable.Subject[int]
		j := &judgeTrial{t: t}
		var calls, returned, fed atomic.Int32
		feed := func() {
			calls.Add(1)
			for v := range 100 {
				if fed.Add(1) <= 1000 {
					subject.Next(v)
				}
			}
			returned.Add(1)
		}
		j.onNext = func(int) { feed() }
		sub := apply(&subject, func(v int) int {
			feed()
			return v
		}).Subscribe(t.Context(), j)
		time.Sleep(10 * msTrial) // for those that subscribe later
		produceTrial(&subject)
		subject.Complete()
		within(t, sub)
		synctest.Wait()
		assert.Equal(t, calls.Load(), returned.Load(), "no callback waits for itself")
	})
}

func TestContractSeveralProducers(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		var subject observable.Subject[int]
		src, j := watch(&subject), &judgeTrial{t: t}
		sub := apply(src, passTrial).Subscribe(t.Context(), j)
		time.Sleep(10 * msTrial) // for those that subscribe later
		produceTrial(&subject)
		subject.Complete()
		within(t, sub)
		synctest.Wait()
		assert.Zero(t, src.open.Load(), "the source is torn down")
	})
}

func TestContractSlowObserver(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		src, j := watch(operators.Take(observable.Interval(msTrial), 20)), &judgeTrial{t: t}
		j.onNext = func(int) { time.Sleep(7 * msTrial) }
		sub := apply(src, passTrial).Subscribe(t.Context(), j)
		time.Sleep(30*msTrial + msTrial/2)
		sub.Unsubscribe()
		<-sub.Done()
		synctest.Wait()
		assert.Zero(t, src.open.Load(), "the source is torn down")
		time.Sleep(7 * ms) // the observer may be at its last value still
	})
}

func TestContractSecondSubscription(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		// Off the beat of the catalogue's timers: what is due together has no order that repeats.
		applied := apply(operators.Take(observable.Interval(1700*time.Microsecond), 6), passTrial)
		first, second := &judgeTrial{t: t}, &judgeTrial{t: t}
		within(t, applied.Subscribe(t.Context(), first))
		within(t, applied.Subscribe(t.Context(), second))
		assert.Len(t, second.values, len(first.values), "a fresh run")
		assert.Equal(t, first.complete, second.complete)
		assert.Equal(t, first.err, second.err)
	})
}

func TestContractEndedContextAndNilSource(t *testing.T) {
	everyOperator(t, func(t *testing.T, apply func(stream, hook) stream) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		src, j := watch(unit), &judgeTrial{t: t}
		<-apply(src, passTrial).Subscribe(ctx, j).Done()
		assert.ErrorIs(t, j.err, context.Canceled)
		assert.Zero(t, src.made.Load(), "nothing is subscribed to")

		j = &judgeTrial{t: t}
		within(t, apply(nil, passTrial).Subscribe(t.Context(), j))
	})
}
