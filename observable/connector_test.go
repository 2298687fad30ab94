package observable_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// TestSpawnUsesItsGoroutineAgain spawns functions that return, wait, and end their
// goroutine, while one goroutine stays in the gate. At the end all goroutines have ended;
// the bubble checks that.
func TestSpawnUsesItsGoroutineAgain(t *testing.T) {
	returns := func(chan struct{}) {}
	waits := func(wait chan struct{}) {
		observable.Waiting()
		<-wait
	}
	exits := func(chan struct{}) { runtime.Goexit() }
	for name, test := range map[string]struct {
		spawned []func(wait chan struct{})
		want    int // goroutines
	}{
		"one":                      {[]func(chan struct{}){returns}, 1},
		"all return":               {[]func(chan struct{}){returns, returns, returns}, 1},
		"the first waits":          {[]func(chan struct{}){waits, returns, returns}, 2},
		"each other one waits":     {[]func(chan struct{}){returns, waits, returns, waits, returns}, 3},
		"one ends its goroutine":   {[]func(chan struct{}){returns, exits, returns}, 2},
		"nobody is left to use it": {[]func(chan struct{}){waits, waits, waits}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var used []string
				wait := make(chan struct{})
				src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
					for _, f := range test.spawned {
						sc.Spawn(func() {
							used = append(used, goroutineName())
							f(wait)
						})
					}
					down.Complete()
				})
				sub := src.Subscribe(context.Background(), observable.ObserverFuncs[int]{})
				close(wait)
				<-sub.Done()
				assert.Len(t, used, len(test.spawned))
				slices.Sort(used)
				assert.Len(t, slices.Compact(used), test.want)
			})
		})
	}
}

// goroutineName returns a text that tells the goroutine from others.
func goroutineName() string {
	text := make([]byte, 64)
	name, _, _ := strings.Cut(string(text[:runtime.Stack(text, false)]), " [")
	return name
}
