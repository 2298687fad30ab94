package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// intruder is a foreign observable that calls a function when it is subscribed to, then
// emits one value and completes.
type intruder struct {
	intrude func()
	value   any
}

func (i intruder) Subscribe(_ context.Context, observer observable.Observer[any]) observable.Subscription {
	i.intrude()
	observer.Next(i.value)
	observer.Complete()
	return nil
}

// lettingIn calls intrude with each value of src, before the value passes. It works as a
// stage that calls foreign code: values that intrude emits into the chain are delivered
// at once, inside that call.
func lettingIn(src O, intrude func(v any)) O {
	return observable.AttachFunc[any](func(sc *observable.Scope, down observable.Stage[any]) {
		observable.Attach(src, sc, observable.Stage[any]{
			Next: func(v any) {
				sc.ConnectAll(func() { intrude(v) })
				down.Next(v)
			},
			Terminal: down.Terminal,
		})
	})
}

// TestNothingPassesAfterTheLastValue has the source emit once more while downstream
// handles the last value: the source is torn down only after that, and no further value
// must pass.
func TestNothingPassesAfterTheLastValue(t *testing.T) {
	type source = observable.Observable[int]
	positive := func(v int) bool { return v > 0 }
	above1 := func(v int) bool { return v > 1 }
	fails := func(int) (bool, error) { return false, errBoom }
	tryFails := func(int, int) (int, error) { return 0, errBoom }
	completion := func(int) operators.Notification[int] {
		return operators.Notification[int]{Kind: operators.CompleteNotification}
	}
	for name, test := range map[string]struct {
		op   func(src source) O
		want any
	}{
		"First":      {func(src source) O { return erase(operators.First(src)) }, 1},
		"FirstWhere": {func(src source) O { return erase(operators.FirstWhere(src, positive)) }, 1},
		"ElementAt":  {func(src source) O { return erase(operators.ElementAt(src, 0)) }, 1},
		"Find": {func(src source) O { return erase(operators.Find(src, positive)) },
			operators.Found[int]{Value: 1, OK: true}},
		"FindIndex": {func(src source) O { return erase(operators.FindIndex(src, positive)) }, 0},
		"IsEmpty":   {func(src source) O { return erase(operators.IsEmpty(src)) }, false},
		"Every":     {func(src source) O { return erase(operators.Every(src, above1)) }, false},
		"Dematerialize": {func(src source) O {
			return erase(operators.ToSlice(operators.Dematerialize(operators.Map(src, completion))))
		}, []int{}},
		"TakeWhile": {func(src source) O {
			return erase(operators.ToSlice(operators.TakeWhile(src, above1)))
		}, []int{}},
		"TakeWhileInclusive": {func(src source) O { return erase(operators.TakeWhileInclusive(src, above1)) }, 1},
		"SequenceEqual": {func(src source) O {
			return erase(operators.SequenceEqual(src, observable.Of(7)))
		}, false},
		"TryFilter": {func(src source) O { return ending(operators.TryFilter(src, fails)) },
			operators.ErrorNotification},
		"TryScan": {func(src source) O { return ending(operators.TryScan(src, 0, tryFails)) },
			operators.ErrorNotification},
		"TryReduce": {func(src source) O { return ending(operators.TryReduce(src, 0, tryFails)) },
			operators.ErrorNotification},

		// These emit when their source completes; a Take completes it before its own
		// source does.
		"Reduce":  {func(src source) O { return erase(operators.Reduce(operators.Take(src, 1), 0, sum)) }, 1},
		"Fold":    {func(src source) O { return erase(operators.Fold(operators.Take(src, 1), sum)) }, 1},
		"ToSlice": {func(src source) O { return erase(operators.ToSlice(operators.Take(src, 1))) }, []int{1}},
		"Count":   {func(src source) O { return erase(operators.Count(operators.Take(src, 1))) }, 1},
		"Last":    {func(src source) O { return erase(operators.Last(operators.Take(src, 1))) }, 1},
		"TakeLast": {func(src source) O {
			return erase(operators.TakeLast(operators.Take(src, 1), 3))
		}, 1},
		"Single": {func(src source) O { return erase(operators.Single(operators.Take(src, 1))) }, 1},
		"SingleWhere": {func(src source) O {
			return erase(operators.SingleWhere(operators.Take(src, 1), positive))
		}, 1},
		"EndWith":        {func(src source) O { return erase(operators.EndWith(empties(src), 8)) }, 8},
		"DefaultIfEmpty": {func(src source) O { return erase(operators.DefaultIfEmpty(empties(src), 8)) }, 8},
		"Materialize":    {func(src source) O { return ending(empties(src)) }, operators.CompleteNotification},
	} {
		t.Run(name, func(t *testing.T) {
			var inputs []observable.Observer[int]
			var half source = foreign{observable.New(func(_ context.Context, observer observable.Observer[int]) func() {
				inputs = append(inputs, observer)
				return nil
			})}
			intrusions := 0
			out := lettingIn(test.op(operators.Merge(half, half)), func(any) {
				if intrusions++; intrusions == 1 {
					inputs[1].Next(99)
					inputs[1].Error(errBoom)
				}
			})
			got := observabletest.NewRecorder[any]()
			sub := out.Subscribe(t.Context(), got)
			inputs[0].Next(1)
			<-sub.Done()
			assert.Equal(t, []any{test.want}, got.Values())
			assert.True(t, got.Completed())
			require.NoError(t, got.Err())
			assert.Empty(t, got.Breaches())
			assert.Equal(t, 1, intrusions)
		})
	}
}

// TestNothingPassesAfterTheErrorOfANotifier has the source emit and complete while
// downstream handles the error of the operator's other observable.
func TestNothingPassesAfterTheErrorOfANotifier(t *testing.T) {
	for name, op := range map[string]func(src, notifier ints) O{
		"Buffer": func(src, notifier ints) O { return erase(operators.Buffer(src, notifier)) },
		"BufferWhen": func(src, notifier ints) O {
			return erase(operators.BufferWhen(src, func() ints { return notifier }))
		},
		"BufferToggle": func(src, notifier ints) O {
			return erase(operators.BufferToggle(src, operators.StartWith(notifier, 0), func(int) ints { return silent }))
		},
		"BufferToggle's closing": func(src, notifier ints) O {
			return erase(operators.BufferToggle(src, observable.Of(0), func(int) ints { return notifier }))
		},
		"SkipUntil":     func(src, notifier ints) O { return erase(operators.SkipUntil(src, notifier)) },
		"DistinctFlush": func(src, notifier ints) O { return erase(operators.DistinctFlush(src, passTrial, notifier)) },
	} {
		t.Run(name, func(t *testing.T) {
			var src, notifier observable.Subject[int]
			failing := op(foreign{&src}, foreign{&notifier})
			out := observable.AttachFunc[any](func(sc *observable.Scope, down observable.Stage[any]) {
				observable.Attach(failing, sc, observable.Stage[any]{Next: down.Next, Terminal: &observable.TerminalFuncs{
					OnError: func(err error) {
						sc.ConnectAll(func() {
							src.Next(99)
							src.Complete()
						})
						down.Error(err)
					},
					OnComplete: down.Complete,
				}})
			})
			got := observabletest.NewRecorder[any]()
			sub := out.Subscribe(t.Context(), got)
			notifier.Error(errBoom)
			<-sub.Done()
			assert.Equal(t, "#boom", got.String())
			assert.Empty(t, got.Breaches())
		})
	}
}

// empties completes at the first value of src, without it.
func empties(src observable.Observable[int]) observable.Observable[int] {
	return operators.Filter(operators.Take(src, 1), func(v int) bool { return v > 1 })
}

// ending materializes the end of src, and drops its values.
func ending(src observable.Observable[int]) O {
	return erase(operators.Map(operators.Materialize(operators.IgnoreElements(src)),
		func(n operators.Notification[int]) operators.NotificationKind { return n.Kind }))
}
