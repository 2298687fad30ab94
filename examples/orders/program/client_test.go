package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
)

// A client that finds no node says so once, however often it tries, for any reasons of
// theirs.
func TestTellsOnceThatItTriesAgain(t *testing.T) {
	tries := make(chan struct{})
	refusing := func(status int) (url string) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			select {
			case tries <- struct{}{}:
			case <-r.Context().Done():
			}
		}))
		t.Cleanup(server.Close)
		return "ws" + strings.TrimPrefix(server.URL, "http")
	}
	nodes := refusing(http.StatusTeapot) + "," + refusing(http.StatusGone)
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-role", "bob", "-connect", nodes}, out)
	})
	for range 5 {
		<-tries
	}
	p.Stop()
	assert.Equal(t, 1, strings.Count(p.String(), "tries again: "), p.String())
}
