package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	assert.InDelta(t, 2, spread{3, 1, 2}.median(), 0)
	assert.InDelta(t, 2.5, spread{4, 1, 2, 3}.median(), 0)
	assert.Equal(t, "1.00 to 3.00", spread{3, 1, 2}.extent())
	assert.Empty(t, spread{}.extent())
}

func TestMeasureComparesRoundByRound(t *testing.T) {
	figures := func(values ...float64) func() (figure, error) {
		return func() (figure, error) {
			v := values[0]
			values = values[1:]
			return figure{v, 0}, nil
		}
	}
	table, err := work{name: "w", unit: "ns", contenders: []contender{
		{"ours", figures(10, 20)}, {"peer", figures(30, 40)},
	}}.measure(2)
	require.NoError(t, err)
	assert.Contains(t, table, "| peer | 35.0 | 30.0 to 40.0 | 0.00 | 2.50 | 2.00 to 3.00 |")
}

func TestEachLibraryEchoes(t *testing.T) {
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			back := make(chan string, 1)
			p, err := l.connect(
				func(e end, p []byte) { e.send(p) },
				func(_ end, p []byte) { back <- string(p) })
			require.NoError(t, err)
			defer p.stop()
			p.client.send([]byte("hello"))
			assert.Equal(t, "hello", <-back)
		})
	}
}

func TestMistakesAreNamed(t *testing.T) {
	require.ErrorContains(t, run("(", 1, 1, true), "-only")
	require.ErrorContains(t, run("", 0, 1, true), "-rounds")
}
