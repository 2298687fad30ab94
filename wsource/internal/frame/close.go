package frame

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// CodeNoStatus stands for the code of a close frame that has none (RFC 6455, section
// 7.4.1). It is never in a frame.
const CodeNoStatus uint16 = 1005

// maxReason is the length in bytes of the longest reason: a code precedes it.
const maxReason = MaxControl - 2

// ParseClose returns the code and the reason of a close frame's payload, CodeNoStatus if
// the payload is empty. The error is an [*Error] with CodeProtocolError for a payload of
// one byte and for a code that may not be in a frame, with CodeInvalidPayload for a
// reason that is not UTF-8 (RFC 6455, sections 5.5.1, 7.4 and 8.1).
func ParseClose(payload []byte) (code uint16, reason string, err error) {
	switch len(payload) {
	case 0:
		return CodeNoStatus, "", nil
	case 1:
		return 0, "", violation("a close frame has a payload of one byte")
	}
	code = binary.BigEndian.Uint16(payload)
	switch {
	case !ValidCode(code):
		return 0, "", violation(fmt.Sprintf("a close frame has the code %d", code))
	case !utf8.Valid(payload[2:]):
		return 0, "", &Error{CodeInvalidPayload, "close reason is not UTF-8", ErrUTF8}
	}
	return code, string(payload[2:]), nil
}

// ValidCode reports whether a close frame may carry the code: it is one of RFC 6455,
// section 7.4.1, or of IANA's registry of close codes, or of the ranges for libraries,
// frameworks and applications. The codes 1004, 1005, 1006 and 1015 are reserved.
func ValidCode(code uint16) bool {
	switch {
	case code >= 1000 && code <= 1014:
		return code < 1004 || code > 1006
	default:
		return code >= 3000 && code <= 4999
	}
}

// AppendClose appends the payload of a close frame: nothing for CodeNoStatus, otherwise
// the code and the reason. A reason that is too long for the frame is cut, at a
// character's end.
func AppendClose(dst []byte, code uint16, reason string) []byte {
	if code == CodeNoStatus {
		return dst
	}
	if end := maxReason; len(reason) > end {
		for !utf8.RuneStart(reason[end]) && end > maxReason-utf8.UTFMax {
			end--
		}
		reason = reason[:end]
	}
	return append(binary.BigEndian.AppendUint16(dst, code), reason...)
}
