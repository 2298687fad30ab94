package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

var compressed = wsource.AcceptOptions{Compression: wsource.CompressMessages, ReadLimit: 2 << 20}

func TestRouters(t *testing.T) {
	forEachRouter(t, func(t *testing.T, build router) {
		s := startSite(t, build, compressed, false)
		v := trusting(nil)
		exercise(t, v, s, s.URL)
		assert.Equal(t, "gzip", v.encoding(t, s.URL+textPath), "the middleware compresses")
		s.lines.until(t, textPath)
		s.lines.until(t, livePath)
		assert.Empty(t, s.faults.String(), "nobody writes to a connection that was handed over")
	})
}

func TestRoutersWithTLS(t *testing.T) {
	forEachRouter(t, func(t *testing.T, build router) {
		s := startSite(t, build, compressed, true)
		v := trusting(s.Certificate())
		exercise(t, v, s, s.URL)

		host := s.Listener.Addr().String()
		echoed(t, v.must(t, s.URL+livePath, wsource.DialOptions{Header: origin("https://%s", host)}), wsource.TextMessage("own page"))
		assert.NotNil(t, (<-s.sockets).Request().TLS)
		_, err := v.dial(t, s.URL+livePath, wsource.DialOptions{Header: origin("http://%s", host)})
		requireRefusal(t, err, http.StatusForbidden) // a page that came without TLS
		_, err = trusting(nil).dial(t, s.URL+livePath, wsource.DialOptions{})
		require.ErrorContains(t, err, "certificate")
	})
}

// TestSocketsOutliveTheRequest has a middleware end the request's context as the handler
// returns.
func TestSocketsOutliveTheRequest(t *testing.T) {
	forEachRouter(t, func(t *testing.T, build router) {
		type key struct{}
		s := startSite(t, func(live http.Handler, lines io.Writer) http.Handler {
			return build(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), key{}, "of a middleware"), limit)
				defer cancel()
				live.ServeHTTP(w, r.WithContext(ctx))
			}), lines)
		}, compressed, false)
		socket := visitor{}.must(t, s.URL+livePath, wsource.DialOptions{})
		accepted := <-s.sockets
		s.lines.until(t, livePath) // the request is over
		require.NoError(t, accepted.Context().Err())
		assert.Equal(t, "of a middleware", accepted.Context().Value(key{}))
		echoed(t, socket, wsource.TextMessage("still here"))
	})
}

// TestTimeoutHandlerAround has http.TimeoutHandler around the router, which keeps the
// connection: the refusal says so, and names a remedy.
func TestTimeoutHandlerAround(t *testing.T) {
	forEachRouter(t, func(t *testing.T, build router) {
		s := startSite(t, func(live http.Handler, lines io.Writer) http.Handler {
			return http.TimeoutHandler(build(live, lines), limit, "")
		}, compressed, false)
		told := make(chan error, 1)
		refusals := s.live.Refusals().Subscribe(t.Context(), refusalsTo(told))
		defer refusals.Unsubscribe()
		_, err := visitor{}.dial(t, s.URL+livePath, wsource.DialOptions{})
		// gin answers 200, as it takes the attempt for an answer.
		require.ErrorAs(t, err, new(*wsource.HandshakeError))
		err = <-told
		requireRefusal(t, err, http.StatusNotImplemented)
		require.ErrorIs(t, err, http.ErrNotSupported)
		assert.ErrorContains(t, err, "*http.timeoutWriter of http.TimeoutHandler")
		assert.ErrorContains(t, err, "serve this path outside of http.TimeoutHandler")
	})
}

func TestRunServesUntilItIsOver(t *testing.T) {
	for name := range routers {
		t.Run(name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			out := newLines()
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, []string{"-router", name, "-addr", "127.0.0.1:0"}, out) }()
			out.until(t, name+" is listening on ")
			out.until(t, "\n")
			_, address, _ := bytes.Cut([]byte(out.String()), []byte("listening on "))
			address, _, _ = bytes.Cut(address, []byte(";"))
			url := "http://" + string(address) + livePath
			socket, err := visitor{}.dial(t, url, wsource.DialOptions{})
			require.NoError(t, err)
			_, err = visitor{}.dial(t, url, wsource.DialOptions{Host: "elsewhere.example"})
			requireRefusal(t, err, http.StatusMisdirectedRequest)
			echoed(t, socket, wsource.TextMessage("hello"))
			interrupt()
			code, _ := over(t, socket)
			assert.Equal(t, wsource.StatusServiceRestart, code)
			require.NoError(t, <-ended)
		})
	}
}

// Behind proxies, the proxies know the names of the site.
func TestAnyHostBehindProxies(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	out := newLines()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-proxies", "127.0.0.1/32"}, out) }()
	out.until(t, "; Ctrl-C stops")
	_, address, _ := strings.Cut(out.String(), "listening on ")
	address, _, _ = strings.Cut(address, ";")
	socket, err := visitor{}.dial(t, "http://"+address+livePath, wsource.DialOptions{Host: "shop.example"})
	require.NoError(t, err)
	echoed(t, socket, wsource.TextMessage("hello"))
	interrupt()
	require.NoError(t, <-ended)
}

func TestMistakesAreNamed(t *testing.T) {
	for wanted, args := range map[string][]string{
		`there is no router "fiber"`:            {"-router", "fiber"},
		`unexpected argument "now"`:             {"now"},
		"-duration -1s is negative":             {"-duration", "-1s"},
		"(-h lists the flags)":                  {"-port", "1"},
		"cannot listen on nowhere":              {"-addr", "nowhere"},
		`-proxies: netip.ParsePrefix`:           {"-proxies", "127.0.0.1"},
		"-cert and -key: open no: no such file": {"-addr", "127.0.0.1:0", "-cert", "no", "-key", "no"},
	} {
		assert.ErrorContains(t, run(t.Context(), args, io.Discard), wanted)
	}
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, io.Discard), flag.ErrHelp)
	require.NoError(t, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-duration", time.Millisecond.String()}, io.Discard))
}
