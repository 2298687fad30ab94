package wire

import "encoding/binary"

// FrameError is what [Conn.Read] returns for a frame that RFC 6455 forbids. Some of these the library
// accepts; of the others it would tell the peer itself, and for that wait behind a write that is stalled.
type FrameError struct {
	Problem string
}

// Error tells the problem.
func (e *FrameError) Error() string { return e.Problem }

// scanner follows the frames of the incoming stream from header to header.
type scanner struct {
	client bool     // the frames are for a client
	inside bool     // a message has begun whose last fragment has not come
	frames int      // of the message that has begun last
	head   [14]byte // the header at hand
	have   int      // how much of it has come
	left   uint64   // bytes of the current frame's payload still to come
}

// between reports whether the next byte is the first of a message, or of a control frame between two.
func (s *scanner) between() bool { return s.have == 0 && s.left == 0 && !s.inside }

// scan looks at the next bytes of the stream, when no payload is left. It returns how many of them may be passed
// on: up to the end of a frame, or none of one that is not allowed, and what is wrong with that.
func (s *scanner) scan(p []byte) (int, error) {
	for at := range p {
		s.head[s.have] = p[at]
		s.have++
		if s.have < 2 || s.have < headerSize(s.head[1]) {
			continue
		}
		if err := s.next(); err != nil {
			return 0, err
		}
		n := min(s.left, uint64(len(p)-at-1)) //nolint:gosec // not negative
		s.left -= n
		return at + 1 + int(n), nil //nolint:gosec // at most the length of p
	}
	return len(p), nil
}

// headerSize returns the size of a header with that second byte.
func headerSize(second byte) int {
	size := 2
	switch second & 0x7F {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if second&0x80 != 0 {
		size += 4
	}
	return size
}

// next checks a complete header, and turns to the payload.
func (s *scanner) next() error {
	s.have = 0
	masked, length := s.head[1]&0x80 != 0, uint64(s.head[1]&0x7F)
	least := uint64(0) // that needs a length of that form
	switch length {
	case 126:
		length, least = uint64(binary.BigEndian.Uint16(s.head[2:])), 126
	case 127:
		length, least = binary.BigEndian.Uint64(s.head[2:]), 1<<16
	}
	problem := s.checkType(length)
	switch {
	case problem != "":
	case masked && s.client: // section 5.1
		problem = "a frame of the server is masked"
	case !masked && !s.client:
		problem = "a frame of the client is not masked"
	case length < least: // section 5.2
		problem = "the length of a frame is not in its shortest form"
	case length > 1<<63-1:
		problem = "the length of a frame is negative"
	default:
		s.left = length
		return nil
	}
	return &FrameError{problem}
}

// checkType returns what is wrong with the first byte of a header, "" if nothing is (sections 5.2, 5.4 and 5.5).
// The first reserved bit is the library's, which knows whether there is compression.
func (s *scanner) checkType(length uint64) string {
	final, opcode := s.head[0]&0x80 != 0, Opcode(s.head[0]&0xF)
	control := opcode >= opClose
	switch {
	case s.head[0]&0x30 != 0:
		return "a reserved bit of a frame is set"
	case opcode > Binary && !control, opcode > Pong:
		return "the opcode of a frame is reserved"
	case control && !final:
		return "a control frame is fragmented"
	case control && length > maxControl:
		return "a control frame has more than 125 bytes"
	case control:
		return ""
	case s.inside && opcode != opContinuation:
		return "a message begins inside another"
	case !s.inside && opcode == opContinuation:
		return "a fragment continues no message"
	}
	if !s.inside {
		s.frames = 0
	}
	s.frames++
	s.inside = !final
	return ""
}
