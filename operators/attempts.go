package operators

import "time"

// Attempts is where a row of attempts stands that a [Backoff] governs: the mechanism of [RetryBackoff] for
// code that is not an operator, as a connection that reopens itself. It is made by [NewAttempts] and
// used by one goroutine at a time.
type Attempts struct{ b *backoff }

// NewAttempts returns a row before its first attempt. Negative settings of config count as 0.
func NewAttempts(config Backoff) *Attempts {
	if config.Base <= 0 {
		config.Base = defaultBackoffBase
	}
	if config.Max <= 0 {
		config.Max = defaultBackoffMax
	}
	return &Attempts{&backoff{Backoff: config}}
}

// Begin notes that an attempt begins.
func (a *Attempts) Begin() { a.b.begun, a.b.emitted = time.Now(), false }

// Succeeded notes that the attempt did what it was for: if it lasts for config's ResetAfter, the next
// failure is the first of a new row.
func (a *Attempts) Succeeded() { a.b.value() }

// Failed notes that the attempt failed, and returns the delay before the next one, or false if there is
// to be none.
func (a *Attempts) Failed(err error) (delay time.Duration, again bool) { return a.b.failed(err) }
