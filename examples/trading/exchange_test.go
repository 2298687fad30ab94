package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs the program until the test ends.
func start(t *testing.T, addr string, args ...string) *programtest.Program {
	t.Helper()
	return programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, append([]string{"-addr", addr}, args...), out)
	})
}

// dial returns a socket to a path of the program, until the test ends.
func dial(t *testing.T, p *programtest.Program, path string) *wsource.Socket {
	t.Helper()
	socket, err := wsource.Dial(t.Context(), "ws://"+p.Addr()+path, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		socket.CloseNow()
		<-socket.Done()
	})
	return socket
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-rate", "0"}, {"-rate", "1000000"}, {"-seed", "x"}, {"extra"}, {"-addr", "nowhere:x"}} {
		assert.Error(t, run(t.Context(), args, io.Discard), "%v", args)
	}
}

// TestClient is a client in Go of everything that the page uses.
func TestClient(t *testing.T) {
	p := start(t, "127.0.0.1:0", "-rate", "5000")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn := event.New(dial(t, p, "/events"), nil)
	heard := event.OnTopic[candle](conn, "candles.QAB")
	refused := conn.Errors()
	conn.Connect(ctx)

	all, err := event.Ask[[]string](ctx, conn, "symbols", struct{}{})
	require.NoError(t, err)
	assert.Len(t, all, symbols)

	quotes, err := observable.Collect(ctx, operators.Take(event.AskMany[[]trade](conn, "quotes", struct{}{}), 3))
	require.NoError(t, err)
	for _, batch := range quotes {
		assert.NotEmpty(t, batch)
		assert.LessOrEqual(t, len(batch), symbols)
	}

	got, err := observable.Collect(ctx, operators.Take(heard, 2))
	require.NoError(t, err)
	assert.Equal(t, "QAB", got[0].Value.Symbol)
	assert.Equal(t, got[0].Value.Number+1, got[1].Value.Number, "no gap")
	history, err := event.Ask[[]candle](ctx, conn, "history", "QAB")
	require.NoError(t, err)
	assert.Contains(t, history, got[1].Value)

	told := make(chan error, 1)
	sub := refused.Subscribe(ctx, observable.ObserverFuncs[error]{OnNext: func(err error) {
		select {
		case told <- err:
		default:
		}
	}})
	defer sub.Unsubscribe()
	require.NoError(t, conn.Send(ctx, &event.Envelope{Type: "candle", Topic: "candles.QAB", Data: []byte("{}")}))
	var remote *event.RemoteError
	require.ErrorAs(t, <-told, &remote, "only the exchange publishes")
}

func TestBook(t *testing.T) {
	p := start(t, "127.0.0.1:0", "-rate", "5000")
	type happened = hub.Event[string, string, change]
	for range 2 { // the second time, the book is made anew
		socket := dial(t, p, "/books/QAA")
		events := operators.TryMap(socket, wsource.DecodeFunc(wsource.JSON[happened, any]()))
		full := operators.Filter(hub.StateMaps(events), func(book map[string]level) bool { return len(book) == 2*levels })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		book, err := observable.FirstValue(ctx, full)
		cancel()
		require.NoError(t, err)
		for n := range levels - 1 {
			assert.Contains(t, book, fmt.Sprint("bid ", n))
			assert.Contains(t, book, fmt.Sprint("ask ", n))
		}
		socket.Complete()
		<-socket.Done()
	}
	_, err := observable.LastValue(t.Context(), dial(t, p, "/books/NONE"))
	assert.Equal(t, wsource.StatusPolicyViolation, wsource.CloseStatus(err))

	answer, err := http.Get("http://" + p.Addr() + "/inspect/state.json")
	require.NoError(t, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Contains(t, string(body), `"name":"trades"`)
}

func TestPage(t *testing.T) {
	b := browsertest.Start(t, true)
	p := start(t, "127.0.0.1:0", "-rate", "2000")
	addr := p.Addr()
	b.Open("http://" + addr)
	const data = `document.documentElement.dataset`
	b.Until(data + `.batches > 3 && ` + data + `.candles > 1 && ` + data + `.levels == 24`)
	assert.Equal(t, "QAA", b.Evaluate(`document.getElementById("symbol").textContent`))
	b.Until(`/^\d+\.\d\d$/.test(document.getElementById("price").textContent)`)
	const drawn = `(canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].some(v => v))`
	b.Until(drawn + `(document.getElementById("chart")) && ` + drawn + `(document.getElementById("book"))`)

	// Another symbol, by the search and the keyboard.
	b.Evaluate(`(search => { search.value = "qac"; search.dispatchEvent(new Event("input")); })(document.getElementById("search"))`)
	assert.EqualValues(t, 1, b.Evaluate(`document.querySelectorAll("#list button:not([hidden])").length`))
	b.Evaluate(`document.querySelector("#list button:not([hidden])").click()`)
	b.Until(`document.getElementById("symbol").textContent === "QAC" && document.title.startsWith("QAC ")`)

	// The program is started anew: the page comes back, and goes on with the symbol.
	p.Stop()
	b.Until(data + `.state !== "open"`)
	before := b.Evaluate(`Number(` + data + `.batches)`)
	start(t, addr)
	b.Until(fmt.Sprintf(data+`.state === "open" && %s.batches > %v`, data, before))
	b.Until(data + `.levels == 24`)
	assert.Equal(t, "QAC", b.Evaluate(`document.getElementById("symbol").textContent`))
	for _, fault := range b.Faults {
		assert.Regexp(t, `ERR_CONNECTION_REFUSED|response code: 503|closed before`, fault)
	}
}

// The inspector is at the name that the program was given with -addr.
func TestInspectorHasAName(t *testing.T) {
	site := newExchange(newMarket(1, 1), "box.example").site()
	assert.Equal(t, http.StatusOK, programtest.Status(site.Handler, "box.example:9000", "/inspect/"))
	assert.Equal(t, http.StatusMisdirectedRequest, programtest.Status(site.Handler, "elsewhere.example:9000", "/inspect/"))
	require.NoError(t, site.Close(t.Context()))
}
