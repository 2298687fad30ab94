package main

import (
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

const (
	span = time.Second // of a candle
	kept = 300         // candles of each symbol
)

// candle is the prices of a symbol's trades in a span of the clock.
type candle struct {
	Symbol string  `json:"symbol"`
	Number int64   `json:"number"` // number of the span, since 1970
	Open   float64 `json:"open"`
	High   float64 `json:"high"`
	Low    float64 `json:"low"`
	Close  float64 `json:"close"`
	Volume int     `json:"volume"`
}

// add adds a trade.
func (c *candle) add(t trade) {
	if c.Volume == 0 {
		c.Open, c.High, c.Low = t.Price, t.Price, t.Price
	}
	c.High, c.Low = max(c.High, t.Price), min(c.Low, t.Price)
	c.Close = t.Price
	c.Volume += t.Size
}

// candles makes the candles of all symbols at the end of each span of the clock: one of
// each symbol that has been traded yet. A symbol that was not traded in the span stays
// where it was, so that a gap in the numbers means that a candle is missing.
func candles(trades observable.Observable[trade]) observable.Observable[[]candle] {
	spans := operators.BufferAligned(trades, span)
	last := make(map[string]float64) // of each symbol, in the only subscription
	return operators.Map(spans, func(traded []trade) []candle {
		// This is the span that has just ended.
		number := time.Now().Add(-span/2).UnixNano() / int64(span)
		made := make(map[string]*candle)
		for _, t := range traded {
			if made[t.Symbol] == nil {
				made[t.Symbol] = &candle{Symbol: t.Symbol, Number: number}
			}
			made[t.Symbol].add(t)
			last[t.Symbol] = t.Price
		}
		all := make([]candle, 0, len(last))
		for symbol, price := range last {
			if c := made[symbol]; c != nil {
				all = append(all, *c)
			} else {
				all = append(all, candle{symbol, number, price, price, price, price, 0})
			}
		}
		return all
	})
}

// archive keeps the latest candles of each symbol.
type archive struct {
	mu  sync.Mutex
	all map[string][]candle
}

// add keeps a candle, and drops the oldest beyond the bound.
func (a *archive) add(c candle) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = make(map[string][]candle)
	}
	list := a.all[c.Symbol]
	list = append(list[max(0, len(list)-kept+1):], c)
	a.all[c.Symbol] = list
}

// of returns the candles of a symbol, the latest one last.
func (a *archive) of(symbol string) []candle {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]candle{}, a.all[symbol]...)
}
