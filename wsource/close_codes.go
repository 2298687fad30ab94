package wsource

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// StatusCode is the code of a close frame (RFC 6455, section 7.4, and IANA's WebSocket
// Close Code Number Registry).
type StatusCode uint16

// The registered codes. Those from 3000 to 3999 are for libraries and frameworks, those
// from 4000 to 4999 for applications.
const (
	StatusNormalClosure      StatusCode = 1000 // the purpose is fulfilled
	StatusGoingAway          StatusCode = 1001 // a server goes down, a browser leaves the page
	StatusProtocolError      StatusCode = 1002 // the peer has broken a rule of the protocol
	StatusUnsupportedData    StatusCode = 1003 // a message type that cannot be handled
	StatusNoStatusReceived   StatusCode = 1005 // the close frame had no code; never sent
	StatusAbnormalClosure    StatusCode = 1006 // the connection broke without a close frame; never sent
	StatusInvalidPayload     StatusCode = 1007 // a message that is not of its type, as text that is not UTF-8
	StatusPolicyViolation    StatusCode = 1008 // a message is against the rules of the one who closes
	StatusMessageTooBig      StatusCode = 1009 // a message is larger than what is read
	StatusMandatoryExtension StatusCode = 1010 // the client needs an extension that the server did not agree to
	StatusInternalError      StatusCode = 1011 // a server has failed in what it does
	StatusServiceRestart     StatusCode = 1012 // the server restarts: come back after a while
	StatusTryAgainLater      StatusCode = 1013 // the server has too much to do
	StatusBadGateway         StatusCode = 1014 // a gateway got an invalid answer from the server behind it
	StatusTLSHandshake       StatusCode = 1015 // the TLS handshake failed; never sent
)

// StatusAuthorizationExpired is the code with which a socket is closed when its [Admission] has ended: the 401 of HTTP in
// the range for applications.
const StatusAuthorizationExpired StatusCode = 4401

var statusText = map[StatusCode]string{
	StatusNormalClosure:      "normal closure",
	StatusGoingAway:          "going away",
	StatusProtocolError:      "protocol error",
	StatusUnsupportedData:    "unsupported data",
	StatusNoStatusReceived:   "no status received",
	StatusAbnormalClosure:    "abnormal closure",
	StatusInvalidPayload:     "invalid payload",
	StatusPolicyViolation:    "policy violation",
	StatusMessageTooBig:      "message too big",
	StatusMandatoryExtension: "mandatory extension",
	StatusInternalError:      "internal error",
	StatusServiceRestart:     "service restart",
	StatusTryAgainLater:      "try again later",
	StatusBadGateway:         "bad gateway",
	StatusTLSHandshake:       "TLS handshake failed",

	StatusAuthorizationExpired: "authorization expired",
}

// String returns the code and its registered meaning, as "1001 going away".
func (c StatusCode) String() string {
	if text, ok := statusText[c]; ok {
		return fmt.Sprintf("%d %s", uint16(c), text)
	}
	return strconv.Itoa(int(c))
}

// sendable reports whether the code may stand in a close frame.
func (c StatusCode) sendable() bool {
	switch {
	case c >= 3000 && c <= 4999:
		return true
	case inBrowser:
		return c == StatusNormalClosure
	case c < StatusNormalClosure || c > StatusBadGateway:
		return false
	}
	return c != 1004 && c != StatusNoStatusReceived && c != StatusAbnormalClosure
}

// MaxReason is how long a close reason may be, in bytes (RFC 6455, section 5.5).
const MaxReason = 123

// InvalidCloseError reports a close code or reason that cannot be sent.
type InvalidCloseError struct {
	Code    StatusCode // that was to be sent
	Reason  string     // that was to be sent
	Problem string     // what is wrong, as "the reason has 200 bytes, more than 123"
}

// Error tells the problem.
func (e *InvalidCloseError) Error() string {
	return fmt.Sprintf("wsource: cannot close with %d: %s", uint16(e.Code), e.Problem)
}

// checkClose reports what keeps a code and reason from being sent.
func checkClose(code StatusCode, reason string) error {
	var problem string
	switch {
	case !code.sendable():
		problem = "the code may not be sent (allowed are " + sendableCodes + ")"
	case len(reason) > MaxReason:
		problem = fmt.Sprintf("the reason has %d bytes, more than %d", len(reason), MaxReason)
	case !utf8.ValidString(reason):
		problem = "the reason is not valid UTF-8"
	default:
		return nil
	}
	return &InvalidCloseError{code, reason, problem}
}

// TrimReason cuts a text to what fits into a close reason, at a character boundary, and
// replaces what is not UTF-8: for reasons made from error messages.
func TrimReason(text string) string {
	if !utf8.ValidString(text) {
		text = string([]rune(text))
	}
	if len(text) <= MaxReason {
		return text
	}
	end := MaxReason
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
