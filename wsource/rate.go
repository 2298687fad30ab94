package wsource

import (
	"cmp"
	"math"
	"strconv"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
)

// Rate bounds the messages that arrive on a connection: a token bucket of Burst tokens, to which Messages come each
// Per, evenly. Each message takes one, when its first frame has come. The zero value is no bound. Pings, pongs and the
// fragments of a message do not count; how many bytes a message may have is the ReadLimit's.
type Rate struct {
	// Messages is how many may come each Per. Default: any number.
	Messages int
	// Per is the time in which these may come. Default: a second.
	Per time.Duration
	// Burst is how many may come at once. Default: Messages.
	Burst int
	// Overflow says what becomes of a message for which there is no token:
	//
	//	OverflowBlock       it is delivered when its token comes. Nothing is read meanwhile, which slows the
	//	                    peer through TCP; its pings have to wait, too. It is the default
	//	OverflowDropNewest  it is dropped, and the Hook is told with EventOverRate
	//	OverflowFail        the connection is closed with StatusPolicyViolation, with ErrTooManyMessages as the
	//	                    cause. What the peer sends after it is not read
	//
	// OverflowDropOldest is none of them, as nothing waits.
	Overflow observable.Overflow
}

// problem tells what is wrong with a Rate, "" if nothing is.
func (r *Rate) problem() string {
	switch {
	case r.Messages < 0 || r.Burst < 0 || r.Per < 0:
		return "has a negative number"
	case r.Messages == 0 && (*r != Rate{}):
		return "has no Messages"
	case float64(r.every())*float64(r.burst()) > math.MaxInt64/4:
		return "has a Burst that takes centuries: " + strconv.Itoa(r.burst())
	case r.Overflow == observable.OverflowDropOldest, r.Overflow < 0, r.Overflow > observable.OverflowFail:
		return "has an Overflow that is none of its own: " + r.Overflow.String()
	}
	return ""
}

func (r *Rate) burst() int { return cmp.Or(r.Burst, r.Messages) }

// every returns the time in which one message may come, rounded up to a nanosecond.
func (r *Rate) every() time.Duration {
	if r.Messages == 0 {
		return 0
	}
	per, n := cmp.Or(r.Per, time.Second), time.Duration(r.Messages)
	every := per / n
	if per%n > 0 {
		every++
	}
	return every
}

// arrivals returns what bounds the messages that arrive.
func arrivals(r *Rate, idle time.Duration) conn.Arrivals {
	a := conn.Arrivals{Every: r.every(), Burst: r.burst(), Idle: idle}
	switch r.Overflow {
	case observable.OverflowDropNewest:
		a.Over = conn.OverDrop
	case observable.OverflowFail:
		a.Over = conn.OverClose
	case observable.OverflowBlock, observable.OverflowDropOldest: // of which the second was refused
	}
	return a
}
