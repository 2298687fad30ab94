package frame_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// send is something that a case sends, or a pause in which it sends nothing.
type send struct {
	data   []byte
	chop   int // the size of the pieces; 0 for one
	closes bool
	pause  bool
}

// pause is the event that a pause has gone by and the connection goes on.
const pause event = "a pause"

// builder builds a case: the bytes to send, and the events that have to come back.
type builder struct {
	client   bool // the tester is the client
	packer   *packer
	chop     int
	scale    int // the divisor of sizes and counts
	sends    []send
	want     []event
	also     [][]event // the sequences acceptable in place of want
	finishes bool      // the tester closes the connection at the end
	fail     bool      // the connection has to fail
	skipped  bool
}

// send sends frames as they are.
func (b *builder) send(frames ...raw) {
	for _, f := range frames {
		b.sends = append(b.sends, send{data: f.bytes(b.client), chop: b.chop, closes: f.opcode == 8})
	}
}

// atOnce has the frames sent so far leave together.
func (b *builder) atOnce() {
	var all send
	for _, s := range b.sends {
		all.data = append(all.data, s.data...)
		all.closes = all.closes || s.closes
	}
	all.chop = b.chop
	b.sends = []send{all}
}

// message sends a message in frames of up to n bytes, compressed if that is negotiated.
func (b *builder) message(opcode byte, data []byte, n int) {
	b.send(b.frames(opcode, data, n)...)
}

func (b *builder) frames(opcode byte, data []byte, n int) []raw {
	first := raw{opcode: opcode, payload: data}
	if b.packer != nil {
		first.rsv, first.payload = rsv1, b.packer.pack(data)
	}
	return fragments(first, n)
}

const whole = 1 << 30

// echo sends a message in one frame and wants it back.
func (b *builder) echo(opcode byte, data []byte) {
	b.message(opcode, data, whole)
	b.wants(messageEvent(opcode, data))
}

func (b *builder) wants(events ...event) { b.want = append(b.want, events...) }

// pause waits for the events that have to come so far, and that no other does.
func (b *builder) pause() {
	b.sends = append(b.sends, send{pause: true})
	b.wants(pause)
}

// fails wants the connection to be closed with a code. A close without a code, or with
// another one, is acceptable.
func (b *builder) fails(code uint16) {
	b.fail = true
	b.wants(closeEvent(code), ended)
}

// closes sends a close frame with that payload and wants an answer with the code. Another
// code that tells of no failure is acceptable.
func (b *builder) closes(payload []byte, code uint16) {
	b.send(raw{opcode: 8, payload: payload})
	for _, other := range []uint16{1000, 1005} {
		b.also = append(b.also, append(slices.Clone(b.want), closeEvent(other), ended))
	}
	b.wants(closeEvent(code), ended)
}

// rejects sends a close frame that is not allowed.
func (b *builder) rejects(payload []byte, code uint16) {
	b.send(raw{opcode: 8, payload: payload})
	b.fails(code)
}

// finish closes the connection at the end, if it is not to end otherwise.
func (b *builder) finish() {
	if len(b.want) == 0 || b.want[len(b.want)-1] != ended {
		b.finishes = true
		b.wants(closeEvent(1000), ended)
		for i := range b.also {
			if n := len(b.also[i]); n == 0 || b.also[i][n-1] != ended {
				b.also[i] = append(b.also[i], closeEvent(1000), ended)
			}
		}
	}
}

// judge compares the events that have come with those that had to.
func (b *builder) judge(got []event) verdict {
	if slices.Equal(got, b.want) {
		return strict
	}
	for _, also := range append([][]event{b.want}, b.also...) {
		n := len(also) - 2 // then the close frame, and the end
		if len(got) < n || !slices.Equal(got[:n], also[:n]) {
			continue
		}
		rest := got[n:]
		if slices.Equal(got, also) || b.fail && len(rest) <= 2 && rest[len(rest)-1] == ended {
			return acceptable
		}
	}
	return failed
}

// hopeless reports whether an event has come that was not to come, so that later events
// do not matter.
func (b *builder) hopeless(got []event) bool {
	for _, also := range append([][]event{b.want}, b.also...) {
		n := min(len(got), len(also)-2)
		ending := func(e event) bool { return e == ended || strings.HasPrefix(string(e), "close") }
		if slices.Equal(got[:n], also[:n]) && (n == len(got) || ending(got[n])) {
			return false
		}
	}
	return true
}

// protocolCase is a case of the suite.
type protocolCase struct {
	id    string
	build func(b *builder)
}

func pong(payload string) event { return controlEvent(10, []byte(payload)) }

// filled returns n bytes of text.
func filled(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = '*'
	}
	return p
}

func binaryFilled(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = 0xFE
	}
	return p
}

// framing are the sections 1 to 4: frames, pings, reserved bits, opcodes.
func framing() []protocolCase {
	var all []protocolCase
	add := func(id string, build func(b *builder)) { all = append(all, protocolCase{id, build}) }

	// Section 1: messages of all lengths.
	for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		add(fmt.Sprintf("1.1.%d", i+1), func(b *builder) { b.echo(1, filled(n)) })
		add(fmt.Sprintf("1.2.%d", i+1), func(b *builder) { b.echo(2, binaryFilled(n)) })
	}
	add("1.1.8", func(b *builder) { b.chop = 997; b.echo(1, filled(65536)) })
	add("1.2.8", func(b *builder) { b.chop = 997; b.echo(2, binaryFilled(65536)) })

	// Section 2: pings and pongs.
	ping := func(id, payload string, chop int) {
		add(id, func(b *builder) {
			b.chop = chop
			b.send(raw{opcode: 9, payload: []byte(payload)})
			b.wants(pong(payload))
		})
	}
	ping("2.1", "", 0)
	ping("2.2", "Hello, world!", 0)
	ping("2.3", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 0)
	ping("2.4", string(binaryFilled(125)), 0)
	add("2.5", func(b *builder) {
		b.send(raw{opcode: 9, payload: binaryFilled(126)})
		b.fails(frame.CodeProtocolError)
	})
	ping("2.6", string(binaryFilled(125)), 1)
	add("2.7", func(b *builder) { b.send(raw{opcode: 10}) })
	add("2.8", func(b *builder) { b.send(raw{opcode: 10, payload: []byte("unsolicited pong payload")}) })
	add("2.9", func(b *builder) {
		b.send(raw{opcode: 10, payload: []byte("unsolicited pong payload")}, raw{opcode: 9, payload: []byte("ping payload")})
		b.wants(pong("ping payload"))
	})
	for i, chop := range []int{0, 1} {
		add(fmt.Sprintf("2.%d", 10+i), func(b *builder) {
			b.chop = chop
			for i := range 10 {
				payload := fmt.Sprint("payload-", i)
				b.send(raw{opcode: 9, payload: []byte(payload)})
				b.wants(pong(payload))
			}
		})
	}

	// Section 3: reserved bits. With compression, bit 1 alone is not reserved.
	for rsv := byte(1); rsv < 8; rsv++ {
		add(fmt.Sprintf("3.%d", rsv), func(b *builder) {
			f := raw{opcode: []byte{1, 1, 1, 1, 2, 9, 8}[rsv-1], rsv: rsv, payload: []byte("\x03\xE8 hello")}
			b.skipped = b.packer != nil && rsv == rsv1
			if b.chop = []int{0, 0, 0, 1, 0, 0, 0}[rsv-1]; rsv >= 2 && rsv <= 4 {
				b.echo(1, []byte("Hello, world!"))
				b.send(f, raw{opcode: 9})
				b.fails(frame.CodeProtocolError)
				b.also = [][]event{{closeEvent(frame.CodeProtocolError), ended}}
				return
			}
			b.send(f)
			b.fails(frame.CodeProtocolError)
		})
	}

	// Section 4: reserved opcodes.
	for section, first := range []byte{3, 11} {
		for i := range byte(5) {
			add(fmt.Sprintf("4.%d.%d", section+1, i+1), func(b *builder) {
				f := raw{opcode: first + i}
				if i%2 == 1 {
					f.payload = []byte("reserved opcode payload")
				}
				if i < 2 {
					b.send(f)
				} else {
					b.echo(1, []byte("Hello, world!"))
					b.chop = []int{0, 0, 0, 7, 1}[i]
					b.send(f, raw{opcode: 9})
					b.also = [][]event{{closeEvent(frame.CodeProtocolError), ended}}
				}
				b.fails(frame.CodeProtocolError)
			})
		}
	}
	return all
}

// fragmentation is section 5.
func fragmentation() []protocolCase {
	var all []protocolCase
	add := func(id int, build func(b *builder)) {
		all = append(all, protocolCase{fmt.Sprintf("5.%d", id), build})
	}
	for i, opcode := range []byte{9, 10} {
		add(1+i, func(b *builder) {
			b.send(raw{opcode: opcode, open: true, payload: []byte("fragment1")}, raw{payload: []byte("fragment2")})
			b.fails(frame.CodeProtocolError)
		})
	}
	text := []byte("fragment1fragment2")
	two := messageEvent(1, text)
	half := func(b *builder) []raw {
		if b.packer == nil {
			return fragments(raw{opcode: 1, payload: text}, 9)
		}
		payload := b.packer.pack(text)
		return fragments(raw{opcode: 1, rsv: rsv1, payload: payload}, (len(payload)+1)/2)
	}
	// Frames that leave together, one by one, and byte by byte.
	for i, chop := range []int{0, -1, 1} {
		send := func(b *builder, frames ...raw) {
			b.chop = max(0, chop)
			if b.send(frames...); chop == 0 {
				b.atOnce()
			}
		}
		add(3+i, func(b *builder) { send(b, half(b)...); b.wants(two) })
		add(6+i, func(b *builder) {
			h := half(b)
			send(b, h[0], raw{opcode: 9, payload: []byte("ping payload")}, h[1])
			b.wants(pong("ping payload"), two)
		})
		for j, open := range []bool{false, true} {
			add(9+3*j+i, func(b *builder) {
				send(b, raw{open: open, payload: []byte("non-continuation payload")}, raw{opcode: 1, payload: []byte("Hello, world!")})
				b.fails(frame.CodeProtocolError)
			})
		}
	}
	add(15, func(b *builder) {
		h := half(b)
		b.send(h[0], h[1], raw{open: true, payload: []byte("fragment3")}, raw{opcode: 1, payload: []byte("fragment4")})
		b.wants(two)
		b.fails(frame.CodeProtocolError)
		b.also = [][]event{{closeEvent(frame.CodeProtocolError), ended}}
	})
	for i, open := range []bool{true, false} {
		add(16+i, func(b *builder) {
			for range 2 {
				b.send(raw{open: open, payload: []byte("fragment1")}, raw{opcode: 1, open: true, payload: []byte("fragment2")},
					raw{payload: []byte("fragment3")})
			}
			b.fails(frame.CodeProtocolError)
		})
	}
	add(18, func(b *builder) {
		b.send(raw{opcode: 1, open: true, payload: []byte("fragment1")}, raw{opcode: 1, payload: []byte("fragment2")})
		b.fails(frame.CodeProtocolError)
	})
	for i, chop := range []int{0, 1} {
		add(19+i, func(b *builder) {
			b.chop = chop
			data := []byte("fragment1fragment2fragment3fragment4fragment5")
			frames := fragments(raw{opcode: 1, payload: data}, 9)
			b.send(frames[0], frames[1], raw{opcode: 9, payload: []byte("pongme 1!")})
			b.wants(pong("pongme 1!"))
			b.pause()
			b.send(frames[2], frames[3], raw{opcode: 9, payload: []byte("pongme 2!")}, frames[4])
			b.wants(pong("pongme 2!"), messageEvent(1, data))
		})
	}
	return all
}

// closing is section 7.
func closing() []protocolCase {
	var all []protocolCase
	add := func(id string, build func(b *builder)) { all = append(all, protocolCase{id, build}) }
	normal := []byte{3, 0xE8}
	add("7.1.1", func(b *builder) { b.echo(1, []byte("Hello World!")); b.closes(normal, 1000) })
	after := func(id string, frames ...raw) {
		add(id, func(b *builder) {
			b.closes(normal, 1000)
			b.send(frames...)
		})
	}
	after("7.1.2", raw{opcode: 8, payload: normal})
	after("7.1.3", raw{opcode: 9})
	after("7.1.4", raw{opcode: 1, payload: []byte("Hello World!")})
	add("7.1.5", func(b *builder) {
		b.send(raw{opcode: 1, open: true, payload: []byte("fragment1")})
		b.closes(normal, 1000)
		b.send(raw{payload: []byte("fragment2")})
	})
	add("7.1.6", func(b *builder) {
		b.echo(1, filled(256<<10))
		b.echo(1, []byte("Hello World!"))
		b.closes(normal, 1000)
		b.send(raw{opcode: 9})
	})
	add("7.3.1", func(b *builder) { b.closes(nil, 1005) })
	add("7.3.2", func(b *builder) { b.rejects([]byte("a"), frame.CodeProtocolError) })
	add("7.3.3", func(b *builder) { b.closes(normal, 1000) })
	add("7.3.4", func(b *builder) { b.closes([]byte("\x03\xE8Hello World!"), 1000) })
	add("7.3.5", func(b *builder) { b.closes(append([]byte{3, 0xE8}, filled(123)...), 1000) })
	add("7.3.6", func(b *builder) { b.rejects(append([]byte{3, 0xE8}, filled(124)...), frame.CodeProtocolError) })
	add("7.5.1", func(b *builder) {
		b.rejects([]byte("\x03\xE8\xCE\xBA\xE1\xBD\xB9\xED\xA0\x80edited"), frame.CodeInvalidPayload)
	})
	code := func(id string, code, answer int) {
		add(id, func(b *builder) {
			payload := []byte{byte(code >> 8), byte(code)}
			if b.client {
				payload = append(payload, "with a reason"...)
			}
			if code != answer {
				b.rejects(payload, uint16(answer))
			} else {
				b.closes(payload, uint16(answer))
			}
		})
	}
	for i, c := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		code(fmt.Sprintf("7.7.%d", i+1), c, c)
	}
	for i, c := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 1015} {
		code(fmt.Sprintf("7.9.%d", i+1), c, 1002)
	}
	code("7.13.1", 5000, 1002)
	code("7.13.2", 65535, 1002)
	return all
}
