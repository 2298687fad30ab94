package main

import (
	"strconv"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// The bounds of Watch.
const (
	Limit   = 100              // degrees; above it is too hot
	Settle  = 3 * time.Second  // time for which it has to stay so
	Silence = 30 * time.Second // without a reading in it, another connection is made
)

// TooHot emits whether readings are above a limit, when that has not changed for a time.
//
//	readings ── Map ── DistinctUntilChanged ── DebounceTime ── DistinctUntilChanged
func TooHot(readings observable.Observable[float64], limit float64, settle time.Duration) observable.Observable[bool] {
	hot := operators.Map(readings, func(degrees float64) bool { return degrees > limit })
	changes := operators.DistinctUntilChanged(hot)
	settled := operators.DebounceTime(changes, settle)
	return operators.DistinctUntilChanged(settled) // a short change and back is none
}

// Watch emits whether it is too hot at a server that sends readings as text. It makes
// another connection when one breaks, falls silent, or sends a text that is no reading.
func Watch(url string, options *wsource.DialOptions) observable.Observable[bool] {
	readings := operators.TryMap(wsource.Messages(url, options), parse)
	alive := operators.Timeout(readings, Silence)
	lasting := operators.RetryBackoff(alive, backoff.Config{Max: 5 * time.Second})
	return TooHot(lasting, Limit, Settle)
}

// parse reads a reading.
func parse(m wsource.Message) (float64, error) { return strconv.ParseFloat(m.String(), 64) }
