package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser is a page in a Chromium, driven over the DevTools protocol, which is JSON over a WebSocket.
type browser struct {
	t       *testing.T
	socket  *wsource.Socket
	session string
	calls   int
	faults  []string // what the page's console complained of
}

// answer is a message of the DevTools protocol: the result of a call, or an event.
type answer struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Params json.RawMessage `json:"params"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// findChromium returns the browser to test with. Without one the test is skipped, except where it must not be.
func findChromium(t *testing.T) string {
	t.Helper()
	name := os.Getenv("CHROME")
	if name == "" {
		name = "chromium"
	}
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("no browser to test the page with: %v", err)
	default:
		t.Skipf("no browser to test the page with (CHROME names one): %v", err)
	}
	return ""
}

// startBrowser starts a Chromium and opens an empty page in it.
func startBrowser(t *testing.T, dark bool) *browser {
	t.Helper()
	path := findChromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	command := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), "about:blank")
	command.WaitDelay = 5 * time.Second
	output, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	b := &browser{t: t}
	t.Cleanup(func() {
		if b.socket != nil {
			b.socket.Next(wsource.TextMessage(`{"id":0,"method":"Browser.close"}`))
			<-b.socket.Done()
		}
		cancel()
		_, _ = io.Copy(io.Discard, output) // until nothing that it started writes any more
		_ = command.Wait()                 // it was told to end, one way or the other
	})

	lines := bufio.NewScanner(output)
	url := ""
	for url == "" && lines.Scan() {
		_, url, _ = strings.Cut(lines.Text(), "DevTools listening on ")
	}
	require.NotEmpty(t, url, "the browser did not start")
	b.socket, err = wsource.Dial(ctx, url, &wsource.DialOptions{ReadLimit: 64 << 20})
	require.NoError(t, err)

	var made struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	b.call("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made)
	b.session = made.SessionID
	b.call("Log.enable", nil, nil)
	b.call("Runtime.enable", nil, nil)
	b.call("Page.enable", nil, nil)
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
	return b
}

// call calls a method of the protocol and waits for its result. A socket keeps what arrives for the next subscriber,
// so the answer is not missed, however fast it comes.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	b.calls++
	message := map[string]any{"id": b.calls, "method": method, "params": params}
	if params == nil {
		message["params"] = map[string]any{}
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	codec := wsource.JSON[answer, map[string]any]()
	encoded, err := codec.Encode(message)
	require.NoError(b.t, err)
	b.socket.Next(encoded)
	answers := operators.Tap(operators.TryMap(b.socket, wsource.DecodeFunc(codec)), b.note)
	mine := operators.Filter(answers, func(a answer) bool { return a.ID == b.calls })
	a, err := observable.FirstValue(ctx, mine)
	require.NoError(b.t, err, method)
	require.Nil(b.t, a.Error, method)
	if result != nil {
		require.NoError(b.t, json.Unmarshal(a.Result, result))
	}
}

// note keeps what the console complains of: errors of the script, what the content security policy forbade.
func (b *browser) note(a answer) {
	if a.Method == "Runtime.exceptionThrown" || a.Method == "Log.entryAdded" {
		b.faults = append(b.faults, string(a.Params))
	}
}

// evaluate runs an expression in the page, waits for it if it is a promise, and returns its value.
func (b *browser) evaluate(expression string) any {
	b.t.Helper()
	var result struct {
		Result           struct{ Value any }
		ExceptionDetails any
	}
	b.call("Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	}, &result)
	require.Nil(b.t, result.ExceptionDetails, expression)
	return result.Result.Value
}

// until waits until a condition holds in the page.
func (b *browser) until(condition string) {
	b.t.Helper()
	b.evaluate(fmt.Sprintf(`new Promise(done => {
		const look = () => (%s) ? done() : setTimeout(look, 20);
		look();
	})`, condition))
}

// inked counts the pixels on the canvas of a metric that have about the colour of its first line.
const inked = `(name => {
	const canvas = charts.get(name).canvas, probe = document.createElement("canvas").getContext("2d");
	probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--first");
	probe.fillRect(0, 0, 1, 1);
	const colour = probe.getImageData(0, 0, 1, 1).data;
	const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
	let count = 0;
	for (let i = 0; i < data.length; i += 4) {
		count += data[i + 3] > 127 && [0, 1, 2].every(c => Math.abs(data[i + c] - colour[c]) < 48);
	}
	return count;
})("goroutines")`

func TestPagePlotsWhatItReceives(t *testing.T) {
	b := startBrowser(t, false)
	m := startMonitor(t, false)
	b.call("Page.navigate", map[string]any{"url": "http://" + m.addr}, nil)
	b.until(`document.documentElement?.dataset.samples >= 2`)
	assert.Equal(t, "open", b.evaluate(`document.documentElement.dataset.state`))
	host, err := os.Hostname()
	require.NoError(t, err)
	assert.Equal(t, "Live figures of "+host, b.evaluate(`document.title`))

	// The user shortens the interval and leaves one metric out.
	b.evaluate(`(() => {
		const choice = document.getElementById("interval");
		choice.value = "100ms";
		choice.dispatchEvent(new Event("change", { bubbles: true }));
		document.querySelector("#metrics input[value=heap]").click();
	})()`)
	b.until(`document.getElementById("state").textContent === "live, every 100ms"`)
	b.until(`[...document.querySelectorAll("section")].filter(s => s.hidden).length === 1`)
	b.until(`document.documentElement.dataset.samples >= 20`)
	shown := `[...document.querySelectorAll("section:not([hidden])")]`
	b.until(shown + `.every(s => s.querySelector("canvas").dataset.points >= 20)`)
	assert.NotContains(t, b.evaluate(shown+`.map(s => s.querySelector("dd").textContent)`), "", "each has its figure")
	assert.Greater(t, b.evaluate(inked), 10.0, "the goroutines are plotted")

	// The server goes and comes back; the page finds it again and asks for what it had chosen.
	m.stop()
	b.until(`document.documentElement.dataset.state === "closed"`)
	startMonitor(t, false, "-addr", m.addr)
	before := b.evaluate(`Number(document.documentElement.dataset.samples)`)
	b.until(fmt.Sprintf(`document.documentElement.dataset.samples > %v + 10`, before))
	assert.Equal(t, "live, every 100ms", b.evaluate(`document.getElementById("state").textContent`))

	for _, fault := range b.faults {
		assert.Contains(t, fault, "ERR_CONNECTION_REFUSED", "the console complains of nothing but the server's absence")
	}
}
