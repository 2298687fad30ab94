//go:build unix

package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// board is an expression: a hash of the drawing.
const board = `[...document.querySelector("#drawn").toDataURL()].reduce((hash, c) => (31 * hash + c.charCodeAt(0)) | 0, 7)`

// strokes is an expression: whether a page has so many.
func strokes(count int) string {
	return fmt.Sprintf(`document.documentElement.dataset.strokes === "%d"`, count)
}

// draw draws a line by keys: the pen goes down, to the right, and is lifted.
func draw(b *browsertest.Browser, steps int) {
	b.Evaluate(`document.querySelector("#above").focus()`)
	b.Press("Space")
	for range steps {
		b.Press("ArrowRight")
	}
	b.Press("Space")
	b.Press("ArrowDown") // beginning of the next line
}

// Two people draw, and one comes late: they see the same drawing. So they do after a
// server was away, with the strokes drawn meanwhile.
func testDrawing(t *testing.T, ann *browsertest.Browser) {
	drawing := start(t, "drawing")
	bob, late := ann.Another(t), ann.Another(t)
	same := func(count int, pages ...*browsertest.Browser) {
		t.Helper()
		var wanted any
		for i, b := range pages {
			b.Until(live + " && " + strokes(count))
			settle(b) // until it is drawn
			if i == 0 {
				wanted = b.Evaluate(board)
			} else {
				b.Until(fmt.Sprintf("%s === %.0f", board, wanted))
			}
		}
	}
	ann.Open(drawing.url() + "/?name=ann")
	bob.Open(drawing.url() + "/?name=bob")
	same(0, ann, bob)
	empty := ann.Evaluate(board)
	draw(ann, 5)
	same(1, ann, bob)
	draw(bob, 9)
	same(2, ann, bob)
	assert.NotEqual(t, empty, ann.Evaluate(board))
	late.Open(drawing.url() + "/?name=late")
	same(2, ann, late)
	ann.Until(`document.querySelectorAll("#people li").length === 3`)
	look(t, ann, "drawing")

	// A page shows its old drawing until it gets a new one: another number of lines
	// proves that it did.
	back := func(end func(), lines int) {
		t.Helper()
		end()
		ann.Until(away)
		bob.Until(away)
		draw(ann, 3)
		for line := range lines {
			draw(bob, 12+line)
		}
		drawing.start()
		same(1+lines, ann, bob)
	}
	back(drawing.stop, 2)
	back(drawing.kill, 1)
	onlyAbsence(t, ann)
	onlyAbsence(t, bob)
}
