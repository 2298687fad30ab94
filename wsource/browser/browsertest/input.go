package browsertest

import (
	"fmt"

	"github.com/stretchr/testify/require"
)

// keyCodes are the codes that Chromium wants of a key besides its name.
var keyCodes = map[string]int{
	"Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, "Space": 32,
	"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
}

// Press presses and releases a key, which has its name in KeyboardEvent.code, such as
// Enter, Tab and ArrowDown.
func (b *Browser) Press(key string) {
	b.t.Helper()
	code, known := keyCodes[key]
	require.True(b.t, known, "the key %q", key)
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code}
	switch key {
	case "Enter":
		event["text"] = "\r"
	case "Space":
		event["key"], event["text"] = " ", " "
	}
	b.Call("Input.dispatchKeyEvent", event, nil)
	event["type"] = "keyUp"
	delete(event, "text")
	b.Call("Input.dispatchKeyEvent", event, nil)
}

// Type types a text into the element that has the focus.
func (b *Browser) Type(text string) {
	b.t.Helper()
	b.Call("Input.insertText", map[string]any{"text": text}, nil)
}

// Click scrolls to an element, which a selector of CSS names, and clicks on its middle.
// The test fails if there is none, or if something lies over it.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	found := b.Evaluate(fmt.Sprintf(`(() => {
		const element = document.querySelector(%q);
		if (!element) return "there is no such element";
		element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
		const { x, y, width, height } = element.getBoundingClientRect();
		const middle = { x: x + width / 2, y: y + height / 2 }, hit = document.elementFromPoint(middle.x, middle.y);
		if (!element.contains(hit)) return `+"`${hit?.outerHTML.slice(0, 80) ?? \"the edge of the window\"} lies over it`"+`;
		return middle;
	})()`, selector))
	where, ok := found.(map[string]any)
	require.True(b.t, ok, "%s: %v", selector, found)
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		event := map[string]any{"type": kind, "x": where["x"], "y": where["y"], "button": "left", "clickCount": 1}
		if kind == "mouseMoved" {
			event["button"], event["clickCount"] = "none", 0
		}
		b.Call("Input.dispatchMouseEvent", event, nil)
	}
}

// Resize makes the window as large as given, in CSS pixels. Below 600 of them in width it
// is a phone's, whose scroll bars take no room.
func (b *Browser) Resize(width, height int) {
	b.t.Helper()
	b.Call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
	}, nil)
}

// Close closes the page, as one does that has had enough of it.
func (b *Browser) Close() {
	b.t.Helper()
	b.Call("Page.close", nil, nil)
}

// Screenshot returns the page as a PNG, all that can be scrolled to included.
func (b *Browser) Screenshot() []byte {
	b.t.Helper()
	var size struct {
		CSSContentSize struct{ Width, Height float64 }
	}
	b.Call("Page.getLayoutMetrics", nil, &size)
	window, _ := b.Evaluate(`innerWidth`).(float64) // in a picture, scroll bars leave their room to the page
	var shot struct{ Data []byte }
	b.Call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "clip": map[string]any{
		"x": 0, "y": 0, "width": max(size.CSSContentSize.Width, window), "height": size.CSSContentSize.Height, "scale": 1,
	}}, &shot)
	return shot.Data
}
