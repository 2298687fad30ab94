package main

import (
	"math"
	"runtime/metrics"
	"slices"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// sample is the figures at one moment, by metric and series.
type sample struct {
	Time   time.Time                     `json:"time"`
	Values map[string]map[string]float64 `json:"values"`
}

// metric is a figure, or a few of one kind, that can be watched.
type metric struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Unit   unit     `json:"unit"`
	Series []string `json:"series"`        // names of its figures
	Max    float64  `json:"max,omitempty"` // end of its scale; 0: the largest figure

	// figures makes the metric's figures of two readings, in the order of Series; nil if
	// the readings do not have them.
	figures func(before, now reading) []float64
}

// unit is the unit of a figure.
type unit string

const (
	inPercent        unit = "%"
	inBytes          unit = "B"
	inBytesPerSecond unit = "B/s"
	aNumber          unit = ""
)

// reading is the gauges and counters at one moment.
type reading struct {
	at time.Time
	system
	heap, goal float64 // bytes
	allocated  float64 // bytes since the start
	goroutines float64
}

// system is the operating system's part of a reading. A part that it does not have is
// nil.
type system struct {
	cpu     *cpuTimes
	memory  *memoryUse
	traffic *traffic
}

// cpuTimes are the times that all processors have spent, in any unit.
type cpuTimes struct{ busy, system, total float64 }

// memoryUse is the machine's memory, in bytes.
type memoryUse struct{ used, total float64 }

// traffic is the bytes sent and received over the network since the start.
type traffic struct{ received, sent float64 }

// The names of the figures that the Go runtime has of itself.
const (
	heapObjects  = "/memory/classes/heap/objects:bytes"
	heapGoal     = "/gc/heap/goal:bytes"
	heapAllocs   = "/gc/heap/allocs:bytes"
	goroutineNum = "/sched/goroutines:goroutines"
)

// read reads all gauges and counters.
func read() reading {
	figures := []metrics.Sample{{Name: heapObjects}, {Name: heapGoal}, {Name: heapAllocs}, {Name: goroutineNum}}
	metrics.Read(figures)
	value := func(i int) float64 {
		if figures[i].Value.Kind() != metrics.KindUint64 {
			return 0 // a later Go may not have it any more
		}
		return float64(figures[i].Value.Uint64())
	}
	return reading{
		at: time.Now(), system: readSystem(),
		heap: value(0), goal: value(1), allocated: value(2), goroutines: value(3),
	}
}

// available returns the metrics that can be made of readings such as r.
func available(r reading) []metric {
	var memoryTotal float64
	if r.memory != nil {
		memoryTotal = r.memory.total
	}
	all := []metric{
		{"cpu", "Processors", inPercent, []string{"busy", "system"}, 100, cpuFigures},
		{"memory", "Memory", inBytes, []string{"used"}, memoryTotal, memoryFigures},
		{"network", "Network", inBytesPerSecond, []string{"received", "sent"}, 0, networkFigures},
		{"heap", "Go heap", inBytes, []string{"objects", "goal"}, 0, heapFigures},
		{"allocations", "Go allocations", inBytesPerSecond, []string{"allocated"}, 0, allocationFigures},
		{"goroutines", "Goroutines", aNumber, []string{"live"}, 0, goroutineFigures},
	}
	return slices.DeleteFunc(all, func(m metric) bool { return m.figures(r, r) == nil })
}

func cpuFigures(before, now reading) []float64 {
	if before.cpu == nil || now.cpu == nil {
		return nil
	}
	share := func(before, now, total float64) float64 {
		if total <= 0 {
			return 0
		}
		return min(max(0, 100*(now-before)/total), 100)
	}
	total := now.cpu.total - before.cpu.total
	return []float64{
		share(before.cpu.busy, now.cpu.busy, total),
		share(before.cpu.system, now.cpu.system, total),
	}
}

func memoryFigures(_, now reading) []float64 {
	if now.memory == nil {
		return nil
	}
	return []float64{now.memory.used}
}

func networkFigures(before, now reading) []float64 {
	if before.traffic == nil || now.traffic == nil {
		return nil
	}
	elapsed := now.at.Sub(before.at)
	return []float64{
		rate(before.traffic.received, now.traffic.received, elapsed),
		rate(before.traffic.sent, now.traffic.sent, elapsed),
	}
}

func heapFigures(_, now reading) []float64 { return []float64{now.heap, now.goal} }

func allocationFigures(before, now reading) []float64 {
	return []float64{rate(before.allocated, now.allocated, now.at.Sub(before.at))}
}

func goroutineFigures(_, now reading) []float64 { return []float64{now.goroutines} }

// rate returns the growth of a counter in a second. A counter that fell, as when an
// interface goes, has not grown.
func rate(before, now float64, elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	return max(0, now-before) / elapsed.Seconds()
}

// sampler makes streams of samples. All subscribers of the same interval share one.
type sampler struct {
	read    func() reading
	metrics []metric

	mu      sync.Mutex // guards the fields below; held for a moment only
	running map[interval]observable.Observable[sample]
}

// newSampler returns a sampler of the readings of read.
func newSampler(read func() reading) *sampler {
	return &sampler{read: read, metrics: available(read()), running: make(map[interval]observable.Observable[sample])}
}

// every returns the stream of samples at an interval. A stream that runs already is
// shared: a new subscriber gets its latest sample at once. It is forgotten with its last
// subscriber, so that no client can fill the map with intervals.
func (s *sampler) every(i interval) observable.Observable[sample] {
	return observable.Defer(func() observable.Observable[sample] {
		s.mu.Lock()
		defer s.mu.Unlock()
		shared := s.running[i]
		if shared == nil {
			samples := operators.Finalize(s.samples(i), func() { s.forget(i, shared) })
			shared = operators.ShareReplay(samples, operators.ShareReplayConfig{
				Replay: observable.ReplayConfig{Buffer: 1}, RefCount: true,
			})
			s.running[i] = shared
		}
		return shared
	})
}

// forget takes a stream out of the map, unless another has taken its place there.
func (s *sampler) forget(i interval, shared observable.Observable[sample]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[i] == shared {
		delete(s.running, i)
	}
}

// samples is the stream itself: a reading at each tick, and a sample of each two in a
// row. The first tick is at once and the second follows soon, so that no client waits a
// long interval for the first sample.
func (s *sampler) samples(i interval) observable.Observable[sample] {
	ticks := operators.StartWith(observable.TimerEvery(minInterval, time.Duration(i)), -1)
	readings := operators.Map(ticks, func(int) reading { return s.read() })
	return operators.Map(operators.Pairwise(readings), s.compare)
}

// compare makes a sample of two readings.
func (s *sampler) compare(p operators.Pair[reading, reading]) sample {
	before, now := p.First, p.Second
	values := make(map[string]map[string]float64, len(s.metrics))
	for _, m := range s.metrics {
		figures := m.figures(before, now)
		if figures == nil {
			continue // it was readable at first, and is not any more
		}
		series := make(map[string]float64, len(figures))
		for i, v := range figures {
			series[m.Series[i]] = math.Round(v*100) / 100
		}
		values[m.Name] = series
	}
	return sample{now.at.UTC().Truncate(time.Millisecond), values}
}

// only returns the sample without the metrics that are not named.
func (s sample) only(names []string) sample {
	values := make(map[string]map[string]float64, len(names))
	for _, name := range names {
		if series, ok := s.Values[name]; ok {
			values[name] = series
		}
	}
	return sample{s.Time, values}
}
