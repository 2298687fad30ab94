package operators_test

import (
	"context"
	"log"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestTapArguments(t *testing.T) {
	isInvalid(t, operators.Tap(observable.Of(1), nil), "operators.Tap: argument next is nil")
	got := observabletest.NewRecorder[int]()
	operators.TapWith(observable.Of(1), operators.TapConfig[int]{}).Subscribe(t.Context(), got)
	assert.Equal(t, "1 |", got.String(), "the functions may all be left out")
}

// notes returns a config whose functions note their calls in a recorder.
func notes(got *observabletest.Recorder[int]) operators.TapConfig[int] {
	return operators.TapConfig[int]{
		Subscribe:   func() { got.Notef("subscribe") },
		Next:        func(v int) { got.Notef("next") },
		Error:       func(error) { got.Notef("error") },
		Complete:    func() { got.Notef("complete") },
		Unsubscribe: func() { got.Notef("unsubscribe") },
		Finalize:    func() { got.Notef("finalize") },
	}
}

// TestTapWithSeesPanics has a stage above and a stage below panic.
func TestTapWithSeesPanics(t *testing.T) {
	panicky := func(src ints) ints { return operators.Map(src, func(int) int { panic("stage") }) }
	got := observabletest.NewRecorder[int]()
	operators.TapWith(panicky(observable.Of(1)), notes(got)).Subscribe(t.Context(), got)
	assert.Equal(t, "subscribe error #panic: stage finalize", got.String())

	got = observabletest.NewRecorder[int]()
	panicky(operators.TapWith(observable.Of(1), notes(got))).Subscribe(t.Context(), got)
	assert.Equal(t, "subscribe next #panic: stage unsubscribe finalize", got.String())
}

// TestTapWithAndTheEndOfTheContext has the context end, which is no error of the source.
func TestTapWithAndTheEndOfTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		got := observabletest.NewRecorder[int]()
		sub := operators.TapWith(observable.Never[int](), notes(got)).Subscribe(ctx, got)
		cancel()
		<-sub.Done()
		assert.Equal(t, "subscribe unsubscribe finalize #context canceled", got.String())
	})
}

// TestTapUnsubscribes leaves inside the callbacks: the notifications that they were
// called with do not pass on.
func TestTapUnsubscribes(t *testing.T) {
	for name, end := range map[string]func(o observable.Observer[int]){
		"next":     func(o observable.Observer[int]) { o.Next(1) },
		"error":    func(o observable.Observer[int]) { o.Error(errBoom) },
		"complete": func(o observable.Observer[int]) { o.Complete() },
	} {
		var src observable.Subject[int]
		var sub observable.Subscription
		leave := func() { sub.Unsubscribe() }
		got := observabletest.NewRecorder[int]()
		below := operators.TapWith(operators.TapWith(&src, operators.TapConfig[int]{
			Next:     func(int) { leave() },
			Error:    func(error) { leave() },
			Complete: leave,
		}), notes(got))
		sub = below.Subscribe(t.Context(), got)
		end(&src)
		assert.Equal(t, "subscribe unsubscribe finalize", got.String(), name)

		src = observable.Subject[int]{}
		got = observabletest.NewRecorder[int]()
		sub = operators.Tap(operators.Tap(&src, func(int) { leave() }), func(int) { got.Notef("below") }).
			Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		src.Next(1)
		assert.Empty(t, got.String(), name)
		sub.Unsubscribe()
	}
}

// TestTapWithRaces unsubscribes while the source ends: exactly one of the two calls its
// function.
func TestTapWithRaces(t *testing.T) {
	for range 300 {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		sub := operators.TapWith(&src, operators.TapConfig[int]{
			Unsubscribe: func() { got.Notef("unsubscribe") },
			Finalize:    func() { got.Notef("finalize") },
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		var group sync.WaitGroup
		group.Go(src.Complete)
		group.Go(sub.Unsubscribe)
		group.Wait()
		<-sub.Done()
		require.Contains(t, []string{"finalize", "unsubscribe finalize"}, got.String())
	}
}

// keyOfRequest is the key under which the context of a test carries a word for the log.
type keyOfRequest struct{}

// requestHandler adds to each line the word that the context carries.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, r slog.Record) error {
	word, _ := ctx.Value(keyOfRequest{}).(string)
	r.AddAttrs(slog.String("request", word))
	return h.Handler.Handle(ctx, r)
}

func (h requestHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attributes)}
}

// logInto returns a logger that writes lines without a date into text.
func logInto(text *strings.Builder, level slog.Level) *slog.Logger {
	return slog.New(requestHandler{slog.NewTextHandler(text, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})})
}

// TestLog checks the lines logged at each end of a subscription, and that everything
// passes on.
func TestLog(t *testing.T) {
	panicky := func(src ints) ints { return operators.Map(src, func(int) int { panic("stage") }) }
	after3 := func(end ints) ints {
		return operators.Concat(operators.Map(observable.Timer(3*ms), func(int) int { return 7 }), end)
	}
	for name, test := range map[string]struct {
		stream func(logged stage) ints
		passes string
		want   string
	}{
		"completion": {
			func(logged stage) ints { return logged(after3(observable.Empty[int]())) }, "3:7 3:|",
			"INFO subscribe 0s; DEBUG next 3ms value=7; INFO complete 3ms;",
		},
		"error": {
			func(logged stage) ints { return logged(after3(observable.Throw[int](errBoom))) }, "3:7 3:#boom",
			"INFO subscribe 0s; DEBUG next 3ms value=7; WARN error 3ms error=boom;",
		},
		"panic upstream": {
			func(logged stage) ints { return logged(panicky(observable.Of(1))) }, "0:#panic: stage",
			`INFO subscribe 0s; WARN error 0s error="observable: a callback panicked: stage";`,
		},
		"panic downstream": {
			func(logged stage) ints { return panicky(logged(observable.Of(1))) }, "0:#panic: stage",
			"INFO subscribe 0s; DEBUG next 0s value=1; INFO unsubscribe 0s;",
		},
		"unsubscribe": {
			func(logged stage) ints { return logged(after3(observable.Never[int]())) }, "3:7",
			"INFO subscribe 0s; DEBUG next 3ms value=7; INFO unsubscribe 5ms;",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var text strings.Builder
				logged := func(src ints) ints { return operators.Log(src, logInto(&text, slog.LevelDebug), "prices") }
				got := observabletest.NewRecorder[int]()
				ctx := context.WithValue(t.Context(), keyOfRequest{}, "x")
				sub := test.stream(logged).Subscribe(ctx, got)
				pass(5 * ms)
				sub.Unsubscribe()
				<-sub.Done()
				assert.Equal(t, test.passes, got.TimedString())
				assert.Equal(t, test.want, shortened(t, text.String()))
			})
		})
	}
}

// shortened removes from a log the parts that each line must have in its place.
func shortened(t *testing.T, text string) string {
	t.Helper()
	var out []string
	for line := range strings.Lines(text) {
		line, hasRequest := strings.CutSuffix(strings.TrimSpace(line), " request=x")
		assert.True(t, hasRequest, "the handler has the context of the subscription: %s", line)
		// The place of a panic changes with the lines of a file.
		line, place, _ := strings.Cut(line, " (in ")
		if place != "" {
			line += `"`
		}
		for _, part := range []string{"level=", "msg=", "stream=prices after="} {
			assert.Equal(t, 1, strings.Count(line, part), line)
			line = strings.Replace(line, part, "", 1)
		}
		out = append(out, line+";")
	}
	return strings.Join(out, " ")
}

// TestLogLeavesValuesOut sets a level at which all but the values is logged, of the
// default logger too.
func TestLogLeavesValuesOut(t *testing.T) {
	var text strings.Builder
	former, writer, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() {
		slog.SetDefault(former)
		log.SetOutput(writer) // SetDefault has changed it
		log.SetFlags(flags)
	}()
	src := operators.Log(observable.Of(1), nil, "prices")
	slog.SetDefault(logInto(&text, slog.LevelInfo))
	_, err := observable.Collect(t.Context(), src)
	require.NoError(t, err)
	assert.Contains(t, text.String(), "msg=subscribe")
	assert.Contains(t, text.String(), "msg=complete")
	assert.NotContains(t, text.String(), "msg=next")
}
