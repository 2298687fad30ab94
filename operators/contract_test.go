package operators_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// TestCatalogueIsWhole fails when an exported function that returns an observable is not
// in the catalogue, and so has no trials, or has no marble diagram or no Example.
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

// TestContractCompletion has sources of 0 to 5 values complete: in time, in time and from
// elsewhere, and inside Subscribe.
func TestContractCompletion(t *testing.T) { everyOperator(t, completes) }

func completes(t reporter, e entry) {
	for n, want := range e.runs {
		src := watch(beats(n, completing))
		expect(t, src, e.apply(src, passTrial), want, "%d values", n)
		src = watch(foreign{beats(n, completing)})
		expect(t, src, e.apply(foreign{src}, passTrial), want, "%d values from elsewhere", n)
		src = watch(observable.Range(0, n))
		switch {
		case e.racing:
			judged(t, src, e, n)
		case e.burst != nil:
			expect(t, src, e.apply(src, passTrial), e.burst[n], "%d values at once", n)
		default:
			expect(t, src, e.apply(src, passTrial), want, "%d values at once", n)
		}
	}
}

// judged compares the outcome of n values at once with the entry's law.
func judged(t reporter, src *watched, e entry, n int) {
	got := observabletest.NewRecorder[int]()
	finish(t, e.apply(src, passTrial).Subscribe(context.Background(), got))
	obeys(t, got, src)
	assert.True(t, got.Completed())
	e.law(t, got.Values(), [][]int{numbers(0, n)})
}

// TestContractError has the source fail after some values.
func TestContractError(t *testing.T) { everyOperator(t, fails) }

func fails(t reporter, e entry) {
	src := watch(beats(3, failingTrial))
	expect(t, src, e.apply(src, passTrial), e.fails)
}

// TestContractUnsubscribe ends the subscription while the source goes on.
func TestContractUnsubscribe(t *testing.T) { everyOperator(t, unsubscribes) }

func unsubscribes(t reporter, e entry) {
	src, got := watch(beats(5, staying)), observabletest.NewRecorder[int]()
	sub := e.apply(src, passTrial).Subscribe(context.Background(), got)
	time.Sleep(longTrial)
	sub.Unsubscribe()
	assert.True(t, over(sub), "Done closes after Unsubscribe")
	obeys(t, got, src)
	time.Sleep(time.Second)
	isOutcome(t, e.stays, got, "nothing comes after Unsubscribe, which is silent")
}

// TestContractTake has downstream end after the first value.
func TestContractTake(t *testing.T) { everyOperator(t, isTakenFrom) }

func isTakenFrom(t reporter, e entry) {
	isTaken(t, e, beats(5, staying), e.stays)
	isTaken(t, e, beats(5, completing), e.runs[5])
}

func isTaken(t reporter, e entry, source stream, want string) {
	if values, _ := split(want); len(values) > 0 {
		want = values[0] + " |"
	}
	src, got := watch(source), observabletest.NewRecorder[int]()
	expectOf(t, src, operators.Take(e.apply(src, passTrial), 1), got, want)
	if events := got.Events(); got.Completed() && len(events) == 2 {
		assert.Equal(t, events[0].At, events[1].At, "Take ends at once")
	}
}

// TestContractContext ends the context while the source goes on: the cause comes past
// every operator.
func TestContractContext(t *testing.T) { everyOperator(t, endsWithContext) }

func endsWithContext(t reporter, e entry) {
	ctx, cancel := context.WithCancelCause(context.Background())
	src, got := watch(beats(5, staying)), observabletest.NewRecorder[int]()
	sub := e.apply(src, passTrial).Subscribe(ctx, got)
	time.Sleep(longTrial)
	cancel(errTrial)
	if !assert.True(t, over(sub), "the end of the context is that of the subscription") {
		sub.Unsubscribe()
	}
	obeys(t, got, src)
	want := e.stays
	if values, end := split(want); end == "" {
		want = outcomeOf(values, "#trial")
	}
	isOutcome(t, want, got, "the context's cause, past every operator")
}

// TestContractEndedContext subscribes with a context that has ended.
func TestContractEndedContext(t *testing.T) { everyOperator(t, refusesEndedContext) }

func refusesEndedContext(t reporter, e entry) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	src, got := watch(beats(1, completing)), observabletest.NewRecorder[int]()
	assert.True(t, finish(t, e.apply(src, passTrial).Subscribe(ctx, got)))
	obeys(t, got, src)
	isOutcome(t, "#canceled", got)
	assert.Zero(t, src.made.Load(), "nothing is subscribed to")
}

// TestContractNilSource gives the operator no source.
func TestContractNilSource(t *testing.T) { everyOperator(t, refusesNilSource) }

func refusesNilSource(t reporter, e entry) {
	want := e.ofNil
	if want == "" {
		want = "#argument"
	}
	expect(t, watch(nil), e.apply(nil, passTrial), want)
}

// TestContractSecondSubscription subscribes again when the first subscription is over,
// and twice at a time.
func TestContractSecondSubscription(t *testing.T) { everyOperator(t, startsAnew) }

func startsAnew(t reporter, e entry) {
	src := watch(beats(5, completing))
	applied := e.apply(src, passTrial)
	expect(t, src, applied, e.runs[5], "the first subscription")
	expect(t, src, applied, e.runs[5], "the second subscription")

	applied = e.apply(src, passTrial)
	one, two := observabletest.NewRecorder[int](), observabletest.NewRecorder[int]()
	subOne := applied.Subscribe(context.Background(), one)
	subTwo := applied.Subscribe(context.Background(), two)
	finish(t, subOne)
	finish(t, subTwo)
	obeys(t, one, src)
	obeys(t, two, src)
	isOutcome(t, e.runs[5], one, "one of two subscriptions at a time")
	isOutcome(t, e.runs[5], two, "the other of two subscriptions at a time")
}
