package observable_test

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// errTask is the error of the steps in these tests.
var errTask = errors.New("in a step")

// counting is a source whose task emits count values. Its emitter emits, and schedules
// nothing.
func counting(count int) (src observable.Observable[int], task **observable.Task, in **observable.Emitter[int]) {
	task, in = new(*observable.Task), new(*observable.Emitter[int])
	return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		next := 0
		*in = observable.NewEmitter(sc, down)
		*task = sc.NewTask(func() (more bool) {
			down.Next(next)
			next++
			return next < count
		})
	}), task, in
}

// TestTask has a task emit as many values as are delivered in one go, and more.
func TestTask(t *testing.T) {
	for _, count := range []int{1, 2, 64, 65, 1000} {
		synctest.Test(t, func(t *testing.T) {
			src, task, _ := counting(count)
			out := observabletest.NewRecorder[int]()
			src.Subscribe(t.Context(), out)
			(*task).Schedule()
			synctest.Wait()
			assert.Len(t, out.Values(), count)
			(*task).Schedule()
			synctest.Wait()
			assert.Len(t, out.Values(), count+1, "scheduled anew")
		})
	}
}

// TestTaskRunsElsewhere schedules a task while nobody holds the gate, and while a
// callback is in progress: the task runs neither inside Schedule nor beside the callback.
func TestTaskRunsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, task, in := counting(1)
		var order []string
		hold, free := make(chan struct{}), make(chan struct{})
		src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			if v == 100 {
				(*task).Schedule()
				order = append(order, "scheduled")
				<-hold
			}
			switch v {
			case 0:
				order = append(order, "run")
			case 1:
				order = append(order, "free")
				<-free
			}
		}})
		go (*in).Next(100)
		synctest.Wait()
		assert.Equal(t, []string{"scheduled"}, order)
		close(hold)
		synctest.Wait()
		assert.Equal(t, []string{"scheduled", "run"}, order)

		(*task).Schedule() // it emits 1, whose callback waits
		synctest.Wait()
		assert.Equal(t, []string{"scheduled", "run", "free"}, order)
		close(free)
	})
}

// TestTaskTakesTurns has values of another producer come between two goes of a task.
func TestTaskTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, task, in := counting(1000)
		out := observabletest.NewRecorder[int]()
		entered, hold := make(chan struct{}), make(chan struct{})
		src.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
			if v == -1 {
				close(entered)
				<-hold
			}
			out.Next(v)
		}})
		go (*in).Next(-1)
		<-entered
		(*task).Schedule()
		go (*in).Next(-2)
		synctest.Wait()
		close(hold)
		synctest.Wait()
		values := out.Values()
		assert.Len(t, values, 1002)
		assert.NotEqual(t, -2, values[len(values)-1], "it did not wait for the whole task")
	})
}

// TestTaskEnds ends the stream that a task emits into, in each way: no step is begun
// after that.
func TestTaskEnds(t *testing.T) {
	for name, end := range map[string]func(sub observable.Subscription){
		"unsubscribe": func(sub observable.Subscription) { sub.Unsubscribe() },
		"panic":       func(observable.Subscription) { panic(errTask) },
		"Goexit":      func(observable.Subscription) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var task *observable.Task
				var sub observable.Subscription
				steps := 0
				out := observabletest.NewRecorder[int]()
				sub = observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
					task = sc.NewTask(func() (more bool) {
						if steps++; steps == 2 {
							end(sub)
						}
						return true
					})
				}).Subscribe(t.Context(), out)
				task.Schedule()
				synctest.Wait()
				assert.Equal(t, 2, steps)
				<-sub.Done()
				switch name {
				case "panic":
					assert.ErrorIs(t, out.Err(), errTask)
				case "Goexit":
					assert.ErrorIs(t, out.Err(), observable.ErrGoexit)
				default:
					assert.NoError(t, out.Err())
				}
			})
		})
	}
}

// TestTaskOfAScopeThatCloses closes the scope of a queued task: its step is not called.
func TestTaskOfAScopeThatCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		called := false
		src := observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
			part := sc.Child()
			part.NewTask(func() (more bool) {
				called = true
				return false
			}).Schedule()
			part.Close()
		})
		out := observabletest.NewRecorder[int]()
		src.Subscribe(t.Context(), out)
		synctest.Wait()
		assert.False(t, called)
	})
}
