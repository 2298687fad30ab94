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
	DefaultWriteTimeout     = 30 * time.Second // until the peer takes a byte
)

// Compression says whether messages are compressed (RFC 7692, permessage-deflate), if the
// peer can do it too.
type Compression uint8

// The kinds of compression.
const (
	// NoCompression is the default: it costs the least, and no peer does worse.
	NoCompression Compression = iota
	// CompressMessages compresses each message of 512 bytes or more by itself.
	CompressMessages
	// CompressStream compresses messages of 128 bytes or more, with the messages sent
	// before as the dictionary: they become smaller, for some 1.2 MB of memory a
	// connection.
	CompressStream
)

// params returns the parameters that a side with this option asks for.
func (c Compression) params() frame.Params {
	if c == NoCompression {
		return frame.Params{}
	}
	return frame.WithTakeover(c == CompressStream)
}

// Heartbeat finds peers that are gone without a word. When nothing has arrived for
// Interval, the connection sends a ping, ahead of the queue; if nothing arrives within
// Timeout, it ends with [StatusAbnormalClosure] and [ErrHeartbeat]. Any byte that arrives
// counts as life, and so does any byte that the peer takes of a queue that waits for it;
// on Linux this includes the bytes that this side's system keeps. Bytes that the peer's
// system has taken and its program has not read are invisible: for them a peer has a
// second for each KiB before the ping, up to the WriteTimeout, on Linux over TCP;
// elsewhere it has the time that the last writes took. While this side's own subscribers
// hold up the reading, the heartbeat does not judge, and the pings go on, so that the
// peer sees life in turn. The zero value is the default. A browser (js/wasm) sends no
// pings for a page: the heartbeat is always off there.
type Heartbeat struct {
	// Off stops the pings and the judging.
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

// Rate bounds the messages that arrive on a connection: a token bucket of Burst tokens,
// which gains Messages tokens each Per, evenly. Each message takes one token, when its
// first frame has come. The zero value is no bound. Pings, pongs and the fragments of a
// message do not count. The ReadLimit bounds the bytes of a message.
type Rate struct {
	// Messages is the number of messages that may come each Per. Default: any number.
	Messages int
	// Per is the time for which Messages counts. Default: a second.
	Per time.Duration
	// Burst is the number of messages that may come at once. Default: Messages.
	Burst int
	// Overflow says what happens to a message without a token:
	//
	//	OverflowBlock       it is delivered when its token comes. Reading pauses until
	//	                    then, which slows the peer through TCP; its pings wait, too.
	//	                    The default
	//	OverflowDropNewest  it is dropped, and the Hook gets EventOverRate
	//	OverflowFail        the connection is closed with StatusPolicyViolation, with
	//	                    ErrTooManyMessages as the cause. The messages behind it are
	//	                    not read
	//
	// OverflowDropOldest is not allowed, as nothing waits.
	Overflow observable.Overflow
}

// problem returns the problem with a Rate, or "".
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

// arrivals returns the bounds of the messages that arrive.
func arrivals(r *Rate, idle time.Duration) conn.Arrivals {
	a := conn.Arrivals{Every: r.every(), Burst: r.burst(), Idle: idle}
	switch r.Overflow {
	case observable.OverflowDropNewest:
		a.Over = conn.OverDrop
	case observable.OverflowFail:
		a.Over = conn.OverClose
	case observable.OverflowBlock, observable.OverflowDropOldest: // the second is refused
	}
	return a
}

// optionsProblem returns the problem with the options that both sides have, or "".
func optionsProblem(
	subprotocols []string, readLimit, streamLimit int64, c Compression, times ...time.Duration,
) string {
	for i, name := range subprotocols { // a name may be a secret, as a token is
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

// isToken reports whether name is an HTTP token, as the name of a subprotocol has to be
// (RFC 6455, section 4.1).
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
