// Package browsertest has a page in a Chromium, for tests of pages that use sockets. The
// page is driven over the DevTools protocol, which is JSON over a WebSocket.
//
//	b := browsertest.Start(t, false)
//	b.Open(server.URL)
//	b.Until(`document.title === "lobby"`)
package browsertest

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// Browser is a page in a Chromium.
type Browser struct {
	// Faults are the complaints of the page's console.
	Faults []string

	t       *testing.T
	process *process
	session string
}

// process is a Chromium, which has a page or several.
type process struct {
	socket *wsource.Socket
	calls  int
	pages  map[string]*Browser // by their sessions
}

// answer is a message of the DevTools protocol: the result of a call, or an event.
type answer struct {
	ID        int             `json:"id"`
	Method    string          `json:"method"`
	SessionID string          `json:"sessionId"`
	Result    json.RawMessage `json:"result"`
	Params    json.RawMessage `json:"params"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Missing skips a test that needs something which this machine lacks, and fails it where
// the environment has CI=true.
func Missing(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: %v", what, err)
	}
	t.Skipf("%s is missing: %v", what, err)
}

// lifetime bounds a browser whose test does not end.
const lifetime = 8 * time.Minute

// Start starts a Chromium that lives until the test ends, and opens an empty page in it,
// in dark colours or in light ones. The environment's CHROME names another Chromium.
// Without one the test is skipped; it fails where the environment has CI=true.
func Start(t *testing.T, dark bool) *Browser {
	t.Helper()
	path, err := exec.LookPath(cmp.Or(os.Getenv("CHROME"), "chromium"))
	if err != nil {
		Missing(t, "Chromium (CHROME names it)", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), lifetime) // whose end comes before the cleanup
	//nolint:gosec // the caller of the test names the program
	command := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), "about:blank")
	command.WaitDelay = 5 * time.Second
	output, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	p := &process{pages: make(map[string]*Browser)}
	t.Cleanup(func() {
		cancel()
		if p.socket != nil {
			<-p.socket.Done()
		}
		_, _ = io.Copy(io.Discard, output) // until nothing that it started writes any more
		_ = command.Wait()                 // it was told to end, one way or the other
	})

	lines := bufio.NewScanner(output)
	url := ""
	for url == "" && lines.Scan() {
		_, url, _ = strings.Cut(lines.Text(), "DevTools listening on ")
	}
	require.NotEmpty(t, url, "the browser did not start")
	p.socket, err = wsource.Dial(ctx, url, &wsource.DialOptions{ReadLimit: 64 << 20})
	require.NoError(t, err)
	b := p.open(t, nil)
	b.Dark(dark)
	return b
}

// Another opens an empty page in the same Chromium, as somebody else has it: with cookies
// of its own, and in a window of its own, so that neither page is hidden by the other. It
// is closed when the test given ends, which may be a subtest. All pages of a Chromium are
// used by one goroutine.
func (b *Browser) Another(t *testing.T) *Browser {
	t.Helper()
	browser := &Browser{t: t, process: b.process} // no page of it
	var person struct {
		ID string `json:"browserContextId"`
	}
	browser.Call("Target.createBrowserContext", nil, &person)
	other := b.process.open(t, map[string]any{"browserContextId": person.ID, "newWindow": true})
	t.Cleanup(func() {
		browser.Call("Target.disposeBrowserContext", person, nil)
		delete(b.process.pages, other.session)
	})
	return other
}

// open opens an empty page.
func (p *process) open(t *testing.T, where map[string]any) *Browser {
	t.Helper()
	b := &Browser{t: t, process: p}
	target := map[string]any{"url": "about:blank"}
	maps.Copy(target, where)
	var made struct{ TargetID, SessionID string }
	b.Call("Target.createTarget", target, &made)
	b.Call("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made)
	b.session = made.SessionID
	p.pages[b.session] = b
	b.Call("Log.enable", nil, nil)
	b.Call("Runtime.enable", nil, nil)
	b.Call("Page.enable", nil, nil)
	return b
}

// Dark changes the page's colours to dark ones, or to light ones.
func (b *Browser) Dark(dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.Call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
}

// Open navigates to a URL and waits until the page has loaded.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.Call("Page.navigate", map[string]any{"url": url}, nil)
	b.Until(`document.readyState === "complete" && location.origin !== "null"`)
}

// Call calls a method of the protocol and waits for its result, which it reads into
// result unless that is nil.
func (b *Browser) Call(method string, params, result any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.t.Context()), 30*time.Second) // a test may clean up by it
	defer cancel()
	b.process.calls++
	id := b.process.calls
	message := map[string]any{"id": id, "method": method, "params": params}
	if params == nil {
		message["params"] = map[string]any{}
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	codec := wsource.JSON[answer, map[string]any]()
	encoded, err := codec.Encode(message)
	require.NoError(b.t, err)
	b.process.socket.Next(encoded)
	// A socket keeps messages for its next subscriber, so that no answer comes too
	// early.
	answers := operators.Tap(operators.TryMap(b.process.socket, wsource.DecodeFunc(codec)), b.process.note)
	mine := operators.Filter(answers, func(a answer) bool { return a.ID == id })
	a, err := observable.FirstValue(ctx, mine)
	require.NoError(b.t, err, "%s %v; the console says %q", method, params, b.Faults)
	require.Nil(b.t, a.Error, method)
	if result != nil {
		require.NoError(b.t, json.Unmarshal(a.Result, result))
	}
}

// note keeps the complaints of a page's console: errors of the script, messages that the
// script writes as errors, and violations of the content security policy.
func (p *process) note(a answer) {
	b := p.pages[a.SessionID]
	if b == nil {
		return
	}
	switch a.Method {
	case "Runtime.consoleAPICalled":
		var call struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(a.Params, &call) != nil || call.Type != "error" && call.Type != "assert" {
			return
		}
		fallthrough
	case "Runtime.exceptionThrown", "Log.entryAdded":
		b.Faults = append(b.Faults, string(a.Params))
	}
}

// Evaluate runs an expression in the page and returns its value, or the value of the
// promise if it is one.
func (b *Browser) Evaluate(expression string) any {
	b.t.Helper()
	var result struct {
		Result           struct{ Value any }
		ExceptionDetails any
	}
	b.Call("Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	}, &result)
	require.Nil(b.t, result.ExceptionDetails, expression)
	return result.Result.Value
}

// Until waits until a condition, an expression of JavaScript, holds in the page.
func (b *Browser) Until(condition string) {
	b.t.Helper()
	b.Evaluate(fmt.Sprintf(`new Promise(done => {
		const look = () => (%s) ? done() : setTimeout(look, 20);
		look();
	})`, condition))
}
