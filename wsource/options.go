package wsource

import (
	"fmt"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
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
