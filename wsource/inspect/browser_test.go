package inspect_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
	"github.com/rxsocket/rxsocket/wsource/inspect"
)

// row is an expression: the row of a stream, if it has one.
func row(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".stream")].find(row => row.querySelector(".who").firstChild.data === %q)`, name)
}

func TestPage(t *testing.T) {
	b := browsertest.Start(t, true)
	i := newInspector(t, &inspect.Config{Show: inspect.ShowJSON()})
	sockets := &wsource.Server{Options: wsource.AcceptOptions{Hook: i.Hook()}}
	i.Add("server", sockets)
	mux := http.NewServeMux()
	mux.Handle("/inspect/", i)
	mux.Handle("/live", sockets)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	handled := make(chan error, 1)
	go func() { handled <- sockets.Answer(context.Background(), echo) }()
	t.Cleanup(func() {
		assert.NoError(t, sockets.Shutdown(context.Background()))
		assert.NoError(t, <-handled)
	})

	b.Open(server.URL + "/inspect") // the mux redirects to the folder
	b.Until(`document.documentElement.dataset.state === "live"`)
	b.Until(`!find("no-streams").hidden && !find("no-sockets").hidden`)

	var src observable.Subject[string]
	sub := operators.Named(&src, "words").Subscribe(t.Context(), nothing[string]{})
	require.Eventually(t, func() bool { return sockets.Ready() == nil }, tooLong, tick)
	client, err := wsource.Dial(t.Context(), server.URL+"/live", nil)
	require.NoError(t, err)
	client.Subscribe(t.Context(), nothing[wsource.Message]{OnError: func(error) {}})
	client.Next(wsource.TextMessage("7"))
	b.Until(row("echo"))
	b.Until(`find("sockets").tBodies[0].rows.length === 1`)

	// The page draws a value and, in the open row, writes it.
	b.Until(row("words"))
	src.Next("<b>hello</b>")
	b.Evaluate(row("words") + `.open = true`)
	b.Until(row("words") + `.querySelector("li")?.textContent.includes('"<b>hello</b>"')`)
	b.Until(fmt.Sprintf(`(canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].some(v => v))(%s.querySelector("canvas"))`,
		row("words")))

	// The filter leaves one stream out, and a socket's button all streams of other
	// sockets.
	b.Evaluate(`(filter => { filter.value = "WORDS"; filter.dispatchEvent(new Event("input")); })(find("filter"))`)
	b.Until(`!(` + row("echo") + `) && ` + row("words"))
	b.Evaluate(`(filter => { filter.value = ""; filter.dispatchEvent(new Event("input")); })(find("filter"))`)
	b.Until(row("echo"))
	b.Evaluate(`find("sockets").querySelector("td button").click()`)
	b.Until(row("echo") + ` && !(` + row("words") + `)`)
	b.Evaluate(`find("all").click()`)
	b.Until(row("words"))

	// A paused page sees nothing new, until it goes on.
	b.Evaluate(`find("pause").click()`)
	assert.Equal(t, "paused", b.Evaluate(`document.documentElement.dataset.state`))
	asked := b.Evaluate(`document.documentElement.dataset.shown`)
	sub.Unsubscribe()
	assert.Equal(t, asked, b.Evaluate(`new Promise(done => setTimeout(() => done(document.documentElement.dataset.shown), 2 * every))`))
	b.Evaluate(`find("pause").click()`)
	b.Until(row("words") + `.classList.contains("over")`)

	// A rate, of a stream or of sockets, begins at the count before the last three
	// seconds, however old that is.
	b.Evaluate(`find("pause").click()`)
	for _, count := range []struct {
		age, values int
		rate        string
	}{{1000, 10, ""}, {6000, 60, "10/s"}, {8000, 160, "21/s"}, {10_000, 160, "25/s"}, {20_000, 160, "0/s"}} {
		b.Evaluate(fmt.Sprintf(`showStreams([{ id: 1e9, name: "seldom", age: %d, values: %d, waiting: 0, marbles: [] }])`,
			count.age, count.values))
		assert.Equal(t, count.rate, b.Evaluate(row("seldom")+`.querySelector(".rate").textContent`), "at %d", count.age)
	}
	for _, count := range []struct {
		at, sent int
		rate     string
	}{
		{1000, 10, ""}, {1500, 10, "0/s"}, {2000, 11, "1.0/s"}, {2500, 11, "0.7/s"}, {3000, 12, "1.0/s"},
		{4500, 13, "1.0/s"}, {8000, 14, "0.3/s"},
	} {
		b.Evaluate(fmt.Sprintf(`(s => show({
			marble: 0, at: new Date(Date.UTC(2030) + %d).toISOString(), streams: { live: 0, names: [], shown: [] }, parts: [],
			sockets: { ...s, open: 1, shown: [{ ...s, id: "seldom" }], ended: [] },
		}))({ sent: %d, received: 0, sentBytes: 0, receivedBytes: 0 })`, count.at, count.sent))
		if count.rate != "" {
			assert.Equal(t, count.rate, b.Evaluate(`find("totals").children[3].lastChild.textContent`), "of all at %d", count.at)
		}
		assert.Equal(t, count.rate, b.Evaluate(`find("sockets").tBodies[0].rows[0].cells[7].textContent`), "at %d", count.at)
	}
	b.Evaluate(`find("pause").click()`)

	client.CloseNow()
	b.Until(`find("ended").tBodies[0]?.rows.length === 1`)
	i.Close() // as if the program goes away
	b.Until(`document.documentElement.dataset.state === "lost"`)
	for _, fault := range b.Faults {
		assert.Contains(t, fault, "status of 404", "after the end")
	}
}
