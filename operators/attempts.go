package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Attempts is where a row of attempts stands that a [Backoff] governs: the mechanism of [RetryBackoff] for
// code that is not an operator, as a connection that reopens itself. It is made by [NewAttempts] and
// used by one goroutine at a time.
type Attempts struct{ b *backoff }

// NewAttempts returns a row before its first attempt, or an [*observable.ArgumentError] if a setting of config is
// negative.
func NewAttempts(config Backoff) (*Attempts, error) {
	if field, value := config.negative(); field != "" {
		return nil, &observable.ArgumentError{
			Func: "operators.NewAttempts", Argument: "config." + field, Problem: isNegative(value),
		}
	}
	config.setDefaults()
	return &Attempts{&backoff{Backoff: config}}, nil
}

// Begin notes that an attempt begins.
func (a *Attempts) Begin() { a.b.begun, a.b.emitted = time.Now(), false }

// Succeeded notes that the attempt did what it was for: if it lasts for config's ResetAfter, the next
// failure is the first of a new row.
func (a *Attempts) Succeeded() { a.b.value() }

// Failed notes that the attempt failed, and returns the delay before the next one, or false if there is
// to be none.
func (a *Attempts) Failed(err error) (delay time.Duration, again bool) { return a.b.failed(err) }
