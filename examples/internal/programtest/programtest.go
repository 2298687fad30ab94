// Package programtest runs an example program inside its test and reads its output.
package programtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience bounds steps that should take no time.
const patience = 2 * time.Minute

// Screen collects the output of a program.
type Screen struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed at the next change, if a test waits for one
}

// Write adds to the text.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return s.text.Write(p)
}

// String returns the text so far.
func (s *Screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// next returns the text so far, and a channel that is closed when there is more.
func (s *Screen) next() (text string, more <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.text.String(), s.changed
}

// Until waits until the text matches an expression, and returns the match and its groups.
func (s *Screen) Until(t *testing.T, expression string) []string {
	t.Helper()
	wanted := regexp.MustCompile(expression)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		text, more := s.next()
		if match := wanted.FindStringSubmatch(text); match != nil {
			return match
		}
		select {
		case <-more:
		case <-ctx.Done():
			require.Regexp(t, wanted, text, "the program has not printed it")
		}
	}
}

// Status returns the status for a GET from this machine that names the server by a host.
func Status(handler http.Handler, host, path string) int {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
	r.Host, r.RemoteAddr = host, "127.0.0.1:50000"
	handler.ServeHTTP(w, r)
	return w.Code
}

// Program is a program that runs.
type Program struct {
	Screen

	// Stop does the same as Ctrl-C, and waits for the end. It may be called again.
	Stop func()

	t     *testing.T
	ended chan struct{}
	err   error
}

// Start runs a program until the test ends, which fails if the program does.
func Start(t *testing.T, run func(ctx context.Context, out io.Writer) error) *Program {
	t.Helper()
	ctx, interrupt := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &Program{t: t, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = run(ctx, &p.Screen)
	}()
	p.Stop = sync.OnceFunc(func() {
		interrupt()
		assert.NoError(t, p.Wait())
	})
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections() // a server would wait for these
		p.Stop()
	})
	return p
}

// Wait waits until the program ends by itself, and returns its error.
func (p *Program) Wait() error {
	<-p.ended
	return p.err
}

// Addr waits until the program has told its address, as HOST:PORT behind a scheme, and
// returns the address.
func (p *Program) Addr() string {
	p.t.Helper()
	return p.Until(p.t, `(?m)^\S.* (?:http|ws)://([^/\s;]+)`)[1]
}
