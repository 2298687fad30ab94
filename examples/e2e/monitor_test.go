//go:build unix

package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// canvases is an expression: the picture of each canvas on the page.
const canvases = `[...document.querySelectorAll("section:not([hidden]) canvas")].map(canvas => canvas.toDataURL())`

// untilMoved waits until every canvas shows another picture than at the call.
func untilMoved(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	require.NotZero(t, b.Evaluate(`(window.before = `+canvases+`).length`))
	b.Until(canvases + `.every((picture, i) => picture !== before[i])`)
}

// tile is an expression: the text of the inspector's tile of that name.
func tile(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#totals div")].find(tile => tile.firstChild.textContent === %q)?.lastChild.textContent`, name)
}

// The charts of the monitor move, and go on when the server has been away. Its inspector
// counts right.
func testMonitor(t *testing.T, b *browsertest.Browser) {
	monitor := start(t, "monitor")
	b.Open(monitor.url())
	b.Until(live)
	untilMoved(t, b)
	look(t, b, "monitor")
	testInspector(t, b, monitor)

	monitor.stop()
	b.Until(away)
	look(t, b, "monitor-away")
	monitor.start()
	b.Until(live)
	untilMoved(t, b)
	monitor.kill()
	b.Until(away)
	monitor.start()
	b.Until(live)
	untilMoved(t, b)
	onlyAbsence(t, b)
}

// heard counts the messages of a page's sockets in a variable of that name.
const heard = `
	var heard = 0;
	WebSocket = class extends WebSocket {
		constructor(...about) {
			super(...about);
			this.addEventListener("message", () => heard++);
		}
	};`

// testInspector looks at the inspector of a monitor that has one page already, and a
// client of its own.
func testInspector(t *testing.T, b *browsertest.Browser, monitor *program) {
	t.Helper()
	inspector, other := b.Another(t), b.Another(t)
	inspector.Open(monitor.url() + "/inspect/")
	inspector.Until(tile("sockets") + ` === "2"`)
	inspector.Until(tile("streams") + ` === "6"`)

	other.Call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": heard}, nil)
	other.Open(monitor.url())
	other.Until(live + ` && document.documentElement.dataset.samples >= 2`)
	b.Until(`document.querySelector("#connections").textContent === "3"`)
	inspector.Until(tile("sockets") + ` === "3"`)
	inspector.Until(tile("streams") + ` === "9"`)
	inspector.Until(`document.querySelectorAll("#sockets tbody tr").length === 3`)
	look(t, inspector, "inspect")

	// It counts as many messages as the page that came last has got.
	other.Evaluate(`(() => {
		const choice = document.querySelector("#interval");
		choice.value = "1m"; // and then the figures stand still
		choice.dispatchEvent(new Event("change", { bubbles: true }));
	})()`)
	other.Evaluate(`(async () => {
		for (;;) {
			const before = heard, { sockets } = await (await fetch("inspect/state.json")).json();
			const [last] = sockets.shown.toSorted((a, b) => b.id - a.id);
			if (heard === before && last.sent === heard) return;
			await new Promise(done => setTimeout(done, 20));
		}
	})()`)

	other.Close()
	b.Until(`document.querySelector("#connections").textContent === "2"`)
	inspector.Until(tile("sockets") + ` === "2"`)
	inspector.Until(tile("streams") + ` === "6"`)
	assert.EqualValues(t, 1, inspector.Evaluate(`document.querySelectorAll("#ended tbody tr").length`))
	assert.Empty(t, inspector.Faults)
}
