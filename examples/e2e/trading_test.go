//go:build unix

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// The chart and the order book move, also those of a symbol chosen by keys, and go on
// after the server was away.
func testTrading(t *testing.T, b *browsertest.Browser) {
	trading := start(t, "trading", "-rate", "300")
	b.Open(trading.url())
	b.Until(live + ` && document.documentElement.dataset.candles >= 2`)
	untilMoved(t, b)
	look(t, b, "trading")

	const chosen = `document.querySelector("#list [aria-pressed=true]").textContent`
	first := b.Evaluate(chosen)
	b.Click("#list [aria-pressed=true]")
	b.Press("ArrowDown")
	b.Press("Enter")
	assert.NotEqual(t, first, b.Evaluate(chosen))
	b.Until(`document.querySelector("#symbol").textContent === ` + chosen + `.match(/^[A-Z]+/)[0]`)
	untilMoved(t, b)

	for _, end := range []func(){trading.stop, trading.kill} {
		end()
		b.Until(away)
		trading.start()
		b.Until(live)
		untilMoved(t, b)
	}
	onlyAbsence(t, b)
}
