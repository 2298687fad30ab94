//go:build interleave

package judge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Fails explores a program that must fail, and returns the text of the failure.
func Fails(t testing.TB, config interleave.Config, program func(p *Program)) string {
	t.Helper()
	a := &Attempt{TB: t}
	ExploreWith(a, config, program)
	if !a.Failed() {
		t.Fatalf("the exploration passes: %s", a.Text())
	}
	return a.Text()
}

// Attempt is a test that may fail without harm. TB is the test that it belongs to.
type Attempt struct {
	testing.TB

	failed bool
	text   strings.Builder
}

// Text returns the text of the log.
func (a *Attempt) Text() string { return a.text.String() }

// Helper does nothing.
func (a *Attempt) Helper() {}

// Name returns a name that is no test's.
func (a *Attempt) Name() string { return "Attempt" }

// Failed reports whether there was an error.
func (a *Attempt) Failed() bool { return a.failed }

// Log writes to the log.
func (a *Attempt) Log(args ...any) { fmt.Fprintln(&a.text, args...) }

// Logf writes to the log.
func (a *Attempt) Logf(format string, args ...any) { fmt.Fprintf(&a.text, format+"\n", args...) }

// Error is Log, and the attempt has failed.
func (a *Attempt) Error(args ...any) {
	a.failed = true
	a.Log(args...)
}

// Errorf is Logf, and the attempt has failed.
func (a *Attempt) Errorf(format string, args ...any) {
	a.failed = true
	a.Logf(format, args...)
}
