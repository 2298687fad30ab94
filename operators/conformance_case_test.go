package operators_test

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// vcase is a case as the registrations see it: its arguments and sources, and the actions
// for its callbacks. The arguments are decoded JSON, whole numbers as int.
type vcase struct {
	*run
	arguments map[string]any
	inputs    []O
}

// source returns input i. The operator is applied to input 0.
func (c *vcase) source(i int) O { return c.inputs[i] }

func (c *vcase) sources() []O { return c.inputs }

func (c *vcase) args() map[string]any { return c.arguments }

func (c *vcase) has(name string) bool {
	_, ok := c.arguments[name]
	return ok
}

func (c *vcase) any(name string) any { return c.arguments[name] }

func (c *vcase) int(name string) int { return argument[int](c.arguments, name) }

func (c *vcase) str(name string) string { return argument[string](c.arguments, name) }

// bool returns an argument that is false if it is not given.
func (c *vcase) bool(name string) bool { return c.has(name) && argument[bool](c.arguments, name) }

// list returns an argument that is an array.
func (c *vcase) list(name string) []any { return argument[[]any](c.arguments, name) }

// millis returns an argument that is a number of frames.
func (c *vcase) millis(name string) time.Duration { return millis(c.int(name)) }

// spec returns an argument that is a named function or another object.
func (c *vcase) spec(name string) spec { return argument[map[string]any](c.arguments, name) }

func millis(frames int) time.Duration { return time.Duration(frames) * frame }

// frames is the inverse of millis, for durations measured by operators.
func frames(d time.Duration) int { return int(d.Round(frame) / frame) }

// argument returns a field of a type that the vectors promise.
func argument[T any](fields map[string]any, name string) T {
	v, ok := fields[name].(T)
	if !ok {
		panic(fmt.Sprintf("conformance: %q is %T, and should be %T", name, fields[name], v))
	}
	return v
}

// log records that the callback cb ran now.
func (c *vcase) log(cb string, fields map[string]any) {
	entry := map[string]any{"t": c.frame(), "cb": cb}
	maps.Copy(entry, fields)
	c.mu.Lock()
	defer c.mu.Unlock()
	entry["n"] = c.count
	c.run.log = append(c.run.log, entry)
}

// at schedules an action of the test.
func (c *vcase) at(frame int, do func()) { c.schedule(frame, groupActions, do) }

// pipe builds the observable under test of another op over src.
func (c *vcase) pipe(op string, args map[string]any, src O) O {
	build := builders[op]
	if build == nil {
		return observable.Throw[any](fmt.Errorf("no registration for %q", op))
	}
	return build(&vcase{run: c.run, arguments: args, inputs: []O{src}})
}

// indexed1 builds an observable whose callbacks want the index of their calls, counted
// anew for each subscription: next returns 0, 1, 2 ...
func indexed1(build func(next func() int) O) O {
	return observable.Defer(func() O {
		n := -1
		return build(func() int { n++; return n })
	})
}

// erase turns a stream of T into a stream of any.
func erase[T any](src observable.Observable[T]) O {
	return observable.AttachFunc[any](func(sc *observable.Scope, down observable.Stage[any]) {
		observable.Attach(src, sc, observable.Stage[T]{
			Next:     func(v T) { down.Next(v) },
			Terminal: down.Terminal,
		})
	})
}

// errBoom is the error of every callback that fails.
var errBoom = errors.New("boom")
