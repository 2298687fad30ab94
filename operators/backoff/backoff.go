// Package backoff computes the delays between attempts at something that fails:
// exponential backoff with full jitter. Each delay is drawn at random from an interval
// that doubles from failure to failure, which spreads the clients that one failure has
// hit over the whole interval.
//
// For a stream that fails there is operators.RetryBackoff, which takes a [Config].
// [Delays] is the same policy for code that is no operator.
package backoff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

const (
	defaultBase = 100 * time.Millisecond
	defaultMax  = 30 * time.Second
)

// Config says how attempts follow each other. The zero value retries every error without
// end, after delays of up to 100 ms, 200 ms, 400 ms ... 30 s.
//
// Failures count in a row. The row ends with an attempt that succeeded and lasted for
// ResetAfter at least. The failure that ends such an attempt is the first of a new row,
// with the counts and the delays at their beginning. For operators.RetryBackoff, an
// attempt succeeds when it emits a value.
type Config struct {
	// Base bounds the delay after the first failure in a row; it doubles with each
	// further one. 0 means 100 ms.
	Base time.Duration
	// Max bounds every delay; 0 means 30 s.
	Max time.Duration
	// Retries is the limit of retries in a row; 0 means no limit.
	Retries int
	// Elapsed is the time from the first failure in a row within which the last attempt
	// begins; 0 means no limit.
	Elapsed time.Duration
	// ResetAfter is the time that an attempt which succeeded must last to end the row; 0
	// means that success is enough. Some peers accept a connection and soon drop it: a
	// time a little longer than theirs keeps the delays growing.
	ResetAfter time.Duration
	// Retryable reports whether an error is worth another attempt; nil means that every
	// error is.
	Retryable func(err error) bool
}

// Check returns the name of a setting that is out of range and its problem, or two empty
// strings.
func (c Config) Check() (setting, problem string) {
	negative := func(name string, value any) (string, string) { return name, fmt.Sprintf("is negative: %v", value) }
	switch {
	case c.Base < 0:
		return negative("Base", c.Base)
	case c.Max < 0:
		return negative("Max", c.Max)
	case c.Retries < 0:
		return negative("Retries", c.Retries)
	case c.Elapsed < 0:
		return negative("Elapsed", c.Elapsed)
	case c.ResetAfter < 0:
		return negative("ResetAfter", c.ResetAfter)
	}
	return "", ""
}

// Delays is the sequence of delays between attempts of one thing. [New] makes one. One
// goroutine at a time may use it.
type Delays struct {
	config    Config
	begun     time.Time     // beginning of the attempt
	succeeded bool          // whether the attempt did
	retries   int           // in this row
	first     time.Time     // the first failure in this row
	bound     time.Duration // of the next delay
}

// New returns the sequence before its first attempt. A negative setting counts as 0;
// [Config.Check] finds it.
func New(config Config) *Delays {
	if config.Base <= 0 {
		config.Base = defaultBase
	}
	if config.Max <= 0 {
		config.Max = defaultMax
	}
	return &Delays{config: config}
}

// Begin notes that an attempt begins. Before the first failure the call may be left out.
func (d *Delays) Begin() { d.begun, d.succeeded = time.Now(), false }

// Succeeded notes that the attempt succeeded: if it lasts for config's ResetAfter,
// counted from Begin, its failure is the first of a new row.
func (d *Delays) Succeeded() { d.succeeded = true }

// Failed notes that the attempt failed, and returns the delay before the next one, or
// false when there is none: config's Retryable refuses err, or a limit is reached.
func (d *Delays) Failed(err error) (delay time.Duration, again bool) {
	c := &d.config
	if c.Retryable != nil && !c.Retryable(err) {
		return 0, false
	}
	now := time.Now()
	if d.retries == 0 || d.succeeded && now.Sub(d.begun) >= c.ResetAfter {
		d.retries, d.first, d.bound = 0, now, min(c.Base, c.Max)
	}
	if c.Retries > 0 && d.retries == c.Retries {
		return 0, false
	}
	delay = rand.N(d.bound)
	if c.Elapsed > 0 && now.Add(delay).Sub(d.first) > c.Elapsed {
		return 0, false // a shorter delay would crowd the attempts before the limit
	}
	d.retries = min(d.retries, math.MaxInt-1) + 1 // 0 is the beginning of a row
	if d.bound < c.Max/2 {
		d.bound *= 2
	} else {
		d.bound = c.Max
	}
	return delay, true
}
