//go:build unix

package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

const (
	pictureWidth, pictureHeight = 960, 600 // CSS pixels of the window of a picture
	pictureBytes                = 60_000   // of a picture at most
	pictureColours              = 256      // as many as a palette has
	enough                      = " >= 25" // values of a chart, for which a page waits
	more                        = " >= 50" // again, as it waits 30 seconds at most
	data                        = "document.documentElement.dataset."
)

// drawPictures draws the pictures in the READMEs anew.
func drawPictures(t *testing.T, b *browsertest.Browser) {
	trading, monitor := start(t, "trading"), start(t, "monitor")
	prices, figures, inspector := b.Another(t), b.Another(t), b.Another(t)
	for _, page := range []*browsertest.Browser{b, prices, figures, inspector} {
		page.Resize(pictureWidth, pictureHeight)
	}
	prices.Open(trading.url())
	figures.Open(monitor.url())
	prices.Until(data + "candles" + enough)
	figures.Until(data + "samples" + enough)
	drawChat(t, b)
	drawDrawing(t, b)
	prices.Until(data + "candles" + more)
	figures.Until(data + "samples" + more)
	figures.Evaluate(`document.querySelector("h1").textContent = "Live figures of box"`)
	drawTypeahead(t, b)
	inspector.Open(trading.url() + "/inspect/")
	inspector.Until(data + "shown >= 10")
	keep(t, inspector, "trading/inspect.png")
	keep(t, prices, "trading/page.png")
	keep(t, figures, "monitor/page.png")
}

func drawChat(t *testing.T, ann *browsertest.Browser) {
	t.Helper()
	chat, bob := start(t, "chat", "-users", "ann:a,bob:b"), ann.Another(t)
	logIn(ann, chat.url(), "ann", "a")
	logIn(bob, chat.url(), "bob", "b")
	for _, line := range []struct {
		page *browsertest.Browser
		text string
	}{
		{bob, "Good morning! Has anybody seen the figures?"},
		{ann, "Yes, they are in the garden room."},
		{ann, "All is well: 10,000 sockets, nothing lost."},
		{bob, "/tell ann Don't tell the others."},
	} {
		say(line.page, line.text)
		ann.Until(`document.querySelector("#said li:last-child .text")?.textContent === ` +
			fmt.Sprintf("%q", line.text) + `.replace("/tell ann ", "") && !document.querySelector("#said .waiting")`)
	}
	bob.Type("b")
	ann.Until(`document.querySelector("#typing").textContent !== ""`)
	ann.Evaluate(`document.activeElement.blur()`)
	keep(t, ann, "chat/page.png")
}

func drawDrawing(t *testing.T, ann *browsertest.Browser) {
	t.Helper()
	drawing, bob := start(t, "drawing"), ann.Another(t)
	ann.Open(drawing.url() + "/?name=ann")
	bob.Open(drawing.url() + "/?name=bob")
	for n, page := range []*browsertest.Browser{ann, bob} {
		page.Resize(pictureWidth, pictureHeight)
		page.Until(live)
		page.Click(fmt.Sprintf("#colours button:nth-child(%d)", 2+3*n))
		wave(page, 0.3+0.35*float64(n))
		ann.Until(fmt.Sprintf(data+`strokes === "%d"`, 1+n))
	}
	keep(t, ann, "drawing/page.png")
}

func drawTypeahead(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	typeahead := start(t, "typeahead")
	b.Open(typeahead.url())
	b.Until(live)
	b.Click("#text")
	for n, part := range []string{"htt", "p", ".s", "erv"} {
		b.Type(part)
		b.Until(fmt.Sprintf(`document.querySelector("#asked").textContent === "%d"`, n+1))
	}
	b.Until(`document.querySelector("#answered").textContent === "1"`)
	b.Evaluate(`document.activeElement.blur()`)
	keep(t, b, "typeahead/page.png")
}

// wave draws a wave with the mouse. height is a part of the board's.
func wave(b *browsertest.Browser, height float64) {
	box, _ := b.Evaluate(`(box => [box.left, box.top, box.width, box.height])(document.querySelector("#above").getBoundingClientRect())`).([]any)
	part := func(n int) float64 {
		length, _ := box[n].(float64)
		return length
	}
	const points = 60
	for n := range points + 1 {
		x := float64(n) / points
		kind := "mouseMoved"
		switch n {
		case 0:
			kind = "mousePressed"
		case points:
			kind = "mouseReleased"
		}
		b.Call("Input.dispatchMouseEvent", map[string]any{
			"type": kind, "button": "left", "buttons": 1, "clickCount": 1,
			"x": part(0) + part(2)*(0.1+0.8*x), "y": part(1) + part(3)*(height+0.12*math.Sin(14*x)),
		}, nil)
	}
}

// keep writes the page as a picture beside its program.
func keep(t *testing.T, b *browsertest.Browser, name string) {
	t.Helper()
	b.Dark(false)
	settle(b)
	shot, err := png.Decode(bytes.NewReader(b.Screenshot()))
	require.NoError(t, err)
	var small bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, reduced(shot)))
	assert.Less(t, small.Len(), pictureBytes, name)
	require.NoError(t, os.WriteFile("../"+name, small.Bytes(), 0o644))
}

// reduced returns a picture in the colours that it has most of, and that differ.
func reduced(picture image.Image) *image.Paletted {
	counts := make(map[color.Color]int)
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[picture.At(x, y)]++
		}
	}
	var palette color.Palette
	for _, c := range slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return cmp.Compare(counts[b], counts[a]) }) {
		if len(palette) < pictureColours && !slices.ContainsFunc(palette, func(other color.Color) bool { return alike(c, other) }) {
			palette = append(palette, c)
		}
	}
	small := image.NewPaletted(bounds, palette)
	nearest := make(map[color.Color]uint8)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			at := picture.At(x, y)
			index, known := nearest[at]
			if !known {
				index = uint8(small.Palette.Index(at))
				nearest[at] = index
			}
			small.SetColorIndex(x, y, index)
		}
	}
	return small
}

// alike reports whether two colours look the same.
func alike(a, b color.Color) bool {
	const step = 6 * 0x101 // of a channel
	within := func(x, y uint32) bool { return x < y+step && y < x+step }
	r, g, blue, _ := a.RGBA()
	r2, g2, blue2, _ := b.RGBA()
	return within(r, r2) && within(g, g2) && within(blue, blue2)
}
