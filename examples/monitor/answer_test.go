package main

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// machine is a machine whose figures tests know: they tell how often it has been read.
type machine struct{ readings atomic.Int64 }

func (m *machine) read() reading {
	n := float64(m.readings.Add(1))
	return reading{
		at:         time.Now(),
		system:     system{memory: &memoryUse{used: 1024 * n, total: 1 << 20}},
		goroutines: n,
	}
}

// look waits until all is quiet at this moment, and returns the values recorded since the
// last look.
func look[T any](r *observabletest.Recorder[T]) []observabletest.Event[T] {
	synctest.Wait()
	return r.Unseen()
}

// listen subscribes to replies and returns the ones heard.
func listen(
	t *testing.T, replies observable.Observable[wsource.Message],
) (*observabletest.Recorder[reply], observable.Subscription) {
	t.Helper()
	heard := observabletest.NewRecorder[reply]()
	return heard, operators.TryMap(replies, wsource.DecodeFunc(clientSide)).Subscribe(t.Context(), heard)
}

// times returns the times at which samples were heard, and fails if another reply was.
func times(t *testing.T, all []observabletest.Event[reply]) []time.Duration {
	t.Helper()
	var at []time.Duration
	for _, e := range all {
		require.NotNil(t, e.Value.Sample, "%+v", e)
		at = append(at, e.At)
	}
	return at
}

const ms = time.Millisecond

func TestAnswerStreamsSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newService(newSampler(new(machine).read), "host")
		heard, sub := listen(t, service.answer(observable.Never[wsource.Message]()))
		defer sub.Unsubscribe()
		greeting := look(heard)
		require.Len(t, greeting, 1)
		assert.Equal(t, "host", greeting[0].Value.Settings.Offer.Host)
		assert.Equal(t, "memory, heap, allocations, goroutines", greeting[0].Value.Settings.Offer.names(), "the metrics of the machine")
		assert.Equal(t, []string{"memory", "heap", "allocations", "goroutines"}, greeting[0].Value.Settings.Metrics)
		assert.Equal(t, interval(time.Second), greeting[0].Value.Settings.Interval)

		time.Sleep(3 * time.Second)
		samples := look(heard)
		assert.Equal(t, []time.Duration{100 * ms, 1100 * ms, 2100 * ms}, times(t, samples), "the first comes early")
		assert.Equal(t, map[string]float64{"live": 3}, samples[0].Value.Sample.Values["goroutines"],
			"after a first reading and that of the offer")
		assert.Equal(t, map[string]float64{"used": 5 * 1024}, samples[2].Value.Sample.Values["memory"])
	})
}

func TestAnswerObeysCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine := new(machine)
		service := newService(newSampler(machine.read), "host")
		commands := new(observable.Subject[wsource.Message])
		heard, sub := listen(t, service.answer(commands))
		defer sub.Unsubscribe()
		require.Len(t, look(heard), 1)
		time.Sleep(1500 * ms)
		assert.Len(t, times(t, look(heard)), 2)

		commands.Next(wsource.TextMessage(`{"interval":"250ms"}`))
		answer := look(heard)
		require.Len(t, answer, 1)
		assert.Equal(t, interval(250*ms), answer[0].Value.Settings.Interval)
		time.Sleep(400 * ms)
		assert.Equal(t, []time.Duration{1600 * ms, 1850 * ms}, times(t, look(heard)), "the new interval replaces the old one")

		commands.Next(wsource.TextMessage(`{"metrics":["heap","memory"]}`))
		answer = look(heard)
		require.Len(t, answer, 1)
		assert.Equal(t, []string{"heap", "memory"}, answer[0].Value.Settings.Metrics)
		assert.Equal(t, interval(250*ms), answer[0].Value.Settings.Interval, "a setting that a command does not mention stays")
		time.Sleep(500 * ms)
		samples := look(heard)
		assert.Equal(t, []time.Duration{2100 * ms, 2350 * ms}, times(t, samples), "a choice of metrics does not interrupt")
		for _, e := range samples {
			assert.Len(t, e.Value.Sample.Values, 2)
			assert.Contains(t, e.Value.Sample.Values, "heap")
			assert.Contains(t, e.Value.Sample.Values, "memory")
		}

		sub.Unsubscribe()
		readings := machine.readings.Load()
		time.Sleep(time.Minute)
		assert.Equal(t, readings, machine.readings.Load(), "nobody reads for nobody")
		assert.Empty(t, service.sampler.running)
	})
}

func TestAnswerNamesFaultsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newService(newSampler(new(machine).read), "host")
		commands := new(observable.Subject[wsource.Message])
		heard, sub := listen(t, service.answer(commands))
		defer sub.Unsubscribe()
		look(heard)
		for text, want := range map[string]string{
			``:                         "the command is empty",
			`faster`:                   "the command is not JSON: invalid character 's' in literal false",
			`{"interval":`:             "the command is not JSON: unexpected EOF",
			`"250ms"`:                  "a command is a JSON object, not a JSON string",
			`{}`:                       `the command asks for nothing; send {"interval":"250ms"} or {"metrics":["cpu","memory"]}`,
			`null`:                     "the command asks for nothing",
			`{"speed":1}`:              `unknown field "speed"`,
			`{"interval":250}`:         "the command's interval cannot be a JSON number",
			`{"interval":"quick"}`:     `interval "quick" is not a duration such as 250ms or 2s`,
			`{"interval":"99ms"}`:      "interval 99ms is not between 100ms and 1m0s",
			`{"interval":"61s"}`:       "interval 1m1s is not between 100ms and 1m0s",
			`{"metrics":[]}`:           "no metrics are chosen; there are memory, heap, allocations, goroutines",
			`{"metrics":"heap"}`:       "the command's metrics cannot be a JSON string",
			`{"metrics":["disk"]}`:     `there is no metric "disk"; there are memory, heap, allocations, goroutines`,
			`{"interval":"1s"} more`:   "data after the JSON value",
			"{\"metrics\":[\"\xff\"]}": "there is no metric",
		} {
			commands.Next(wsource.TextMessage(text))
			answer := look(heard)
			require.Len(t, answer, 1, text)
			assert.Contains(t, answer[0].Value.Error, want, text)
		}
		time.Sleep(2500 * ms)
		assert.Equal(t, []time.Duration{100 * ms, 1100 * ms, 2100 * ms}, times(t, look(heard)), "the samples go on")
	})
}

// A client that takes its time misses samples. The others, which share the sampling with
// it, do not.
func TestAnswerIsolatesSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newService(newSampler(new(machine).read), "host")
		slow := observabletest.NewRecorder[reply]()
		busy := operators.TryMap(service.answer(observable.Never[wsource.Message]()), wsource.DecodeFunc(clientSide))
		sub := busy.Subscribe(t.Context(), observable.ObserverFuncs[reply]{OnNext: func(r reply) {
			if r.Sample != nil {
				time.Sleep(9300 * ms)
			}
			slow.Next(r)
		}})
		heard, quick := listen(t, service.answer(observable.Never[wsource.Message]()))
		defer quick.Unsubscribe()
		look(heard)
		time.Sleep(time.Minute)
		assert.Len(t, times(t, look(heard)), 60)
		var live []float64
		for _, e := range look(slow)[1:] {
			live = append(live, e.Value.Sample.Values["goroutines"]["live"])
		}
		assert.Equal(t, []float64{3, 12, 21, 30, 40, 49}, live, "always the latest one there is")
		sub.Unsubscribe()
		time.Sleep(10 * time.Second) // until it is done with the last one
	})
}

// assertOver does not wait for the end: samples that go on would let virtual time go on
// for ever.
func assertOver(t *testing.T, sub observable.Subscription) {
	t.Helper()
	synctest.Wait()
	select {
	case <-sub.Done():
	default:
		t.Error("the subscription is not over")
	}
}

// The answer itself does not end with the messages, but with its socket: see
// TestSamplesEndWithTheSocket.
func TestAnswerFailsWithTheMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine := new(machine)
		service := newService(newSampler(machine.read), "host")
		failing := new(observable.Subject[wsource.Message])
		lost := &wsource.CloseError{Code: wsource.StatusAbnormalClosure}
		sub := service.answer(failing).Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{})
		defer sub.Unsubscribe()
		failing.Error(lost)
		assertOver(t, sub)
		require.ErrorIs(t, sub.Err(), lost)
		time.Sleep(time.Minute)
		assert.EqualValues(t, 2, machine.readings.Load(), "one for the offer and one for the client")
	})
}

func TestSamplesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine := new(machine)
		service := newService(newSampler(machine.read), "host")
		for range 10 {
			heard, sub := listen(t, service.answer(observable.Never[wsource.Message]()))
			defer func() { assert.Len(t, look(heard), 1+3) }()
			defer sub.Unsubscribe()
		}
		time.Sleep(2500 * ms)
		assert.EqualValues(t, 1+1+3, machine.readings.Load(), "one for the offer, one to start with and one for each sample")

		late, sub := listen(t, service.answer(observable.Never[wsource.Message]()))
		defer sub.Unsubscribe()
		latest := look(late)
		require.Len(t, latest, 2, "a late client gets the latest sample at once")
		assert.Equal(t, map[string]float64{"live": 5}, latest[1].Value.Sample.Values["goroutines"])
	})
}

func TestSamplesDoNotGoBackInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := newService(newSampler(new(machine).read), "host")
		_, other := listen(t, service.answer(observable.Never[wsource.Message]()))
		defer other.Unsubscribe()
		commands := observable.NewReplaySubject[wsource.Message](observable.ReplayConfig{})
		commands.Next(wsource.TextMessage(`{"interval":"200ms"}`))
		heard, sub := listen(t, service.answer(commands))
		defer sub.Unsubscribe()
		time.Sleep(1800 * ms)
		look(heard)
		commands.Next(wsource.TextMessage(`{"interval":"1s"}`))
		require.Len(t, look(heard), 1, "the settings; the latest sample there is, of 1.1 s, comes before the last one that was sent")
		time.Sleep(time.Second)
		assert.Equal(t, []time.Duration{2100 * ms}, times(t, look(heard)))
	})
}
