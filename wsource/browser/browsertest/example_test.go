package browsertest_test

import (
	"net/http/httptest"
	"os/exec"
	"testing"

	"github.com/rxsocket/rxsocket/wsource/browser"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// A test of a page: it skips where there is no Chromium.
func Example() {
	_ = func(t *testing.T) { // TestPage
		if _, err := exec.LookPath("node"); err != nil {
			browsertest.Missing(t, "Node.js", err)
		}
		server := httptest.NewServer(browser.Handler())
		defer server.Close()
		page := browsertest.Start(t, true) // a *browsertest.Browser, in dark colours
		page.Open(server.URL + "/rxsocket.js")
		page.Until(`document.body.textContent.includes("export")`)
		if page.Evaluate(`1 + 1`) != 2.0 || len(page.Faults) > 0 {
			t.Error(page.Faults)
		}
		page.Call("Page.reload", nil, nil)
	}
	// Output:
}
