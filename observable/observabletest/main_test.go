package observabletest_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable/observabletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = time.Millisecond

// probe stands in for a test, to observe its failure.
type probe struct {
	testing.TB

	mu    sync.Mutex
	lines []string
}

func (p *probe) Helper() {}

func (p *probe) Error(args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, strings.TrimSuffix(fmt.Sprintln(args...), "\n"))
}

func (p *probe) Errorf(format string, args ...any) { p.Error(fmt.Sprintf(format, args...)) }

func (p *probe) Fatal(args ...any) {
	p.Error(args...)
	runtime.Goexit()
}

func (p *probe) Fatalf(format string, args ...any) { p.Fatal(fmt.Sprintf(format, args...)) }

// failures returns the messages that the test failed with.
func (p *probe) failures() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// failing returns the messages with which f makes the test fail.
func failing(t *observabletest.T, f func()) string {
	tb := t.TB
	p := &probe{TB: tb}
	t.TB = p
	defer func() { t.TB = tb }()
	done := make(chan struct{})
	go func() { // Fatal ends this goroutine
		defer close(done)
		f()
	}()
	<-done
	return p.failures()
}

// leaving returns the messages with which Run fails a test because of its function.
func leaving(t *testing.T, test func(t *observabletest.T)) string {
	t.Helper()
	p := &probe{}
	observabletest.Run(t, func(t *observabletest.T) {
		p.TB, t.TB = t.TB, p
		test(t)
	})
	return p.failures()
}
