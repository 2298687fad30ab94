package wsource

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// The defaults of the options that both sides have.
const (
	DefaultReadLimit        = 1 << 20          // bytes of a message
	DefaultHandshakeTimeout = 10 * time.Second // from the dial to the upgraded connection
	DefaultCloseTimeout     = 5 * time.Second  // of a closing handshake
	DefaultWriteTimeout     = 30 * time.Second // until the peer has taken a byte of what is written
)

// Compression says whether messages are compressed (RFC 7692, permessage-deflate), if the peer
// can do it too.
type Compression uint8

// The kinds of compression.
const (
	// NoCompression is the default: it costs the least, and no peer does worse.
	NoCompression Compression = iota
	// CompressMessages compresses each message of 512 bytes or more by itself.
	CompressMessages
	// CompressStream compresses messages of 128 bytes or more with what was sent before as
	// the dictionary: smaller, for some 1.2 MB of memory a connection.
	CompressStream
)

// params returns what a side with this option wishes.
func (c Compression) params() frame.Params {
	if c == NoCompression {
		return frame.Params{}
	}
	return frame.WithTakeover(c == CompressStream)
}

// Heartbeat finds peers that are gone without a word. A connection on which nothing has arrived
// for Interval is sent a ping, ahead of what is queued; if nothing arrives within Timeout, it
// ends with [StatusAbnormalClosure] and [ErrHeartbeat]. Any byte that arrives counts as life, and so
// does any that the peer takes of what has to wait for it: on Linux also of what the system keeps. What its system
// has taken, and its program has not read, nobody sees: for that a peer has a second for each KiB that is before the
// ping, up to the WriteTimeout, on Linux over TCP; elsewhere the time that the last writes took.
// While this side's own subscribers hold up the reading, nothing is judged, and the pings go on, so that the
// peer sees life in turn. The zero value is the default. A browser (js/wasm) sends no pings for a
// page: there it is always off.
type Heartbeat struct {
	// Off sends no pings and judges nothing.
	Off bool
	// Interval of silence before a ping; 0 means 25 s, less than the minute after
	// which proxies drop an idle connection.
	Interval time.Duration
	// Timeout of silence after the ping; 0 means 20 s.
	Timeout time.Duration
}

const (
	defaultInterval = 25 * time.Second
	defaultTimeout  = 20 * time.Second
)

// config returns the Heartbeat with its defaults.
func (h Heartbeat) config() conn.Heartbeat {
	return conn.Heartbeat{
		Off: h.Off, Interval: orDefault(h.Interval, defaultInterval), Timeout: orDefault(h.Timeout, defaultTimeout),
	}
}

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

// optionsProblem tells what is wrong with the options that both sides have, "" if nothing is.
func optionsProblem(
	subprotocols []string, readLimit, streamLimit int64, c Compression, times ...time.Duration,
) string {
	for i, name := range subprotocols { // which may be a secret: some servers take a token so
		if !isToken(name) {
			return fmt.Sprintf("has a Subprotocol that is no HTTP token: number %d", i)
		}
	}
	switch {
	case readLimit < 0:
		return fmt.Sprintf("has a negative ReadLimit: %d", readLimit)
	case streamLimit < 0:
		return fmt.Sprintf("has a negative StreamLimit: %d", streamLimit)
	case c > CompressStream:
		return fmt.Sprintf("has an unknown Compression: %d", c)
	}
	for _, d := range times {
		if d < 0 {
			return fmt.Sprintf("has a negative time limit: %v", d)
		}
	}
	return ""
}

// isToken reports whether name is an HTTP token, as that of a subprotocol has to be (RFC 6455, section 4.1).
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7F || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

func argument(function, name, problem string) error {
	return &observable.ArgumentError{Func: "wsource." + function, Argument: name, Problem: problem}
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// isNil is the problem of most arguments.
const isNil = "is nil"
