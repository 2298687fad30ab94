//go:build unix

package e2e

import (
	_ "embed" // for the scripts
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

//go:embed look.js
var lookScript string

//go:embed tab.js
var tabScript string

// devices are the windows in which pages are looked at. The phone is as narrow as a page
// may be that is readable without being scrolled both ways (WCAG 2.2, 1.4.10).
var devices = []struct {
	name          string
	width, height int
}{
	{"phone", 320, 568},
	{"tablet", 768, 1024},
	{"desktop", 1280, 800},
}

// look looks at a page as it is: in each window, in light and in dark. With -shots it
// keeps the pictures. It reports the faults that the scripts beside it find, and leaves
// the page on a desktop, in light.
func look(t *testing.T, b *browsertest.Browser, name string) {
	t.Helper()
	for _, device := range devices {
		b.Resize(device.width, device.height)
		for _, dark := range []bool{true, false} {
			b.Dark(dark)
			colours := "light"
			if dark {
				colours = "dark"
			}
			settle(b)
			shot := fmt.Sprintf("%s-%s-%s.png", name, device.name, colours)
			if *shots != "" {
				require.NoError(t, os.MkdirAll(*shots, 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(*shots, shot), b.Screenshot(), 0o600))
			}
			assert.Empty(t, b.Evaluate(lookScript), shot)
		}
		assert.Empty(t, tabFaults(b), "%s, %s", name, device.name)
	}
}

// settle waits until the page is laid out and drawn, and no transition is under way.
func settle(b *browsertest.Browser) {
	b.Evaluate(`(async () => {
		for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
		await Promise.allSettled(document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished));
	})()`)
}

// tabFaults goes through the page by the Tab key.
func tabFaults(b *browsertest.Browser) any {
	count, _ := b.Evaluate(tabScript + `; tab.start()`).(float64)
	for range int(count) {
		b.Press("Tab")
	}
	return b.Evaluate(`tab.end()`)
}

// Each fault that a page can have is found.
func testFaultsAreFound(t *testing.T, b *browsertest.Browser) {
	for body, fault := range map[string]string{
		`<p>fine <a href="/">link</a> <label>name <input></label>`:                              "",
		`<div style="width: 2000px">x</div>`:                                                    "the page is 2008 px wide, and the window 390 px",
		`<p style="color: #888">pale`:                                                           `p "pale" has a contrast of 3.5 to 1`,
		`<div style="opacity: .5"><p style="color: #444">paler`:                                 `p "paler" has a contrast of 2.6 to 1`,
		`<p style="color: #888; font-size: 24px">large`:                                         "",
		`<p style="background: #000"><b style="background: #fff8; color: #000">on grey`:         "",
		`<p style="background: #000"><b style="background: #fff2; color: #000">on black`:        `b "on black" has a contrast of 1.3 to 1`,
		`<div style="width: 9px; height: 30px; overflow: hidden">long</div>`:                    `div "long" is cut off`,
		`<div style="height: 9px; overflow: hidden"><p>deep</div>`:                              `p "deep" is cut off`,
		`<div style="width: 9px; overflow: auto" tabindex="0" title="x">scrolled</div>`:         `div "scrolled" is 9 px by`,
		`<p style="margin-left: -30px">outside`:                                                 `p "outside" is cut off`,
		`<div style="width: 40px; border: 1px solid"><p>toolongaword</div>`:                     `p "toolongaword" has no room in its frame`,
		`<p style="font-size: 9px">tiny`:                                                        `p "tiny" is 9 px high`,
		`<input aria-label="x" placeholder="more than there is room for" style="width: 60px">`:  `the placeholder of input "more than there is room for" is cut off`,
		`<style>::placeholder { color: #999 }</style><input aria-label="x" placeholder="pale">`: `the placeholder of input "pale" has a contrast of 2.8 to 1`,
		`<input>`: `input "" has no name`,
		`<button title="x" style="padding: 0; width: 12px">x`:                                                         `button "x" is 12 px by`,
		`<button>a</button><button style="outline: none">b`:                                                           `button "b" has the focus, and looks as without`,
		`<button>a</button><button style="position: absolute; top: -99px; height: 30px">b`:                            `button "b" is cut off`,
		`<button>a</button><button style="position: fixed; top: 2000px">b`:                                            `button "b" has the focus, and is not in view`,
		`<button>a</button><button onfocus="this.blur()">b`:                                                           `the Tab key does not reach button "b"`,
		`<label>a<input type="radio" name="r"></label><label>b<input type="radio" name="r"></label><a href="/">c</a>`: "",
		`<img src="http://localhost:1/a.png" alt="">`:                                                                 "http://localhost:1/a.png is loaded from elsewhere",
		`<script>document.title = ""</script>`:                                                                        "there is no title",
		`<script>document.documentElement.lang = ""</script>`:                                                         "there is no lang",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">`+
				`<title>x</title><style>:focus-visible { outline: 2px solid } input, label { min-height: 24px; min-width: 24px; display: inline-block }</style><body>`+body)
		}))
		b.Resize(390, 844)
		b.Open(server.URL)
		settle(b)
		found := fmt.Sprint(b.Evaluate(lookScript), tabFaults(b))
		if fault == "" {
			assert.Equal(t, "[] []", found, body)
		} else {
			assert.Contains(t, found, fault, body)
		}
		server.Close()
	}
}
