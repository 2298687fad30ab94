package observable

import (
	"errors"
	"fmt"
)

// Overflow decides what a bounded buffer does with a value that finds it full.
type Overflow int

// The policies. The zero value loses nothing.
const (
	OverflowBlock      Overflow = iota // make the producer wait; nothing is lost
	OverflowDropOldest                 // drop the oldest value, keep the new one
	OverflowDropNewest                 // drop the new value
	OverflowFail                       // end the stream with ErrOverflow
)

// ErrOverflow ends a stream whose buffer was full and whose policy is [OverflowFail].
var ErrOverflow = errors.New("observable: the buffer is full")

// String returns the policy's name.
func (o Overflow) String() string {
	switch o {
	case OverflowBlock:
		return "OverflowBlock"
	case OverflowDropOldest:
		return "OverflowDropOldest"
	case OverflowDropNewest:
		return "OverflowDropNewest"
	case OverflowFail:
		return "OverflowFail"
	default:
		return fmt.Sprintf("Overflow(%d)", int(o))
	}
}
