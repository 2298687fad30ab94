package frame_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// packer compresses messages by the standard library, for the side that tests.
type packer struct {
	direction frame.Direction
	writer    *flate.Writer
	out       bytes.Buffer
}

// flateWriters are the standard library's writers at a level, which take a megabyte each.
var flateWriters [2]sync.Pool

func newPacker(d frame.Direction) *packer {
	p := &packer{direction: d}
	p.writer, _ = p.pool().Get().(*flate.Writer)
	if p.writer != nil {
		p.writer.Reset(&p.out)
		return p
	}
	level := flate.BestSpeed
	if d.WindowBits < 15 {
		level = flate.HuffmanOnly // the level that refers to nothing
	}
	p.writer, _ = flate.NewWriter(&p.out, level)
	return p
}

func (p *packer) pool() *sync.Pool {
	if p.direction.WindowBits < 15 {
		return &flateWriters[0]
	}
	return &flateWriters[1]
}

// release gives back the writer, which another packer can use.
func (p *packer) release() { p.pool().Put(p.writer) }

func (p *packer) pack(data []byte) []byte {
	p.out.Reset()
	if !p.direction.Takeover {
		p.writer.Reset(&p.out)
	}
	_, _ = p.writer.Write(data)
	_ = p.writer.Flush()
	return bytes.Clone(bytes.TrimSuffix(p.out.Bytes(), []byte{0, 0, 0xFF, 0xFF}))
}

// unpacker decompresses messages by the standard library.
type unpacker struct {
	direction frame.Direction
	window    []byte
}

func (u *unpacker) unpack(tb testing.TB, payload []byte) ([]byte, error) {
	tb.Helper()
	if u.direction.WindowBits < 15 && len(payload) < 1000 {
		if far := farthestDistance(tb, payload); far > 1<<u.direction.WindowBits {
			return nil, fmt.Errorf("a distance of %d is too far", far)
		}
	}
	data, err := io.ReadAll(flate.NewReaderDict(io.MultiReader(bytes.NewReader(payload),
		bytes.NewReader([]byte{0, 0, 0xFF, 0xFF, 1, 0, 0, 0xFF, 0xFF})), u.window))
	if u.direction.Takeover {
		u.window = append(u.window, data...)
		u.window = u.window[max(0, len(u.window)-1<<15):]
	}
	return data, err
}

// event is something that came from the implementation under test.
type event string

const ended event = "end"

func messageEvent(opcode byte, data []byte) event {
	return event(fmt.Sprintf("%s of %d bytes, %08x", []string{"", "text", "binary"}[opcode], len(data), crc32.ChecksumIEEE(data)))
}

func controlEvent(opcode byte, payload []byte) event {
	return event(fmt.Sprintf("%s of %d bytes, %08x", []string{"ping", "pong"}[opcode-9], len(payload), crc32.ChecksumIEEE(payload)))
}

func closeEvent(code uint16) event { return event(fmt.Sprint("close ", code)) }

// tester is the side that tests an implementation over a connection.
type tester struct {
	t      testing.TB
	conn   net.Conn
	reader io.Reader
	client bool
	unpack *unpacker // nil without compression
	events chan event
	closed bool // a close frame was sent
}

// readFrame reads a frame and takes off its mask.
func (p *tester) readFrame() (f raw, err error) {
	var head [2]byte
	if _, err := io.ReadFull(p.reader, head[:]); err != nil {
		return f, err
	}
	f = raw{opcode: head[0] & 0xF, rsv: head[0] >> 4 & 7, open: head[0]&0x80 == 0}
	if masked := head[1]&0x80 != 0; masked == p.client {
		return f, fmt.Errorf("masked: %v", masked)
	}
	size, long := uint64(head[1]&0x7F), 0
	switch size {
	case 126:
		long = 2
	case 127:
		long = 8
	}
	var number [8]byte
	if long > 0 {
		if _, err := io.ReadFull(p.reader, number[8-long:]); err != nil {
			return f, err
		}
		size = binary.BigEndian.Uint64(number[:])
	}
	var key [4]byte
	if !p.client {
		if _, err := io.ReadFull(p.reader, key[:]); err != nil {
			return f, err
		}
	}
	if size > 1<<26 {
		return f, errors.New("the frame is too long")
	}
	f.payload = make([]byte, size)
	_, err = io.ReadFull(p.reader, f.payload)
	if !p.client {
		for i := range f.payload {
			f.payload[i] ^= key[i%4]
		}
	}
	return f, err
}

// listen passes the events on that come, until nothing more does.
func (p *tester) listen() {
	defer close(p.events)
	var message raw
	for {
		f, err := p.readFrame()
		if err != nil {
			p.events <- ended
			return
		}
		switch f.opcode {
		case 8:
			code := uint16(1005)
			if len(f.payload) >= 2 {
				code = binary.BigEndian.Uint16(f.payload)
			}
			p.events <- closeEvent(code)
			continue
		case 9, 10:
			p.events <- controlEvent(f.opcode, f.payload)
			continue
		case 0:
			message.payload = append(message.payload, f.payload...)
		default:
			message = f
		}
		if f.open {
			continue
		}
		if message.rsv == rsv1 && p.unpack != nil {
			if message.payload, err = p.unpack.unpack(p.t, message.payload); err != nil {
				p.events <- event(fmt.Sprint("an undecipherable message: ", err))
				continue
			}
		} else if message.rsv != 0 {
			p.events <- "a reserved bit"
		}
		p.events <- messageEvent(message.opcode, message.payload)
	}
}

// write writes in pieces of a size, 0 for all at once. If nothing more is read, that
// shows elsewhere.
func (p *tester) write(b []byte, chop int) {
	if chop == 0 {
		chop = max(1, len(b))
	}
	for piece := range slices.Chunk(b, chop) {
		if _, err := p.conn.Write(piece); err != nil {
			return
		}
	}
}

// next returns the next event, or "" if none comes in time.
func (p *tester) next(wait time.Duration) event {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case e, ok := <-p.events:
		if !ok {
			return ended
		}
		if len(e) > 5 && e[:5] == "close" && !p.closed {
			p.sendClose()
		}
		return e
	case <-timer.C:
		return ""
	}
}

func (p *tester) sendClose() {
	p.closed = true
	p.write(raw{opcode: 8, payload: []byte{3, 0xE8}}.bytes(p.client), 0)
}

// verdict is the outcome of a case.
type verdict int

const (
	strict     verdict = iota
	acceptable         // RFC 6455 leaves it open, or the peer is not told its fault
	failed
)

// How long to wait for events that have to come, and for those that should not.
const (
	patience = 10 * time.Second
	quiet    = time.Second
)

// judge plays a case against the implementation, and judges it.
func (p *tester) judge(b *builder) (verdict, []event) {
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		p.listen()
	}()
	defer func() {
		_ = p.conn.Close()
		for range p.events { // so that it is not held up
			continue
		}
		<-listening
	}()
	var got []event
	over := false
	for _, s := range b.sends {
		if s.pause {
			for !over {
				e := p.next(quiet)
				if e == "" {
					got = append(got, pause)
					break
				}
				got = append(got, e)
				over = e == ended
			}
		} else if !over {
			p.write(s.data, s.chop)
			p.closed = p.closed || s.closes
		}
	}
	for !over && !b.hopeless(got) {
		if len(got) == len(b.want)-2 && b.finishes && !p.closed {
			p.sendClose()
		}
		e := p.next(patience)
		got = append(got, e)
		over = e == ended || e == ""
	}
	return b.judge(got), got
}
