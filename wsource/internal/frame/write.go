package frame

import (
	"encoding/binary"
	"math"
)

// AppendHeader appends a header for a payload of h.Length bytes. A client gives its keys,
// and masks the payload with the key that is returned: see [Mask]. A server gives nil.
func AppendHeader(dst []byte, h Header, keys *Keys) (frame []byte, key uint32) {
	masked := byte(0)
	if keys != nil {
		masked = bitMasked
	}
	dst = append(dst, h.first())
	switch n := h.Length; {
	case n < lengthIn2:
		dst = append(dst, masked|byte(n)) //nolint:gosec // less than 126
	case n <= math.MaxUint16:
		dst = binary.BigEndian.AppendUint16(append(dst, masked|lengthIn2), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, masked|lengthIn8), uint64(n))
	}
	if keys == nil {
		return dst, 0
	}
	key = keys.next()
	return binary.LittleEndian.AppendUint32(dst, key), key
}

// AppendFrame appends a whole frame, with the payload's length instead of h.Length. A
// client gives its keys, a server nil. The payload itself is not changed.
func AppendFrame(dst []byte, h Header, payload []byte, keys *Keys) []byte {
	h.Length = int64(len(payload))
	dst, key := AppendHeader(dst, h, keys)
	from := len(dst)
	dst = append(dst, payload...)
	if keys != nil {
		Mask(dst[from:], key)
	}
	return dst
}

// Seal makes a frame of a payload that stands behind room for its header, at
// space[Room:], and returns it: the end of space. It masks the payload in place if keys
// is not nil.
func Seal(space []byte, h Header, keys *Keys) []byte {
	payload := space[Room:]
	h.Length = int64(len(payload))
	var room [Room]byte
	head, key := AppendHeader(room[:0], h, keys)
	if keys != nil {
		Mask(payload, key)
	}
	frame := space[Room-len(head):]
	copy(frame, head)
	return frame
}
