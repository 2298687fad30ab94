package observabletest

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
)

// UnhandledErrors are the failures of a test that no observer heard. [Unhandled] makes
// one.
type UnhandledErrors struct {
	mu  sync.Mutex
	all []*observable.UnhandledError
}

// Unhandled records, until the test ends, the failures that no observer hears. They do
// not reach the log, or the handler that [observable.OnUnhandled] has set, meanwhile.
//
// The handler is one for the program: a test that calls Unhandled must not run in
// parallel with other tests that have such failures, as it would record them too.
func Unhandled(tb testing.TB) *UnhandledErrors {
	tb.Helper()
	u := new(UnhandledErrors)
	tb.Cleanup(observable.OnUnhandled(func(err *observable.UnhandledError) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.all = append(u.all, err)
	}))
	return u
}

// All returns the failures so far, in the order in which they came up. It may be called
// while more of them come.
func (u *UnhandledErrors) All() []*observable.UnhandledError {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.all)
}

// String returns the failures so far in words, a line for each: "" if there is none.
func (u *UnhandledErrors) String() string {
	all := u.All()
	lines := make([]string, len(all))
	for i, err := range all {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Expect fails the test unless there have been as many failures as texts, in their order,
// and each failure's message contains its text. Without texts it expects that there was
// none.
func (u *UnhandledErrors) Expect(tb testing.TB, texts ...string) {
	tb.Helper()
	all := u.All()
	for i, err := range all {
		if i >= len(texts) {
			tb.Errorf("observabletest: unhandled error %d is one too many: %v", i, err)
		} else if !strings.Contains(err.Error(), texts[i]) {
			tb.Errorf("observabletest: unhandled error %d does not contain %q: %v", i, texts[i], err)
		}
	}
	for _, text := range texts[min(len(all), len(texts)):] {
		tb.Errorf("observabletest: no unhandled error contains %q: there were %d in all", text, len(all))
	}
}
