package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/reactivex/rxgo/v2"
	"github.com/rxsocket/rxsocket/observable"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFormsDoTheSame(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-n", "1000"}, &out))
	for _, f := range forms() {
		assert.Regexp(t, `(?m)^`+f.name+` +10 +\d+ +\d+\.\d$`, out.String())
	}
}

// Each form ends with its context, in the middle of its messages, and leaves nothing
// behind.
func TestFormsEnd(t *testing.T) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			all := make(chan error, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { // the server and the form, as the program has them
				all <- runWith(ctx, f, 1_000_000, cancel)
			}()
			require.ErrorIs(t, <-all, context.Canceled)
		})
	}
}

// runWith runs a form with a server of its own, and calls shown for the first alarm.
func runWith(ctx context.Context, f form, n int, shown func()) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	from := source{readings: readings(n), url: "ws://" + listener.Addr().String()}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- serve(serving, listener, from.readings) }()
	err = f.run(ctx, from, func(string) { shown() })
	stop()
	<-served
	return err
}

// A reading that cannot be used is the error of the stream, in both forms.
func TestErrors(t *testing.T) {
	wrong := observable.Of("20", "warm", "120")
	err := observable.ForEach(t.Context(), alarms(wrong), func(string) { t.Error("no alarm comes before the error") })
	require.ErrorContains(t, err, `parsing "warm"`)
	err = observe(t.Context(), alarmsRx(observable.ToRx(wrong)), func(string) { t.Error("no alarm comes before the error") })
	require.ErrorContains(t, err, `parsing "warm"`)
	err = observe(t.Context(), alarmsRx(rxgo.Just(1)()), func(string) { t.Error("it is no reading") })
	require.ErrorContains(t, err, "a reading of type int")
}

func TestMistakesAreNamed(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-n", "0"}, io.Discard), "-n is 0")
	require.ErrorContains(t, run(t.Context(), []string{"-addr", "nowhere"}, io.Discard), "cannot listen on nowhere")
	require.NoError(t, run(t.Context(), []string{"-duration", "20ms", "-n", "1000000"}, io.Discard))
}
