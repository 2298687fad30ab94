package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

const (
	symbols = 200
	beat    = 20 * time.Millisecond // between two bursts of trades
	tick    = 0.01                  // the least price, and the least difference of two
)

// trade is a trade of a symbol.
type trade struct {
	Symbol string  `json:"symbol"`
	Price  float64 `json:"price"`
	Size   int     `json:"size"`
	Change float64 `json:"change"` // of the price since the start, in percent
}

// market is a random walk of the prices of all symbols.
type market struct {
	seed uint64
	rate int // trades a second
}

func newMarket(seed uint64, rate int) *market { return &market{seed, rate} }

// names returns the symbols, QAA to RJJ, which are made up.
func names() []string {
	all := make([]string, symbols)
	for n := range all {
		all[n] = string([]byte{'Q' + byte(n/100), 'A' + byte(n/10%10), 'A' + byte(n%10)})
	}
	return all
}

// trades is the stream of all trades. Each subscription walks the same way, from the
// start.
func (m *market) trades() observable.Observable[trade] {
	return observable.Defer(func() observable.Observable[trade] {
		w := newWalk(m.seed)
		left := 0.0
		return operators.MergeMap(observable.Interval(beat), func(int) observable.Observable[trade] {
			left += float64(m.rate) * beat.Seconds()
			burst := make([]trade, int(left))
			left -= float64(len(burst))
			for n := range burst {
				burst[n] = w.next()
			}
			return observable.FromSlice(burst)
		})
	})
}

// walk is the state of a random walk.
type walk struct {
	random *rand.Rand
	names  []string
	begun  []float64
	prices []float64
}

func newWalk(seed uint64) *walk {
	w := &walk{random: rand.New(rand.NewPCG(seed, 0)), names: names()}
	for range w.names {
		w.begun = append(w.begun, round(20+180*w.random.Float64()))
	}
	w.prices = append(w.prices, w.begun...)
	return w
}

// next moves the price of one symbol: those at the beginning of the list are traded more
// often.
func (w *walk) next() trade {
	u := w.random.Float64()
	n := int(symbols * u * u)
	price := max(tick, round(w.prices[n]*math.Exp(0.0008*w.random.NormFloat64())))
	w.prices[n] = price
	return trade{
		Symbol: w.names[n], Price: price, Size: 1 + w.random.IntN(100),
		Change: math.Round(10_000*(price/w.begun[n]-1)) / 100,
	}
}

// round rounds a price.
func round(price float64) float64 { return math.Round(100*price) / 100 }
