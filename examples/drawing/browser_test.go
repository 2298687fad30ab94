package main

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// drag draws a line with the mouse, through points in parts of the board's size.
func drag(b *browsertest.Browser, points ...[2]float64) {
	for n, at := range points {
		kind := "mouseMoved"
		switch n {
		case 0:
			kind = "mousePressed"
		case len(points) - 1:
			kind = "mouseReleased"
		}
		box, _ := b.Evaluate(fmt.Sprintf(`(box => [box.left + %v * box.width, box.top + %v * box.height])(document.getElementById("above").getBoundingClientRect())`,
			at[0], at[1])).([]any)
		b.Call("Input.dispatchMouseEvent", map[string]any{
			"type": kind, "x": box[0], "y": box[1], "button": "left", "buttons": 1, "clickCount": 1,
		}, nil)
	}
}

// inked is an expression: whether the canvas of drawn strokes has any.
const inked = `(c => [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data].some(v => v))(document.getElementById("drawn"))`

func TestPage(t *testing.T) {
	b := browsertest.Start(t, false)
	p := start(t)
	addr := p.Addr()
	b.Open("http://" + addr + "/?name=ann")
	const data = `document.documentElement.dataset`
	b.Until(data + `.state === "open"`)
	bob := newPainter(t, p, "bob")
	drag(b, [2]float64{.2, .2}, [2]float64{.4, .5}, [2]float64{.6, .2}, [2]float64{.6, .2})
	drawn := bob.until(func(all map[string]stroke) bool { return len(all) == 1 })
	for _, s := range drawn {
		assert.Equal(t, "ann", s.By)
		assert.InDeltaSlice(t, []int{320, 200, 640, 500, 960, 200}, s.Points[:6], 10)
	}
	b.Until(data + `.strokes === "1" && ` + inked)

	// Another user's stroke, and cursor.
	bob.draw("of bob")
	b.Until(data + `.strokes === "2"`)
	cursor := dial(t, p, "/cursors", "bob")
	// Without OnError it would not see the end.
	cursor.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{OnError: func(error) {}})
	cursor.Next(wsource.TextMessage(`{"x":5,"y":7}`))
	b.Until(data + `.moves === "1"`)
	b.Until(`document.getElementById("people").textContent.includes("bob")`)

	// By the keyboard: the pen goes down, moves, and is lifted. Then it is undone.
	b.Evaluate(`document.getElementById("above").focus()`)
	for _, key := range []string{" ", "ArrowRight", "ArrowDown", " "} {
		b.Call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key}, nil)
	}
	b.Until(data + `.strokes === "3"`)
	b.Evaluate(`document.getElementById("undo").click()`)
	b.Until(data + `.strokes === "2"`)
	bob.until(func(all map[string]stroke) bool { return len(all) == 2 && all["of bob"].By == "bob" })

	// The server goes; strokes drawn meanwhile are kept, and sent to the next one.
	p.Stop()
	b.Until(data + `.state === "closed"`)
	drag(b, [2]float64{.2, .8}, [2]float64{.4, .8}, [2]float64{.4, .8})
	next := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-addr", addr}, out)
	})
	b.Until(data + `.state === "open" && ` + data + `.strokes === "1"`)
	newPainter(t, next, "bob").until(func(all map[string]stroke) bool { return len(all) == 1 })
	for _, fault := range b.Faults {
		assert.Regexp(t, `ERR_CONNECTION_REFUSED|response code: 503|closed before`, fault)
	}
}
