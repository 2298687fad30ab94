package operators_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// diary notes the events that probes get.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) notef(format string, arguments ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, arguments...))
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, "; ")
}

// probe is one subscription in a diary.
type probe struct {
	*diary

	name  string
	blind bool // it does not want to see values
}

func (p *probe) Enter() bool     { p.notef("%s enter", p.name); return !p.blind }
func (p *probe) Show(v any)      { p.notef("%s %v", p.name, v) }
func (p *probe) Leave()          { p.notef("%s leave", p.name) }
func (p *probe) Error(err error) { p.notef("%s #%v", p.name, err) }
func (p *probe) Complete()       { p.notef("%s |", p.name) }
func (p *probe) Close()          { p.notef("%s close", p.name) }

// watchAll keeps a diary of all named streams until the test ends.
func watchAll(t *testing.T) *diary {
	t.Helper()
	d := new(diary)
	t.Cleanup(operators.WatchNamed(func(n operators.NamedSubscription) operators.Probe {
		switch down := n.Downstream.(type) {
		case nil:
			d.notef("open %s", n.Name)
		case *probe:
			d.notef("open %s above %s", n.Name, down.name)
		}
		if n.Name == "unwatched" {
			return nil
		}
		return &probe{diary: d, name: n.Name, blind: n.Name == "blind"}
	}))
	return d
}

func TestWatchNamedTellsTheLifeOfASubscription(t *testing.T) {
	d := watchAll(t)
	_, _ = observable.Collect(t.Context(), operators.Take(operators.Named(observable.Of(1, 2, 3), "a"), 1))
	assert.Equal(t, "open a; a enter; a 1; a close; a leave", d.String(), "Take ends it inside the value")

	d = watchAll(t)
	_, _ = observable.Collect(t.Context(), operators.Named(observable.Of(1), "a"))
	assert.Equal(t, "open a; a enter; a 1; a leave; a |; a close", d.String())

	d = watchAll(t)
	_, _ = observable.Collect(t.Context(), operators.Named(observable.Throw[int](errBoom), "a"))
	assert.Equal(t, "open a; a #boom; a close", d.String())

	d = watchAll(t)
	operators.Named(observable.Never[int](), "a").Subscribe(t.Context(), observabletest.NewRecorder[int]()).Unsubscribe()
	assert.Equal(t, "open a; a close", d.String())

	d = watchAll(t)
	_, _ = observable.Collect(t.Context(), operators.Named(observable.Of(1, 2), "blind"))
	assert.Equal(t, "open blind; blind enter; blind leave; blind enter; blind leave; blind |; blind close", d.String())
}

func TestWatchNamedTellsOfAPanicUpstream(t *testing.T) {
	d := watchAll(t)
	panicky := operators.Map(observable.Of(1), func(int) int { panic(errBoom) })
	_, err := observable.Collect(t.Context(), operators.Named(panicky, "a"))
	assert.Equal(t, "open a; a #"+errors.Unwrap(err).Error()+"; a close", d.String())
	assert.ErrorAs(t, err, new(*operators.NamedError))

	d = watchAll(t)
	_, _ = observable.Collect(t.Context(), operators.Map(operators.Named(observable.Of(1), "a"), func(int) int { panic(errBoom) }))
	assert.Equal(t, "open a; a enter; a 1; a close", d.String(), "one downstream is none of its errors")
}

// TestWatchNamedTellsWhatIsDownstream has named streams in one chain, with an inner
// observable and with a separate subscription between them.
func TestWatchNamedTellsWhatIsDownstream(t *testing.T) {
	opened := func(src ints) string {
		d := watchAll(t)
		_, _ = observable.Collect(t.Context(), operators.Named(src, "down"))
		var lines []string
		for _, line := range d.lines {
			if strings.HasPrefix(line, "open") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "; ")
	}
	up := operators.Named(observable.Of(1), "up")
	assert.Equal(t, "open down; open up above down", opened(operators.Take(up, 1)))
	assert.Equal(t, "open down; open up above down", opened(operators.Retry(up, 1)))
	assert.Equal(t, "open down; open unwatched above down; open up above down", opened(operators.Named(up, "unwatched")))
	assert.Equal(t, "open down; open up above down",
		opened(operators.MergeMap(observable.Of(0), func(int) ints { return up })))
	assert.Equal(t, "open down; open up above down", opened(operators.OnBackpressureBuffer(up, 4, observable.OverflowBlock, nil)))
}

type contextKey struct{}

func TestWatchNamedHandsTheValuesOfTheContext(t *testing.T) {
	var seen any
	t.Cleanup(operators.WatchNamed(func(n operators.NamedSubscription) operators.Probe {
		seen = n.Context.Value(contextKey{})
		return nil
	}))
	ctx := context.WithValue(t.Context(), contextKey{}, "here")
	_, err := observable.Collect(ctx, operators.Named(observable.Of(1), "a"))
	assert.NoError(t, err)
	assert.Equal(t, "here", seen)
}

func TestWatchNamedRestores(t *testing.T) {
	first := watchAll(t)
	second := new(diary)
	restore := operators.WatchNamed(func(n operators.NamedSubscription) operators.Probe {
		second.notef("open %s", n.Name)
		return nil
	})
	none := operators.WatchNamed(nil)
	_, _ = observable.Collect(t.Context(), operators.Named(observable.Empty[int](), "a"))
	none()
	_, _ = observable.Collect(t.Context(), operators.Named(observable.Empty[int](), "b"))
	restore()
	_, _ = observable.Collect(t.Context(), operators.Named(observable.Empty[int](), "c"))
	assert.Equal(t, "open b", second.String())
	assert.Equal(t, "open c; c |; c close", first.String())
}

// BenchmarkNamed is the cost of a value that passes a named stream: without the name,
// with it, and with a watcher that does not want to see values.
func BenchmarkNamed(b *testing.B) {
	run := func(b *testing.B, src func(ints) ints) {
		b.ReportAllocs()
		src(observable.Range(0, b.N)).Subscribe(b.Context(), observable.ObserverFuncs[int]{})
	}
	name := func(src ints) ints { return operators.Named(src, "bench") }
	b.Run("no name", func(b *testing.B) { run(b, func(src ints) ints { return src }) })
	b.Run("unwatched", func(b *testing.B) { run(b, name) })
	b.Run("watched", func(b *testing.B) {
		defer operators.WatchNamed(func(operators.NamedSubscription) operators.Probe { return new(countingProbe) })()
		run(b, name)
	})
}

// countingProbe counts values.
type countingProbe struct{ values int }

func (p *countingProbe) Enter() bool { p.values++; return false }
func (p *countingProbe) Show(any)    {}
func (p *countingProbe) Leave()      {}
func (p *countingProbe) Error(error) {}
func (p *countingProbe) Complete()   {}
func (p *countingProbe) Close()      {}
