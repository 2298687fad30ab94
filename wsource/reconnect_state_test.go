package wsource_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource"
)

func TestStatusTellsWhatIsKnown(t *testing.T) {
	broken := &wsource.CloseError{Code: wsource.StatusAbnormalClosure, Err: io.ErrUnexpectedEOF}
	next := time.Date(2020, 1, 2, 3, 4, 5, 678e6, time.UTC)
	for want, status := range map[string]wsource.Status{
		"idle":                  {},
		"connecting, attempt 2": {State: wsource.LinkConnecting, Attempt: 2},
		"open":                  {State: wsource.LinkOpen},
		"backoff until 03:04:05.678, then attempt 3: " + broken.Error(): {
			State: wsource.LinkBackoff, Attempt: 3, NextTry: next, Err: broken,
		},
		`closing, 1012 service restart ("come back")`: {
			State: wsource.LinkClosing, Code: wsource.StatusServiceRestart, Reason: "come back",
		},
		"closed, 1000 normal closure": {State: wsource.LinkClosed, Code: wsource.StatusNormalClosure},
		"closed: EOF":                 {State: wsource.LinkClosed, Err: io.EOF},
		"closed: " + broken.Error():   {State: wsource.LinkClosed, Code: broken.Code, Err: broken},
		"closed: wsource: handshake with ws://a failed: status 401 Unauthorized": {
			State: wsource.LinkClosed, Err: &wsource.HandshakeError{URL: "ws://a", Status: 401, Body: "a secret"},
		},
	} {
		assert.Equal(t, want, status.String())
	}
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		status := record(t, subject.Status())
		_, sub := listen(t, subject)
		s.accept()
		assert.Equal(t, "open, "+status.Values()[2].Socket.String(), status.Values()[2].String())
		sub.Unsubscribe()
	})
}
