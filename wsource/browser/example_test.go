package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rxsocket/rxsocket/wsource/browser"
)

func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/rxsocket/", browser.Handler())
	server := httptest.NewServer(mux)
	defer server.Close()

	answer, err := server.Client().Get(server.URL + "/rxsocket/rxsocket.js")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	module, err := io.ReadAll(answer.Body)
	fmt.Println(answer.Header.Get("Content-Type"), strings.Contains(string(module), "export function connect("), err)
	// Output: text/javascript; charset=utf-8 true <nil>
}

func ExampleVersion() {
	page := `<script type="module">import { connect } from "/rxsocket/rxsocket.js?v=` + browser.Version() + `"</script>`
	fmt.Println(strings.Count(page, browser.Version()), len(browser.Version()))
	// Output: 1 32
}
