package observable

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the greatest length of a line of [Lines] in bytes, without its end.
const MaxLine = 1 << 20

// LineError reports a line that [Lines] does not take because it is longer than
// [MaxLine].
type LineError struct {
	Line int // number of the line, counted from 1
}

// Error names the line and the limit.
func (e *LineError) Error() string {
	return fmt.Sprintf("observable: line %d is longer than %d bytes", e.Line, MaxLine)
}

// Lines returns an observable of the lines that r has, without their ends, "\n" or
// "\r\n". A last line without an end is a line too, and so is the text that r gave before
// an error.
//
//	for line, err := range observable.All(ctx, observable.Lines(os.Stdin)) { ... }
//
// Each subscription reads r on a goroutine of its own, which waits while the subscriber
// is busy and 256 lines wait for it. The stream completes at io.EOF and ends with any
// other error of r, and with a [*LineError] at a line longer than [MaxLine].
//
// A Read that waits cannot be interrupted. The observer gets nothing more after an
// unsubscribe and after the end of the context, but the goroutine lives, and Done of the
// subscription stays open, until Read returns; functions that wait for the end, such as
// [All] and [ForEach], wait for it. To end it, close the source that r reads from, at
// that moment:
//
//	lines := observable.Using(open, func(c net.Conn) observable.Observable[string] {
//		return observable.Lines(c)
//	}, func(c net.Conn) { c.Close() })
//
// closes at each end of the subscription, also by a timeout, a retry or a break.
//
// Lines closes nothing. Bytes that a subscription has read ahead are lost for the next
// one, and two subscriptions at a time would read r concurrently: several subscribers
// need a [Connectable]. A nil r is an [*ArgumentError]. RxJS has no counterpart. See also
// [Go].
func Lines(r io.Reader) Observable[string] {
	if r == nil {
		return Throw[string](&ArgumentError{"observable.Lines", "r", isNil})
	}
	return Go(func(ctx context.Context, emit func(string)) error {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, MaxLine+len("\r\n"))
		number := 0
		for lines.Scan() {
			number++
			if len(lines.Bytes()) > MaxLine {
				return &LineError{number}
			}
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the subscription has ended: nobody hears it
			}
			emit(lines.Text())
		}
		if errors.Is(lines.Err(), bufio.ErrTooLong) {
			return &LineError{number + 1}
		}
		return lines.Err()
	})
}
