package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds steps that should take no time.
const patience = 30 * time.Second

// start runs the program until the test ends.
func start(t *testing.T, args ...string) *programtest.Program {
	t.Helper()
	return programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), out)
	})
}

// dial returns a socket to a path of the program as a user, until the test ends.
func dial(t *testing.T, p *programtest.Program, path, name string) *wsource.Socket {
	t.Helper()
	socket, err := wsource.Dial(t.Context(), "ws://"+p.Addr()+path+"?name="+url.QueryEscape(name), nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		socket.CloseNow()
		<-socket.Done()
	})
	return socket
}

// painter is a client of the strokes.
type painter struct {
	t      *testing.T
	socket *wsource.Socket
	maps   <-chan map[string]stroke
}

func newPainter(t *testing.T, p *programtest.Program, name string) *painter {
	t.Helper()
	socket := dial(t, p, "/strokes", name)
	events := operators.TryMap(socket, wsource.DecodeFunc(wsource.JSON[hub.Event[string, string, change], any]()))
	maps, _ := observable.ToChan(t.Context(), hub.StateMaps(events), 1000, observable.OverflowBlock)
	return &painter{t, socket, maps}
}

// until waits until the drawing is as wanted.
func (p *painter) until(wanted func(drawn map[string]stroke) bool) (drawn map[string]stroke) {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case next, ok := <-p.maps:
			require.True(p.t, ok, "the connection is over: %v", p.socket.Err())
			if drawn = next; wanted(drawn) {
				return drawn
			}
		case <-timeout:
			require.Fail(p.t, "the drawing is not as it should be", "%v", drawn)
		}
	}
}

func (p *painter) send(value any) {
	data, err := json.Marshal(value)
	require.NoError(p.t, err)
	p.socket.Next(wsource.TextMessage(string(data)))
}

func (p *painter) draw(id string) {
	p.send(map[string]any{"draw": id, "colour": 1, "width": 5, "points": []int{1, 2, 3, 4}, "by": "another", "number": 99})
}

// has reports whether the drawing has exactly those strokes.
func has(ids ...string) func(map[string]stroke) bool {
	return func(drawn map[string]stroke) bool {
		for _, id := range ids {
			if _, ok := drawn[id]; !ok {
				return false
			}
		}
		return len(drawn) == len(ids)
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-strokes", "0"}, {"-strokes", "1000000"}, {"extra"}, {"-addr", "nowhere:x"}} {
		require.Error(t, run(t.Context(), args, io.Discard), "%v", args)
	}
}

// TestStrokes has two painters, a late one, and more strokes than are kept.
func TestStrokes(t *testing.T) {
	p := start(t, "-strokes", "3")
	ann, bob := newPainter(t, p, "ann"), newPainter(t, p, "bob")
	ann.draw("1")
	bob.until(has("1"))
	bob.draw("2")
	ann.until(has("1", "2"))
	ann.draw("1") // as after a connection that broke: it is no other
	ann.draw("3")
	drawn := bob.until(has("1", "2", "3"))
	assert.Equal(t, stroke{Number: 1, By: "ann", Colour: 1, Width: 5, Points: []int{1, 2, 3, 4}}, drawn["1"], "the server sets the author")
	assert.EqualValues(t, 3, drawn["3"].Number)
	bob.draw("4")
	bob.until(has("2", "3", "4"))

	late := newPainter(t, p, "late")
	late.until(has("2", "3", "4"))
	ann.send(map[string]any{"undo": true})
	late.until(has("2", "4"))
	late.send(map[string]any{"undo": true}) // it has drawn none
	bob.draw("5")
	late.until(has("2", "4", "5"))
	late.send(map[string]any{"clear": true})
	bob.until(has())
	ann.draw("6")
	bob.until(has("6"))
}

func TestBadStrokes(t *testing.T) {
	p := start(t)
	for name, test := range map[string]struct {
		message string
		code    wsource.StatusCode
	}{
		"no id":           {`{"points":[1,2],"width":1}`, wsource.StatusPolicyViolation},
		"a long id":       {`{"draw":"` + strings.Repeat("x", maxID+1) + `","points":[1,2],"width":1}`, wsource.StatusPolicyViolation},
		"no width":        {`{"draw":"x","points":[1,2]}`, wsource.StatusPolicyViolation},
		"no colour":       {`{"draw":"x","points":[1,2],"width":1,"colour":8}`, wsource.StatusPolicyViolation},
		"no point":        {`{"draw":"x","points":[],"width":1}`, wsource.StatusPolicyViolation},
		"half a point":    {`{"draw":"x","points":[1,2,3],"width":1}`, wsource.StatusPolicyViolation},
		"a point outside": {`{"draw":"x","points":[1,1001],"width":1}`, wsource.StatusPolicyViolation},
		"too many points": {`{"draw":"x","points":[` + strings.Repeat("1,", 2*maxPoints) + `1,1],"width":1}`, wsource.StatusPolicyViolation},
		"no JSON":         {`{`, wsource.StatusInvalidPayload},
		"too long":        {strings.Repeat(" ", 10_000), wsource.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			socket := dial(t, p, "/strokes", "ann")
			socket.Next(wsource.TextMessage(test.message))
			_, err := observable.LastValue(t.Context(), socket)
			assert.Equal(t, test.code, wsource.CloseStatus(err), "%v", err)
		})
	}
	for _, name := range []string{"", strings.Repeat("x", maxName+1), "\xff"} {
		_, err := wsource.Dial(t.Context(), "ws://"+p.Addr()+"/strokes?name="+url.QueryEscape(name), nil)
		var refused *wsource.HandshakeError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, http.StatusBadRequest, refused.Status)
	}
}

// TestCursors has one painter that moves: the others are told, and its last move is the
// last that they hear.
func TestCursors(t *testing.T) {
	p := start(t)
	ann, bob := dial(t, p, "/cursors", "ann"), dial(t, p, "/cursors", "bob")
	heard := operators.TryMap(bob, wsource.DecodeFunc(wsource.JSON[hub.Event[string, string, move], any]()))
	moves := operators.Filter(heard, func(e hub.Event[string, string, move]) bool { return e.Kind == hub.Said })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	welcome, err := observable.FirstValue(ctx, heard) // before it, bob is not there yet
	require.NoError(t, err)
	assert.Equal(t, hub.Welcome, welcome.Kind)
	for n := range 50 {
		ann.Next(wsource.TextMessage(fmt.Sprintf(`{"x":%d,"y":7,"down":true}`, n)))
	}
	before := -1
	last := operators.TakeWhileInclusive(moves, func(e hub.Event[string, string, move]) bool {
		assert.Equal(t, "ann", e.Member)
		assert.Greater(t, e.Value.X, before, "in order")
		before = e.Value.X
		return e.Value.X < 49
	})
	e, err := observable.LastValue(ctx, last)
	require.NoError(t, err)
	assert.Equal(t, move{X: 49, Y: 7, Down: true}, e.Value)
}

// The inspector is at the name that the program was given with -addr.
func TestInspectorHasAName(t *testing.T) {
	s, err := newStudio(t.Context(), 1, "box.example")
	require.NoError(t, err)
	site := s.site()
	assert.Equal(t, http.StatusOK, programtest.Status(site.Handler, "box.example:9000", "/inspect/"))
	assert.Equal(t, http.StatusMisdirectedRequest, programtest.Status(site.Handler, "elsewhere.example:9000", "/inspect/"))
	require.NoError(t, site.Close(t.Context()))
}
