package observable_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestBehaviorSubjectValue reads the current value.
func TestBehaviorSubjectValue(t *testing.T) {
	s := observable.NewBehaviorSubject("first")
	v, err := s.Value()
	require.NoError(t, err)
	assert.Equal(t, "first", v)
	s.Next("second")
	s.Complete()
	v, err = s.Value()
	require.NoError(t, err)
	assert.Equal(t, "second", v)

	s = observable.NewBehaviorSubject("first")
	s.Error(errBoom)
	v, err = s.Value()
	require.ErrorIs(t, err, errBoom)
	assert.Empty(t, v)
}

// TestAsyncSubjectEmpty completes a subject that has got no value.
func TestAsyncSubjectEmpty(t *testing.T) {
	s := observable.NewAsyncSubject[int]()
	early, _ := record[int](t.Context(), s)
	s.Complete()
	late, _ := record[int](t.Context(), s)
	assert.Equal(t, []string{"complete"}, early.Log())
	assert.Equal(t, []string{"complete"}, late.Log())
}

func TestReplaySubjectArguments(t *testing.T) {
	for want, limit := range map[string]observable.ReplayConfig{
		"observable.NewReplaySubject: argument r.Buffer is negative: -1":  {Buffer: -1},
		"observable.NewReplaySubject: argument r.Window is negative: -1s": {Window: -time.Second},
	} {
		s := observable.NewReplaySubject[int](limit)
		s.Next(1)
		out, _ := record[int](t.Context(), s)
		assert.Equal(t, []string{"error: " + want}, out.Log())
	}
}

// TestReplaySubjectLimits replays the values that the limits leave.
func TestReplaySubjectLimits(t *testing.T) {
	for name, test := range map[string]struct {
		limit observable.ReplayConfig
		want  []string
	}{
		"none":     {observable.ReplayConfig{}, []string{"1", "2", "3", "4"}},
		"count":    {observable.ReplayConfig{Buffer: 2}, []string{"3", "4"}},
		"time":     {observable.ReplayConfig{Window: 25 * ms}, []string{"2", "3", "4"}},
		"boundary": {observable.ReplayConfig{Window: 20 * ms}, []string{"3", "4"}},
		"both":     {observable.ReplayConfig{Buffer: 1, Window: 25 * ms}, []string{"4"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := observable.NewReplaySubject[int](test.limit)
				for i := range 4 {
					time.Sleep(10 * ms)
					s.Next(i + 1)
				}
				// The values are 30, 20, 10 and 0 ms old now.
				out, sub := record[int](t.Context(), s)
				assert.Equal(t, test.want, out.Log())
				sub.Unsubscribe()
				s.Complete()
				out, _ = record[int](t.Context(), s)
				assert.Equal(t, append(test.want, "complete"), out.Log())
				time.Sleep(time.Second)
				out, _ = record[int](t.Context(), s)
				if test.limit.Window > 0 {
					assert.Equal(t, []string{"complete"}, out.Log(), "time goes on after the end")
				}
			})
		})
	}
}

// TestReplaySubjectTakeInReplay leaves in the middle of a replay.
func TestReplaySubjectTakeInReplay(t *testing.T) {
	s := observable.NewReplaySubject[int](observable.ReplayConfig{})
	for i := range 5 {
		s.Next(i)
	}
	out, _ := record(t.Context(), taken[int](s, 2))
	assert.Equal(t, []string{"0", "1", "complete"}, out.Log())
	assert.False(t, s.Observed())
}

// TestReplaySubjectEmitInReplay emits while values are replayed: the new value comes
// after them.
func TestReplaySubjectEmitInReplay(t *testing.T) {
	s := observable.NewReplaySubject[int](observable.ReplayConfig{})
	s.Next(0)
	s.Next(1)
	out := observabletest.NewRecorder[int]().OnNext(func(v int) {
		if v < 2 {
			s.Next(v + 10)
		}
	})
	s.Subscribe(t.Context(), out)
	assert.Equal(t, []string{"0", "1", "10", "11"}, out.Log())
}
