package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/wsource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, args ...string) *programtest.Program {
	t.Helper()
	return programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), out)
	})
}

// told returns the lines that begin with a word.
func told(text, word string) (lines []string) {
	for line := range strings.Lines(text) {
		if about, ok := strings.CutPrefix(line, word); ok {
			lines = append(lines, strings.TrimSpace(about))
		}
	}
	return lines
}

func TestABadDay(t *testing.T) {
	p := start(t, "-symbols", "EURUSD,XAUUSD", "-every", "20ms")
	p.Until(t, `(?m)^EURUSD +tick 3001: `)
	text := p.String()
	ticks := told(text, "EURUSD")
	require.Greater(t, len(ticks), 9)
	for i, begin := range []string{
		"snapshot 1000: 1.0991", "tick 1001", "tick 1002", "tick 1003", "tick 1004", "tick 1005", "tick 1006",
		"gap: 1007 to 1007 are missing, a snapshot is asked for", "tick 1008",
	} {
		assert.True(t, strings.HasPrefix(ticks[i], begin), "%s, not %s", ticks[i], begin)
	}
	assert.Regexp(t, `(?m)^EURUSD +snapshot 10(08|09|1\d): `, text, "the one that was asked for")
	// The malformed one is a gap, too, unless the snapshot has come so late that it is
	// behind it.
	assert.Regexp(t, `(?m)^EURUSD +(gap: 1010 to 1010 |snapshot 101\d: )`, text)
	assert.Len(t, told(text, "malformed"), 1)
	assert.Equal(t, []string{"failed: wsource: topic XAUUSD: TopicsConfig.Acknowledged: the exchange does not have it"}, told(text, "XAUUSD"))

	waits := told(text, "waiting")
	require.Len(t, waits, 2)
	assert.Contains(t, waits[0], "1012 service restart")
	assert.Regexp(t, `^[1-9](\.\d)?s after: .*status 429`, waits[1], "no sooner than it says")
	assert.Equal(t, []string{"for attempt 0", "for attempt 1", "for attempt 2"}, told(text, "token")[:3])
}

func TestATokenIsGoodOnce(t *testing.T) {
	p := start(t, "-every", "1h")
	c := newClient(p.Addr(), io.Discard)
	refused := func(options wsource.DialOptions, status int) {
		t.Helper()
		_, err := wsource.Dial(t.Context(), "ws://"+p.Addr()+"/ticks", &options)
		handshake, ok := errors.AsType[*wsource.HandshakeError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, status, handshake.Status)
	}
	p.Until(t, `(?m)^status +open`)
	refused(wsource.DialOptions{}, http.StatusUnauthorized)
	_, options, err := c.target(t.Context(), 0, wsource.DialOptions{})
	require.NoError(t, err)
	refused(options, http.StatusTooManyRequests)
	refused(options, http.StatusUnauthorized)
}

// A token server that is busy is asked again; its answer then is no token.
func TestATokenServerThatIsBusy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "come back later", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	c := newClient(server.Listener.Addr().String(), io.Discard)
	_, _, err := c.target(t.Context(), 0, wsource.DialOptions{})
	require.ErrorContains(t, err, "no token: 503 Service Unavailable")
	assert.Equal(t, wsource.RetryConnect, wsource.CloseAction(err))
}

func TestTheClientIsSmall(t *testing.T) {
	text, err := os.ReadFile("client.go")
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(text), "\n"), 120)
}

func TestEnds(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-symbols", "XAUUSD"}, &out), "when there is nothing to follow")
	require.NoError(t, run(t.Context(), []string{"-duration", "1ms"}, io.Discard))
	for wanted, args := range map[string]string{
		"-every is 0s":              "-every 0",
		"-symbols: a name is empty": "-symbols EURUSD,",
		"cannot listen on nowhere":  "-addr nowhere",
	} {
		require.ErrorContains(t, run(t.Context(), strings.Fields(args), io.Discard), wanted)
	}
}
