package main

import (
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestWalkIsTheSameForASeed(t *testing.T) {
	a, b, c := newWalk(7), newWalk(7), newWalk(8)
	differs := false
	traded := make(map[string]bool)
	for range 20_000 {
		first := a.next()
		require.Equal(t, first, b.next())
		differs = differs || first != c.next()
		require.GreaterOrEqual(t, first.Price, tick)
		traded[first.Symbol] = true
	}
	assert.True(t, differs)
	assert.Len(t, traded, symbols)
}

func TestTradesComeAtTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := 0
		sub := newMarket(1, 333).trades().Subscribe(t.Context(), observable.ObserverFuncs[trade]{OnNext: func(trade) { count++ }})
		time.Sleep(10*time.Second + time.Millisecond)
		sub.Unsubscribe()
		<-sub.Done()
		assert.InDelta(t, 3330, count, 1)
	})
}

// TestCandles has trades in two spans of the clock, and none in a third.
func TestCandles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trades observable.Subject[trade]
		got := observabletest.NewRecorder[[]candle]()
		sub := candles(&trades).Subscribe(t.Context(), got)
		defer sub.Unsubscribe()
		// The bubble's time begins with a span.
		first := time.Now().UnixNano() / int64(span)
		for _, price := range []float64{5, 7, 4, 6} {
			trades.Next(trade{Symbol: "A", Price: price, Size: 10})
		}
		time.Sleep(span)
		trades.Next(trade{Symbol: "A", Price: 8, Size: 1})
		time.Sleep(2 * span)
		synctest.Wait()
		var all []candle
		for _, made := range got.Values() {
			all = append(all, made...)
		}
		assert.Equal(t, []candle{
			{"A", first, 5, 7, 4, 6, 40}, {"A", first + 1, 8, 8, 8, 8, 1}, {"A", first + 2, 8, 8, 8, 8, 0},
		}, all)
	})
}

func TestArchiveIsBounded(t *testing.T) {
	var a archive
	assert.Equal(t, []candle{}, a.of("A"), "which is [] in JSON")
	for n := range 2 * kept {
		a.add(candle{Symbol: "A", Number: int64(n)})
	}
	list := a.of("A")
	assert.Len(t, list, kept)
	assert.EqualValues(t, 2*kept-1, list[kept-1].Number)
}

// board is the latest price of each symbol, as a client of quotes has it.
type board struct {
	mu      sync.Mutex
	prices  map[string]float64
	batches int
}

func (b *board) add(t *testing.T, batch []trade) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.batches++
	seen := make(map[string]bool)
	for _, q := range batch {
		assert.False(t, seen[q.Symbol], "each symbol once")
		seen[q.Symbol] = true
		b.prices[q.Symbol] = q.Price
	}
}

func (b *board) now() map[string]float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.prices)
}

// TestQuotesForASlowClient has one client that takes everything and one that takes a
// second for each value: that has less often the same values.
func TestQuotesForASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &exchange{trades: operators.Share(newMarket(1, 1000).trades())}
		base := e.trades.Subscribe(t.Context(), observable.ObserverFuncs[trade]{})
		defer base.Unsubscribe()
		time.Sleep(7 * time.Millisecond) // so that no trade comes at the moment of quotes
		quick, slow := &board{prices: map[string]float64{}}, &board{prices: map[string]float64{}}
		all := e.quotes().Subscribe(t.Context(), observable.ObserverFuncs[[]trade]{OnNext: func(b []trade) { quick.add(t, b) }})
		few := e.quotes().Subscribe(t.Context(), observable.ObserverFuncs[[]trade]{OnNext: func(b []trade) {
			synctest.Wait()
			slow.add(t, b)
			assert.Equal(t, quick.now(), slow.now())
			busy := time.Second
			if slow.batches == 1 {
				// From then on, nothing is sent at the moment in which it takes a value.
				busy += frame / 2
			}
			time.Sleep(busy)
		}})
		time.Sleep(10 * time.Second)
		few.Unsubscribe()
		all.Unsubscribe()
		<-few.Done()
		<-all.Done()
		assert.InDelta(t, 200, quick.batches, 2)
		assert.InDelta(t, 10, slow.batches, 1)
	})
}
