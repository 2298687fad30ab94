package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// inked counts the pixels on the canvas of a metric that have about the colour of its
// first line.
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
	b := browsertest.Start(t, false)
	m := startMonitor(t, false)
	addr := m.Addr()
	b.Call("Page.navigate", map[string]any{"url": "http://" + addr}, nil)
	b.Until(`document.documentElement?.dataset.samples >= 2`)
	assert.Equal(t, "open", b.Evaluate(`document.documentElement.dataset.state`))
	host, err := os.Hostname()
	require.NoError(t, err)
	assert.Equal(t, "Live figures of "+host, b.Evaluate(`document.title`))

	// The user shortens the interval and leaves one metric out.
	b.Evaluate(`(() => {
		const choice = document.getElementById("interval");
		choice.value = "100ms";
		choice.dispatchEvent(new Event("change", { bubbles: true }));
		document.querySelector("#metrics input[value=heap]").click();
	})()`)
	b.Until(`document.getElementById("state").textContent === "live, every 100ms"`)
	b.Until(`[...document.querySelectorAll("section")].filter(s => s.hidden).length === 1`)
	b.Until(`document.documentElement.dataset.samples >= 20`)
	shown := `[...document.querySelectorAll("section:not([hidden])")]`
	b.Until(shown + `.every(s => s.querySelector("canvas").dataset.points >= 20)`)
	assert.NotContains(t, b.Evaluate(shown+`.map(s => s.querySelector("dd").textContent)`), "", "each has its figure")
	assert.Greater(t, b.Evaluate(inked), 10.0, "the goroutines are plotted")

	// The figures of the stream itself, and the inspector behind it.
	b.Until(`find("connections").textContent === "2" && /^\d+ a second$/.test(find("sent").textContent)`)
	assert.Contains(t, b.Evaluate(`fetch("inspect/state.json").then(r => r.text())`), `"name":"samples to send"`)

	// The arrow keys choose a moment, for all charts.
	b.Evaluate(shown + `[0].querySelector("canvas").focus()`)
	b.Evaluate(shown + `[0].querySelector("canvas").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }))`)
	b.Until(shown + `.every(s => s.querySelector(".age").textContent.startsWith("at "))`)
	b.Evaluate(shown + `[0].querySelector("canvas").blur()`)
	b.Until(shown + `.every(s => s.querySelector(".age").textContent === "")`)

	// A user that leaves the page is not there any more; one that comes back finds it as
	// it was.
	b.Open("http://" + addr + "/inspect/")
	b.Until(`[...document.querySelectorAll("#totals div")].some(tile => tile.textContent === "sockets1")`)
	b.Evaluate(`history.back()`)
	b.Until(`document.documentElement?.dataset.state === "open" && find("connections").textContent === "2"`)

	// The server goes and comes back; the page finds it again and asks for its last
	// choice.
	m.Stop()
	b.Until(`document.documentElement.dataset.state === "closed"`)
	startMonitor(t, false, "-addr", addr)
	before := b.Evaluate(`Number(document.documentElement.dataset.samples)`)
	b.Until(fmt.Sprintf(`document.documentElement.dataset.samples > %v + 10`, before))
	assert.Equal(t, "live, every 100ms", b.Evaluate(`document.getElementById("state").textContent`))

	for _, fault := range b.Faults {
		assert.Contains(t, fault, "ERR_CONNECTION_REFUSED", "the console complains of nothing but the server's absence")
	}
}
