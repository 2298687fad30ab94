//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// A typed text is found, a search that is not wanted any more is cancelled, and a page
// that was alone asks for the text in it.
func testTypeahead(t *testing.T, b *browsertest.Browser) {
	typeahead := start(t, "typeahead", "-pause", "50ms", "-work", "500ms")
	b.Open(typeahead.url())
	b.Until(live)
	look(t, b, "typeahead-empty")
	b.Click("#text")
	b.Type("HTTP.")
	b.Until(`document.querySelector("#searches .asked")`)
	for _, key := range "serv" {
		b.Type(string(key))
	}
	b.Until(`document.querySelector("#searches .cancelled")`)
	b.Until(foundFor(t, "http.serv"))
	look(t, b, "typeahead")

	for _, end := range []func(){typeahead.stop, typeahead.kill} {
		end()
		b.Until(away)
		b.Click("#text")
		b.Press("Backspace")
		typeahead.start()
		b.Until(live)
		text, _ := b.Evaluate(`document.querySelector("#text").value`).(string)
		b.Until(foundFor(t, strings.ToLower(text)))
	}
	b.Click("#text")
	b.Type("no such thing")
	b.Until(`document.querySelector("#total").textContent === "0"`)
	look(t, b, "typeahead-nothing")
	onlyAbsence(t, b)
}

// foundFor is an expression: whether the page shows those symbols that contain a text,
// and how many they are.
func foundFor(t *testing.T, text string) string {
	t.Helper()
	file, err := os.ReadFile("../typeahead/symbols.txt")
	require.NoError(t, err)
	var names []string
	path := ""
	for line := range strings.Lines(string(file)) {
		kind, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if kind == "package" {
			path = name
		} else {
			name = path + "." + name
		}
		if strings.Contains(strings.ToLower(name), text) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	require.NotEmpty(t, names)
	require.Less(t, len(names), 50, "all of them are shown")
	wanted, err := json.Marshal(names)
	require.NoError(t, err)
	return fmt.Sprintf(`JSON.stringify([...document.querySelectorAll("#matches a > :last-child")].map(m => m.textContent).sort()) === %q`+
		` && document.querySelector("#total").textContent === "%d"`, wanted, len(names))
}
