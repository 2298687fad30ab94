//go:build unix

package e2e

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

var (
	shots    = flag.String("shots", "", "write the pictures of the pages to this `folder`")
	pictures = flag.Bool("pictures", false, "draw the pictures of the READMEs anew, and do nothing else")
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if folder := built.Load(); folder != nil {
			_ = os.RemoveAll(*folder) // the system's temporary folder is emptied sometime
		}
		os.Exit(code)
	}))
}

// TestPages has a test of each page in one Chromium.
func TestPages(t *testing.T) {
	b := browsertest.Start(t, false)
	if *pictures {
		t.Run("pictures", func(t *testing.T) { drawPictures(t, b) })
		return
	}
	t.Run("faults", func(t *testing.T) { testFaultsAreFound(t, b.Another(t)) })
	tests := map[string]func(*testing.T, *browsertest.Browser){
		"chat": testChat, "drawing": testDrawing, "monitor": testMonitor, "trading": testTrading, "typeahead": testTypeahead,
	}
	names := pages()
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			page := b.Another(t)
			if test, ok := tests[name]; ok {
				test(t, page)
				return
			}
			page.Open(start(t, name).url())
			page.Until(live)
			look(t, page, name)
			assert.Empty(t, page.Faults)
		})
	}
}
