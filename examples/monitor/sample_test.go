package main

import (
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/operators"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadHasTheRuntimesFigures(t *testing.T) {
	r := read()
	assert.Positive(t, r.heap)
	assert.Positive(t, r.goal)
	assert.Positive(t, r.allocated)
	assert.Positive(t, r.goroutines)
}

func TestOnlyWhatThereIsIsOffered(t *testing.T) {
	assert.Equal(t, []string{"heap", "allocations", "goroutines"}, namesOf(available(reading{})))
	all := available(reading{system: system{cpu: &cpuTimes{}, memory: &memoryUse{total: 4096}, traffic: &traffic{}}})
	assert.Equal(t, []string{"cpu", "memory", "network", "heap", "allocations", "goroutines"}, namesOf(all))
	assert.InDelta(t, 4096, all[1].Max, 0)
}

func TestSamplesAreMadeOfTwoReadings(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	before := reading{
		at: start,
		system: system{
			cpu:     &cpuTimes{busy: 1000, system: 100, total: 5000},
			memory:  &memoryUse{used: 4096, total: 8192},
			traffic: &traffic{received: 1000, sent: 500},
		},
		heap: 10, goal: 20, allocated: 100, goroutines: 3,
	}
	now := reading{
		at: start.Add(2 * time.Second),
		system: system{
			cpu:     &cpuTimes{busy: 1100, system: 110, total: 5300},
			memory:  &memoryUse{used: 2048, total: 8192},
			traffic: &traffic{received: 4000, sent: 100}, // an interface has gone
		},
		heap: 15, goal: 20, allocated: 300, goroutines: 4,
	}
	s := &sampler{metrics: available(before)}
	assert.Equal(t, sample{now.at, map[string]map[string]float64{
		"cpu":         {"busy": 33.33, "system": 3.33},
		"memory":      {"used": 2048},
		"network":     {"received": 1500, "sent": 0},
		"heap":        {"objects": 15, "goal": 20},
		"allocations": {"allocated": 100},
		"goroutines":  {"live": 4},
	}}, s.compare(operators.Pair[reading, reading]{First: before, Second: now}))

	// Two readings at one moment, and figures that cannot be read any more.
	now.system = system{cpu: before.cpu}
	now.at = before.at
	again := s.compare(operators.Pair[reading, reading]{First: before, Second: now})
	assert.Equal(t, map[string]float64{"busy": 0, "system": 0}, again.Values["cpu"])
	assert.Equal(t, map[string]float64{"allocated": 0}, again.Values["allocations"])
	require.NotContains(t, again.Values, "memory")
	require.NotContains(t, again.Values, "network")
}
