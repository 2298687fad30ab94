package observable_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// alarmed calls set inside the gate of a live subscription with an alarm that writes down
// when it fires, in milliseconds. do runs commands inside the gate, too.
func alarmed(t *testing.T, set func(a *observable.Alarm)) (
	fired func() []int, do func(func(a *observable.Alarm)), sub observable.Subscription,
) {
	t.Helper()
	begun := time.Now()
	out := observabletest.NewRecorder[int]()
	var alarm *observable.Alarm
	var commands *observable.Emitter[func(*observable.Alarm)]
	var times []int
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		alarm = sc.NewAlarm(func() { times = append(times, int(time.Since(begun)/time.Millisecond)) })
		set(alarm)
		commands = observable.NewEmitter(sc, observable.Stage[func(*observable.Alarm)]{
			Next:     func(f func(*observable.Alarm)) { f(alarm) },
			Terminal: down.Terminal,
		})
	})
	sub = src.Subscribe(t.Context(), out)
	return func() []int { return times }, commands.Next, sub
}

const ms = time.Millisecond

// TestAlarm sets, resets and stops alarms.
func TestAlarm(t *testing.T) {
	type step struct {
		at time.Duration
		do func(a *observable.Alarm)
	}
	reset := func(d time.Duration) func(*observable.Alarm) {
		return func(a *observable.Alarm) { a.Reset(d) }
	}
	for name, test := range map[string]struct {
		steps []step
		want  []int
	}{
		"once":                   {[]step{{0, reset(10 * ms)}}, []int{10}},
		"not set":                {nil, nil},
		"put off":                {[]step{{0, reset(10 * ms)}, {5 * ms, reset(10 * ms)}}, []int{15}},
		"brought forward":        {[]step{{0, reset(100 * ms)}, {5 * ms, reset(10 * ms)}}, []int{15}},
		"again":                  {[]step{{0, reset(10 * ms)}, {20 * ms, reset(10 * ms)}}, []int{10, 30}},
		"stopped":                {[]step{{0, reset(10 * ms)}, {5 * ms, (*observable.Alarm).Stop}}, nil},
		"stopped late":           {[]step{{0, reset(10 * ms)}, {15 * ms, (*observable.Alarm).Stop}}, []int{10}},
		"stopped and set":        {[]step{{0, reset(10 * ms)}, {5 * ms, (*observable.Alarm).Stop}, {6 * ms, reset(ms)}}, []int{7}},
		"no time":                {[]step{{3 * ms, reset(0)}}, []int{3}},
		"negative":               {[]step{{3 * ms, reset(-time.Hour)}}, []int{3}},
		"a time":                 {[]step{{0, func(a *observable.Alarm) { a.ResetAt(time.Now().Add(4 * ms)) }}}, []int{4}},
		"stopped without a time": {[]step{{0, (*observable.Alarm).Stop}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				fired, do, sub := alarmed(t, func(*observable.Alarm) {})
				for _, s := range test.steps {
					time.Sleep(s.at - time.Since(begun))
					do(s.do)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				sub.Unsubscribe()
				assert.Equal(t, test.want, fired())
			})
		})
	}
}

// TestAlarmWhileBusy has alarms fall due while a callback is at work: they fire after it,
// unless it stops them or puts them off.
func TestAlarmWhileBusy(t *testing.T) {
	for name, test := range map[string]struct {
		do   func(a *observable.Alarm)
		want []int
	}{
		"waits":   {func(*observable.Alarm) {}, []int{50}},
		"stopped": {(*observable.Alarm).Stop, nil},
		"put off": {func(a *observable.Alarm) { a.Reset(30 * ms) }, []int{80}},
		"set twice": {func(a *observable.Alarm) {
			a.Reset(30 * ms)
			time.Sleep(40 * ms)
			a.Reset(0)
		}, []int{90}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fired, do, sub := alarmed(t, func(a *observable.Alarm) { a.Reset(10 * ms) })
				do(func(a *observable.Alarm) {
					time.Sleep(50 * ms)
					test.do(a)
				})
				time.Sleep(time.Second)
				synctest.Wait()
				assert.Equal(t, test.want, fired())
				sub.Unsubscribe()
			})
		})
	}
}

// TestAlarmNeverInsideReset sets an alarm that is due.
func TestAlarmNeverInsideReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, bad := false, false
		var alarm *observable.Alarm
		_, sub := record(t.Context(), observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
			alarm = sc.NewAlarm(func() { bad = inside })
			inside = true
			alarm.Reset(0)
			time.Sleep(time.Second)
			inside = false
		}))
		synctest.Wait()
		assert.False(t, bad)
		sub.Unsubscribe()
	})
}

// TestAlarmEndsWithItsScope checks that no alarm fires after the end, not even one that
// was due, and that a closed scope's alarms cannot be set.
func TestAlarmEndsWithItsScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fired, do, sub := alarmed(t, func(a *observable.Alarm) { a.Reset(10 * ms) })
		do(func(a *observable.Alarm) {
			time.Sleep(20 * ms)
			sub.Unsubscribe()
			a.Reset(5 * ms)
		})
		time.Sleep(time.Second)
		assert.Empty(t, fired())
	})
}

// TestAlarmRaces unsubscribes at the moment when the alarm fires, and while it is being
// reset.
func TestAlarmRaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 300 {
			var late atomic.Bool
			var alarm *observable.Alarm
			_, sub := record(t.Context(), observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
				alarm = sc.NewAlarm(func() {
					for range 3 {
						alarm.Reset(0)
						alarm.Stop()
						alarm.Reset(time.Microsecond)
					}
				})
				alarm.Reset(time.Microsecond)
			}))
			time.AfterFunc(10*time.Microsecond, func() {
				sub.Unsubscribe()
				late.Store(true)
			})
			time.Sleep(10 * time.Microsecond)
			synctest.Wait()
			assert.True(t, late.Load())
		}
	})
}

// TestAlarmPanic has the alarm's function panic: it is an error of the stage that owns
// the alarm.
func TestAlarmPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
			sc.NewAlarm(func() { panic("alarm") }).Reset(time.Second)
		})
		var seen []error
		out, sub := record(t.Context(), recovered(src, &seen))
		<-sub.Done()
		assert.Equal(t, []string{"9", "complete"}, out.Log())
		isPanic(t, seen[0], "alarm")
	})
}
