package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// patience bounds steps that should take no time.
const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a server and returns its URL and a function that does the same as Ctrl-C and
// waits for the end.
func start(t *testing.T, addr string) (url string, interrupt func()) {
	t.Helper()
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-addr", addr, "-users", "ann:a,bob:b"}, nil, out)
	})
	return "http://" + p.Addr(), p.Stop
}

// TestWhatIsSaidWhileTheServerStops: some members are gone already, and the room is
// forgotten. So a line is not said to the others only, and its sender says it again.
func TestWhatIsSaidWhileTheServerStops(t *testing.T) {
	url, interrupt := start(t, "127.0.0.1:0")
	ann, bob := mustEnter(t, url, "ann", "a", "lobby"), mustEnter(t, url, "bob", "b", "lobby")
	ann.expect(hub.Welcome, "ann", "")
	bob.expect(hub.Welcome, "bob", "")
	go interrupt()
	left := ann
	select { // the server closes them one after the other
	case <-ann.socket.Done():
		left = bob
	case <-bob.socket.Done():
	}
	left.socket.Next(wsource.TextMessage(`{"kind":"say","text":"late","id":"1"}`))
	for e := range left.events {
		assert.NotEqual(t, hub.Said, e.Kind, "%+v", e)
	}
	assert.Equal(t, wsource.StatusServiceRestart, wsource.CloseStatus(left.socket.Err()))
	interrupt()
}

// visitor is a client in a room.
type visitor struct {
	t      *testing.T
	socket *wsource.Socket
	events <-chan event
}

// enter dials as a user does, with a ticket.
func enter(t *testing.T, url, user, password, room string) (*visitor, error) {
	t.Helper()
	g := &guest{base: url, name: user, password: password, room: room}
	target, options, err := g.target(t.Context(), 0, wsource.DialOptions{})
	if err != nil {
		return nil, err
	}
	if base, query, ok := strings.Cut(room, "?"); ok {
		_, ticket, _ := strings.Cut(target, "?")
		target = url + "/rooms/" + base + "?" + ticket + "&" + query
	}
	socket, err := wsource.Dial(t.Context(), target, &options)
	if err != nil {
		return nil, err
	}
	t.Cleanup(socket.CloseNow)
	events, _ := observable.ToChan(t.Context(),
		operators.TryMap(socket, wsource.DecodeFunc(wsource.JSON[event, event]())), 100, observable.OverflowBlock)
	return &visitor{t, socket, events}, nil
}

// mustEnter enters, and fails the test if that does.
func mustEnter(t *testing.T, url, user, password, room string) *visitor {
	t.Helper()
	v, err := enter(t, url, user, password, room)
	require.NoError(t, err)
	return v
}

func (v *visitor) send(kind, text, to string) {
	v.socket.Next(wsource.TextMessage(fmt.Sprintf(`{"kind":%q,"text":%q,"to":%q}`, kind, text, to)))
}

// expect waits for an event.
func (v *visitor) expect(kind hub.Kind, member, text string) event {
	v.t.Helper()
	e, ok := <-v.events
	require.True(v.t, ok, "the connection is over")
	require.Equal(v.t, kind, e.Kind, "%+v", e)
	require.Equal(v.t, member, e.Member)
	if kind == hub.Said {
		require.Equal(v.t, text, e.Value.Text)
	} else if text != "" {
		require.Equal(v.t, text, e.Meta)
	}
	return e
}

func TestChat(t *testing.T) {
	url, interrupt := start(t, "127.0.0.1:0")
	ann := mustEnter(t, url, "ann", "a", "lobby")
	ann.expect(hub.Welcome, "ann", "")
	bob := mustEnter(t, url, "bob", "b", "lobby")
	assert.Len(t, bob.expect(hub.Welcome, "bob", "").Members, 2)
	ann.expect(hub.Entered, "bob", "online")
	bob.send("status", "typing", "")
	ann.expect(hub.Changed, "bob", "typing")
	bob.expect(hub.Changed, "bob", "typing")
	bob.send("say", "hello", "")
	ann.expect(hub.Said, "bob", "hello")
	at := bob.expect(hub.Said, "bob", "hello").Position
	ann.send("tell", "psst", "bob")
	told := bob.expect(hub.Said, "ann", "psst")
	assert.True(t, told.Private)
	assert.Equal(t, "bob", told.Value.To)
	ann.expect(hub.Said, "ann", "psst")

	bob.socket.CloseNow()
	<-bob.socket.Done()
	ann.send("say", "are you there?", "")
	ann.expect(hub.Said, "ann", "are you there?")
	bob = mustEnter(t, url, "bob", "b", fmt.Sprintf("lobby?epoch=%s&offset=%d", at.Epoch, at.Offset))
	assert.Equal(t, hub.Recovered, bob.expect(hub.Welcome, "bob", "").Recovery)
	bob.expect(hub.Said, "ann", "are you there?")

	bob.send("shout", "", "")
	<-bob.socket.Done()
	assert.Equal(t, wsource.StatusPolicyViolation, wsource.CloseStatus(bob.socket.Err()))
	interrupt()
	<-ann.socket.Done()
	assert.Equal(t, wsource.StatusServiceRestart, wsource.CloseStatus(ann.socket.Err()))
	assert.ErrorContains(t, ann.socket.Err(), "retry-after=")
}

func TestRoomsAreApart(t *testing.T) {
	url, _ := start(t, "127.0.0.1:0")
	ann := mustEnter(t, url, "ann", "a", "lobby")
	bob := mustEnter(t, url, "bob", "b", "garden")
	ann.expect(hub.Welcome, "ann", "")
	assert.Len(t, bob.expect(hub.Welcome, "bob", "").Members, 1)
	ann.send("say", "to the lobby", "")
	ann.expect(hub.Said, "ann", "to the lobby")
	bob.send("say", "to the garden", "")
	bob.expect(hub.Said, "bob", "to the garden")
}

func TestStrangers(t *testing.T) {
	url, _ := start(t, "127.0.0.1:0")
	refused := func(err error, status int) {
		t.Helper()
		handshake, ok := errors.AsType[*wsource.HandshakeError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, status, handshake.Status)
	}
	for user, password := range map[string]string{"ann": "b", "": "", "eve": "", "bob": "B"} {
		_, err := enter(t, url, user, password, "lobby")
		require.ErrorContains(t, err, "cannot log in as "+user+": 401")
	}
	_, err := enter(t, url, "ann", "a", "no room's name")
	refused(err, http.StatusUnauthorized)

	_, err = wsource.Dial(t.Context(), url+"/rooms/lobby", nil)
	refused(err, http.StatusUnauthorized)
	g := &guest{base: url, name: "ann", password: "a", room: "lobby"}
	target, options, err := g.target(t.Context(), 0, wsource.DialOptions{})
	require.NoError(t, err)
	socket, err := wsource.Dial(t.Context(), target, &options)
	require.NoError(t, err)
	t.Cleanup(socket.CloseNow)
	_, err = wsource.Dial(t.Context(), target, &options)
	refused(err, http.StatusUnauthorized) // a ticket is good for one connection
	options.Header.Set("Origin", "https://elsewhere.example")
	_, err = wsource.Dial(t.Context(), target, &options)
	refused(err, http.StatusForbidden)
}

func TestMistakesAreNamed(t *testing.T) {
	for wanted, args := range map[string][]string{
		`unexpected argument "now"`: {"now"},
		"(-h lists the flags)":      {"-port", "1"},
		"-duration -1s is negative": {"-duration", "-1s"},
		"cannot listen on nowhere":  {"-addr", "nowhere"},
		"-users: not a name:password with a name of letters, digits, - and _, 32 at most: user 2": {"-users", "ann:a,b b:b"},
		"-users: two have the name ann": {"-users", "ann:a,ann:b"},
	} {
		require.ErrorContains(t, run(t.Context(), args, nil, io.Discard), wanted)
	}
	var out strings.Builder
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, nil, &out), flag.ErrHelp)
	assert.Contains(t, out.String(), "-connect URL")
	require.NoError(t, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-duration", "1ms"}, nil, io.Discard))
}
