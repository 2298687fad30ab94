package wsource

import (
	"compress/flate"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// chunkSize is how much of a streamed message is in memory: enough that a system call for it is cheap by
// comparison.
const chunkSize = 32 << 10

// chunk is the memory of one fragment.
type chunk [wire.FrameRoom + chunkSize]byte

// chunks holds the memory of fragments, so that an idle connection has none.
var chunks = sync.Pool{New: func() any { return new(chunk) }}

// deflateThreshold is how long a message must be that is compressed, as in the library.
const deflateThreshold = 512

// deflateTail is how much of what a flush ends with is left out at a message's end (RFC 7692, section 7.2.1).
const deflateTail = 4

// deflate compresses one message, piece by piece.
type deflate struct {
	writer *flate.Writer
	packed []byte // the last fragment: room for a header, and the payload
	held   int    // of the end of it, that was not sent
}

// deflates holds compressors, which are some 1.2 MB each.
var deflates = sync.Pool{New: func() any {
	d := &deflate{packed: make([]byte, wire.FrameRoom, wire.FrameRoom+chunkSize+chunkSize/8)}
	d.writer, _ = flate.NewWriter(d, flate.BestSpeed) // the level, the library's, is a valid one
	return d
}}

func newDeflate() *deflate {
	d := deflates.Get().(*deflate)
	d.writer.Reset(d)
	d.packed, d.held = d.packed[:wire.FrameRoom], 0
	return d
}

func (d *deflate) release() {
	if d != nil {
		deflates.Put(d)
	}
}

// Write takes what the compressor makes.
func (d *deflate) Write(p []byte) (int, error) {
	d.packed = append(d.packed, p...)
	return len(p), nil
}

// next compresses a piece and returns it as a frame with room for its header. What a flush ends with is held back
// until there is a next piece, as it does not belong at the message's end.
func (d *deflate) next(piece []byte) (frame []byte) {
	tail := d.packed[len(d.packed)-d.held:]
	if len(piece) == 0 { // only the last one is
		return d.packed[:wire.FrameRoom]
	}
	d.packed = append(d.packed[:wire.FrameRoom], tail...)
	// It writes to memory, which does not fail.
	_, _ = d.writer.Write(piece)
	_ = d.writer.Flush()
	d.held = deflateTail
	return d.packed[:len(d.packed)-deflateTail]
}

// deflatesAlone reports whether the handshake's response lets messages be compressed that each stand alone, in
// the direction whose parameter is given. Otherwise what is compressed past the library would upset its dictionary.
func deflatesAlone(response http.Header, parameter string) bool {
	return slices.ContainsFunc(splitExtensions(response.Values(extensionsHeader)), func(element string) bool {
		name, parameters, _ := strings.Cut(element, ";")
		return strings.TrimSpace(name) == deflateExtension &&
			slices.ContainsFunc(strings.Split(parameters, ";"), func(p string) bool { return strings.TrimSpace(p) == parameter })
	})
}
