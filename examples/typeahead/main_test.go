package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
	"github.com/rxsocket/rxsocket/wsource/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, args ...string) *programtest.Program {
	t.Helper()
	return programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, append([]string{"-addr", "127.0.0.1:0", "-pause", "1ms"}, args...), out)
	})
}

// typist is a page.
type typist struct {
	t     *testing.T
	typed observable.Observer[string]
	steps <-chan search
}

func visit(t *testing.T, p *programtest.Program) *typist {
	t.Helper()
	socket, err := wsource.Dial(t.Context(), "ws://"+p.Addr()+"/live", nil)
	require.NoError(t, err)
	t.Cleanup(socket.CloseNow)
	conn := event.New(socket, nil)
	steps, _ := observable.ToChan(t.Context(), event.OnValue[search](conn, "search"), 100, observable.OverflowBlock)
	conn.Connect(t.Context())
	return &typist{t, event.Emit[string](conn, "typed"), steps}
}

// expect waits for a step of a search.
func (y *typist) expect(state, text string) search {
	y.t.Helper()
	s, ok := <-y.steps
	require.True(y.t, ok, "the connection is over")
	require.Equal(y.t, state+" "+text, s.State+" "+s.Text)
	return s
}

func TestAnswers(t *testing.T) {
	y := visit(t, start(t, "-work", "0"))
	y.typed.Next("HTTP.serve")
	y.expect("asked", "HTTP.serve")
	answer := y.expect("answered", "HTTP.serve")
	assert.Equal(t, symbol{Package: "net/http", Kind: "func", Name: "Serve"}, answer.Matches[0], "the nearest first")
	assert.GreaterOrEqual(t, answer.Total, len(answer.Matches))

	y.typed.Next("  HTTP.serve ") // this is the same text
	y.typed.Next("no such symbol")
	y.expect("asked", "no such symbol")
	assert.Zero(t, y.expect("answered", "no such symbol").Total)
	y.typed.Next("")
	assert.Empty(t, y.expect("answered", "").Matches)
}

func TestSearchesAreCancelled(t *testing.T) {
	p := start(t, "-work", "24h")
	y := visit(t, p)
	y.typed.Next("h")
	y.expect("asked", "h")
	y.typed.Next("ht")
	steps := map[string]bool{}
	for range 2 { // they come in any order
		s := <-y.steps
		steps[s.State+" "+s.Text] = true
	}
	assert.Equal(t, map[string]bool{"cancelled h": true, "asked ht": true}, steps)

	// Another page's search is its own. The end of a page is the end of its search.
	other := visit(t, p)
	other.typed.Next("other")
	other.expect("asked", "other")
	p.Stop() // searches that would take a day hold up nothing
	assert.Regexp(t, `(cancelled|failed)  +"ht" after `, p.String(), "by the end of the page, or of the index")
}

func TestIndexStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &index{symbols: readSymbols("package a/b\nfunc Cd\ntype E\nmethod E.Cd\npackage cd\n"), work: time.Second}
		start := time.Now()
		answer, err := x.search(t.Context(), "CD")
		require.NoError(t, err)
		assert.Equal(t, time.Second, time.Since(start))
		var names []string
		for _, s := range answer.Matches {
			names = append(names, s.Kind+" "+s.Package+" "+s.Name)
		}
		assert.Equal(t, []string{"func a/b Cd", "method a/b E.Cd", "package cd "}, names)

		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, event.ErrCancelled)
		defer cancel()
		_, err = x.search(ctx, "cd")
		require.ErrorIs(t, err, event.ErrCancelled)
	})
}

func TestSymbols(t *testing.T) {
	symbols := readSymbols(symbolsText)
	assert.Greater(t, len(symbols), 5000)
	found := 0
	for _, s := range symbols {
		require.NotEmpty(t, s.Package)
		require.Contains(t, []string{"package", "func", "type", "method"}, s.Kind)
		require.NotContains(t, "/"+s.Package+"/", "/internal/")
		if s.key == "net/http.servemux.servehttp" {
			found++
		}
	}
	assert.Equal(t, 1, found)
}

func TestMistakesAreNamed(t *testing.T) {
	for wanted, args := range map[string]string{
		"is negative":              "-work -1s",
		"cannot listen on nowhere": "-addr nowhere",
	} {
		require.ErrorContains(t, run(t.Context(), strings.Fields(args), io.Discard), wanted)
	}
	require.NoError(t, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-duration", "1ms"}, io.Discard))
}

func TestPage(t *testing.T) {
	b := browsertest.Start(t, false)
	p := start(t, "-work", "1s")
	b.Call("Page.navigate", map[string]any{"url": "http://" + p.Addr()}, nil)
	const live = `document.documentElement?.dataset.state === "open"`
	b.Until(live)
	enter := func(text string) {
		b.Evaluate(`document.getElementById("text").focus()`)
		b.Call("Input.insertText", map[string]any{"text": text}, nil)
	}
	line := func(state, text string) string {
		return fmt.Sprintf(`[...document.querySelectorAll("#searches .%s")].some(l => l.firstChild.textContent === %q)`, state, text)
	}
	enter("http")
	b.Until(line("asked", "http"))
	enter(".ServeM")
	b.Until(line("cancelled", "http"))
	b.Until(line("answered", "http.ServeM"))
	const first = `document.querySelector("#matches a")`
	assert.Equal(t, "https://pkg.go.dev/net/http#ServeMux", b.Evaluate(first+`.href`))
	assert.Equal(t, "http.ServeM", b.Evaluate(first+`.querySelector("mark").textContent`))
	b.Evaluate(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }))`)
	assert.Equal(t, true, b.Evaluate(`document.activeElement === `+first))
	b.Evaluate(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }))`)

	// The server goes and comes back; the page searches for the text typed meanwhile.
	addr := p.Addr()
	p.Stop()
	b.Until(`document.getElementById("state").textContent.startsWith("no connection")`)
	enter("ux")
	programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-addr", addr, "-work", "0"}, out)
	})
	b.Until(line("answered", "http.ServeMux"))
	for _, fault := range b.Faults {
		assert.Regexp(t, `ERR_CONNECTION_REFUSED|status of 503|response code: 503`, fault)
	}
}
