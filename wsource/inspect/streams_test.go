package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/inspect"
)

// marbles is the marbles of a stream as a text.
func marbles(s inspect.Stream) string {
	words := make([]string, 0, len(s.Marbles))
	for _, m := range s.Marbles {
		word := m.Text
		if m.Kind != "value" {
			word = strings.TrimSuffix(m.Kind+":"+m.Text, ":")
		}
		if m.Skipped > 0 {
			word = fmt.Sprintf("+%d,%s", m.Skipped, word)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// named returns the shown streams of a name.
func named(s inspect.Snapshot, name string) (streams []inspect.Stream) {
	for _, of := range s.Streams.Shown {
		if of.Name == name {
			streams = append(streams, of)
		}
	}
	return streams
}

// nothing observes and drops.
type nothing[T any] = observable.ObserverFuncs[T]

// run subscribes to a stream and waits for its end.
func run[T any](t *testing.T, stream observable.Observable[T]) {
	t.Helper()
	_, _ = observable.Collect(t.Context(), stream)
}

func TestStreams(t *testing.T) {
	i := newInspector(t, &inspect.Config{Show: inspect.ShowJSON()})
	var src observable.Subject[int]
	small := operators.Named(operators.Filter(operators.Named(&src, "all"), func(v int) bool { return v < 10 }), "small")
	sub := small.Subscribe(t.Context(), nothing[int]{})
	src.Next(0) // before anybody looks
	state(t, i, "")
	src.Next(1)
	src.Next(20)
	src.Next(2)
	got := state(t, i, "")
	require.Len(t, got.Streams.Shown, 2)
	up, down := named(got, "all")[0], named(got, "small")[0]
	assert.Equal(t, "1 20 2", marbles(up))
	assert.Equal(t, "1 2", marbles(down))
	assert.Equal(t, [2]uint64{4, 3}, [2]uint64{up.Values, down.Values})
	assert.Equal(t, down.ID, up.Into)
	assert.Zero(t, down.Into)
	assert.Equal(t, 2, got.Streams.Live)

	src.Next(3)
	got = state(t, i, fmt.Sprintf("?since=%d&q=SMALL", got.Marble))
	require.Len(t, got.Streams.Shown, 1)
	assert.Equal(t, "3", marbles(got.Streams.Shown[0]), "only new values")
	sub.Unsubscribe()
	got = state(t, i, fmt.Sprintf("?since=%d", got.Marble))
	assert.Equal(t, "unsubscribe", marbles(named(got, "small")[0]))
	assert.Zero(t, got.Streams.Live)
	assert.Equal(t, []inspect.Name{
		{Name: "all", Subscribed: 1, Values: 5}, {Name: "small", Subscribed: 1, Values: 4},
	}, got.Streams.Names)
}

// TestEndsAreShown ends streams before anybody looks.
func TestEndsAreShown(t *testing.T) {
	i := newInspector(t, &inspect.Config{Show: inspect.ShowJSON()})
	run(t, operators.Named(observable.Of(1), "good"))
	run(t, operators.Named(observable.Throw[int](errors.New("boom")), "bad"))
	got := state(t, i, "")
	assert.Equal(t, "complete", marbles(named(got, "good")[0]))
	assert.Equal(t, "error:boom", marbles(named(got, "bad")[0]))
	assert.Equal(t, []string{"error", "complete"}, []string{got.Streams.Shown[0].End, got.Streams.Shown[1].End})
	assert.Equal(t, []inspect.Name{
		{Name: "good", Subscribed: 1, Values: 1, Completed: 1}, {Name: "bad", Subscribed: 1, Errors: 1},
	}, got.Streams.Names)
}

func TestStreamsOfASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInspector(t, nil)
		s := newSite(t, i.Hook(), echo)
		s.dial("ann")
		s.dial("bob")
		got := state(t, i, "?q=bob")
		require.Len(t, got.Sockets.Shown, 1)
		id := got.Sockets.Shown[0].ID
		got = state(t, i, "?socket="+id)
		require.Len(t, got.Streams.Shown, 1)
		assert.Equal(t, id, got.Streams.Shown[0].Socket)
		assert.Len(t, named(state(t, i, ""), "echo"), 2)
	})
}

// TestWhatWaits has a subscriber that does not take a value: the value waits in both
// streams, and with a full buffer between them only in the stream before the buffer.
func TestWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInspector(t, nil)
		ticks := operators.Named(observable.Interval(time.Second), "ticks")
		buffered := operators.Named(operators.OnBackpressureBuffer(ticks, 1, observable.OverflowBlock, nil), "buffered")
		sub := operators.Named(buffered, "out").Subscribe(context.Background(), nothing[int]{OnNext: func(v int) {
			time.Sleep(3500 * time.Millisecond)
		}})
		waits := func() (names string) {
			var list []string
			for _, s := range state(t, i, "").Streams.Shown {
				if s.Waiting >= inspect.Milliseconds(time.Second) {
					list = append(list, s.Name)
				}
			}
			return strings.Join(list, " ")
		}
		// The first value is being taken, the second is in the buffer.
		time.Sleep(2100 * time.Millisecond)
		assert.Empty(t, waits(), "the first look knows of no time")
		time.Sleep(time.Second) // the third finds no room from here on
		assert.Equal(t, "buffered out", waits())
		time.Sleep(1300 * time.Millisecond) // 4.4: the first value was taken at 4.5
		assert.Equal(t, "ticks buffered out", sorted(waits()))
		sub.Unsubscribe()
		<-sub.Done()
	})
}

// sorted puts upstream first, in the order of the names of TestWhatWaits.
func sorted(names string) string {
	if rest, ok := strings.CutSuffix(names, " ticks"); ok {
		return "ticks " + rest
	}
	return names
}

// TestBounds has more of everything than an answer shows.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		show := func(string, any) string { return strings.Repeat("é", inspect.MaxText) }
		i := newInspector(t, &inspect.Config{Show: show, PerSecond: 3})
		state(t, i, "")
		var src observable.Subject[int]
		operators.Named(&src, "many").Subscribe(t.Context(), nothing[int]{})
		for n := range 10 {
			src.Next(n)
		}
		got := named(state(t, i, ""), "many")[0]
		assert.Len(t, got.Marbles, 3)
		assert.Equal(t, strings.Repeat("é", (inspect.MaxText-3)/2)+"…", got.Marbles[0].Text)
		time.Sleep(time.Second)
		src.Next(10)
		got = named(state(t, i, ""), "many")[0]
		assert.Len(t, got.Marbles, 4)
		assert.EqualValues(t, 7, got.Marbles[3].Skipped)
		for range 3 * inspect.MaxMarbles {
			time.Sleep(time.Second)
			src.Next(0)
			state(t, i, "")
		}
		assert.Len(t, named(state(t, i, ""), "many")[0].Marbles, inspect.MaxMarbles)

		time.Sleep(2 * inspect.WatchTime) // nobody looks for so long
		before := i.Snapshot().Marble
		time.Sleep(2 * inspect.WatchTime)
		src.Next(11)
		assert.Equal(t, before, i.Snapshot().Marble, "no value is looked at that nobody wants to see")
		src.Next(12)
		assert.Equal(t, before+1, i.Snapshot().Marble)
		src.Complete()
	})
}

func TestBoundsOfNumbers(t *testing.T) {
	i := newInspector(t, nil)
	never := observable.Never[int]()
	for n := range inspect.MaxStreams + 10 {
		sub := operators.Named(never, fmt.Sprint("name ", n)).Subscribe(t.Context(), nothing[int]{})
		defer sub.Unsubscribe()
	}
	got := state(t, i, "?q=name").Streams
	assert.Equal(t, inspect.MaxStreams, got.Live)
	assert.Len(t, got.Shown, inspect.MaxShown)
	assert.Len(t, got.Names, inspect.MaxShown)
	for range 2 * inspect.MaxEnded {
		run(t, operators.Named(observable.Empty[int](), "short"))
	}
	i.Close()

	i = newInspector(t, nil)
	for range 2 * inspect.MaxEnded {
		run(t, operators.Named(observable.Empty[int](), "short"))
	}
	assert.Len(t, state(t, i, "").Streams.Shown, inspect.MaxEnded)
}

func TestShowPanics(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	i := newInspector(t, &inspect.Config{Show: func(string, any) string { panic("broken") }})
	state(t, i, "")
	got, err := observable.Collect(t.Context(), operators.Named(observable.Of(1, 2), "a"))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, got, "the stream goes on")
	assert.Equal(t, "(Show has panicked) (Show has panicked) complete", marbles(named(state(t, i, ""), "a")[0]))
	unhandled.Expect(t, "broken")
}

// TestNoDataIsShown has values and errors with secrets.
func TestNoDataIsShown(t *testing.T) {
	i := newInspector(t, nil)
	state(t, i, "")
	secret := errors.New("secret")
	run(t, operators.Named(operators.Concat(observable.Of("secret"), observable.Throw[string](secret)), "a"))
	closed := &wsource.CloseError{Code: 4001, Reason: "secret", Err: secret}
	run(t, operators.Named(observable.Throw[string](closed), "b"))
	got := state(t, i, "")
	assert.Equal(t, "string error:*errors.errorString", marbles(named(got, "a")[0]))
	assert.Equal(t, "error:*wsource.CloseError "+closed.Code.String(), marbles(named(got, "b")[0]))
}

func TestShowJSON(t *testing.T) {
	type login struct{ Name, Password string }
	show, hide := inspect.ShowJSON(), inspect.ShowJSON("password")
	for _, test := range []struct {
		value         any
		shown, hidden string
	}{
		{7, `7`, `7`},
		{login{"ann", "pw"}, `{"Name":"ann","Password":"pw"}`, `{"Name":"ann","Password":"•••"}`},
		{[]login{{"ann", "pw"}}, `[{"Name":"ann","Password":"pw"}]`, `[{"Name":"ann","Password":"•••"}]`},
		{map[string]any{"in": login{"<b>", "pw"}, "PASSWORD": 1}, `{"PASSWORD":1,"in":{"Name":"<b>","Password":"pw"}}`,
			`{"PASSWORD":"•••","in":{"Name":"<b>","Password":"•••"}}`},
		{wsource.TextMessage(`{"password":"pw","n":12345678901234567890}`), `{"password":"pw","n":12345678901234567890}`,
			`{"n":12345678901234567890,"password":"•••"}`},
		{wsource.TextMessage(`password pw`), `password pw`, `text, 11 bytes`},
		{wsource.BinaryMessage([]byte(`{}`)), `binary, 2 bytes`, `binary, 2 bytes`},
		{errors.New("boom"), `boom`, `boom`},
		{&wsource.CodecError{Message: wsource.TextMessage("pw"), Err: errors.New("pw")}, "", ""},
		{func() {}, `func()`, `func()`},
	} {
		if test.shown == "" { // the text of the type may be logged
			assert.NotContains(t, show("", test.value), "pw")
			assert.NotContains(t, hide("", test.value), "pw")
			continue
		}
		assert.Equal(t, test.shown, show("", test.value))
		assert.Equal(t, test.hidden, hide("", test.value))
	}
}

// BenchmarkInspector shows the costs of an Inspector: for an event of a socket, and for a
// value of a named stream with and without a viewer.
func BenchmarkInspector(b *testing.B) {
	b.Run("event", func(b *testing.B) {
		i := inspect.New(nil)
		defer i.Close()
		socket := new(wsource.Socket)
		hook := i.Hook()
		hook.Handle(wsource.Event{Kind: wsource.EventOpened, Socket: socket})
		b.ReportAllocs()
		for b.Loop() {
			hook.Handle(wsource.Event{Kind: wsource.EventReceived, Socket: socket, Messages: 1, Frames: 1, Bytes: 100})
		}
	})
	for _, looks := range []bool{false, true} {
		b.Run(map[bool]string{false: "value", true: "value looked at"}[looks], func(b *testing.B) {
			i := inspect.New(nil)
			defer i.Close()
			if looks {
				i.Snapshot()
			}
			b.ReportAllocs()
			operators.Named(observable.Range(0, b.N), "bench").Subscribe(b.Context(), nothing[int]{})
		})
	}
}

// TestACrowd: with more streams than an answer shows, the Inspector looks at the values
// of shown streams only.
func TestACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shown := make(map[any]int)
		i := newInspector(t, &inspect.Config{Show: func(_ string, v any) string { shown[v]++; return "" }})
		var src observable.Subject[int]
		for n := range inspect.MaxShown + 10 {
			numbered := operators.Map(&src, func(int) int { return n })
			operators.Named(numbered, "n").Subscribe(t.Context(), nothing[int]{})
		}
		state(t, i, "")
		src.Next(1)
		assert.Len(t, shown, inspect.MaxShown)
		assert.NotContains(t, shown, 0, "the newest are shown")

		first := state(t, i, "").Streams.Shown[inspect.MaxShown-1]
		assert.Len(t, first.Marbles, 1)
		time.Sleep(inspect.WatchTime)
		state(t, i, "?q=nothing")
		src.Next(2)
		assert.Equal(t, 1, shown[10], "of streams that no answer has shown for a while")
	})
}
