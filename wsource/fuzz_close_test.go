package wsource_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// mayBeSent reports whether a code may stand in a close frame (RFC 6455, section 7.4, and
// the registry).
func mayBeSent(code wsource.StatusCode) bool {
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006 || code >= 3000 && code <= 4999
}

// FuzzCloseFrame makes a peer of either side send a close frame with any payload. The
// socket ends once, with the frame's code and reason, or with the problem; the peer gets
// a proper close frame in answer.
func FuzzCloseFrame(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add([]byte{3}, false)
	f.Add([]byte{3, 0xE8}, true)
	f.Add([]byte("\x0F\xA0bye"), false)
	f.Add([]byte("\x03\xE8not \xFF text"), true)
	f.Add([]byte("\x03\xEDnever sent"), false)
	f.Add([]byte("\x03\xF7a code of nobody's"), true)
	f.Add([]byte("\xFF\xFFtoo high"), false)
	f.Fuzz(func(t *testing.T, payload []byte, client bool) {
		payload = payload[:min(len(payload), 125)]
		synctest.Test(t, func(t *testing.T) {
			p, socket := rawPeer(t, client)
			got := record[wsource.Message](t, socket)
			p.write(frame{fin: true, opcode: opClose, payload: payload})
			answer, _ := p.readClose()
			p.readEnd()
			err := got.ExpectEnd(t)
			assertEnded(t, got)
			want, reason := wsource.StatusNoStatusReceived, ""
			if len(payload) >= 2 {
				want, reason = wsource.StatusCode(binary.BigEndian.Uint16(payload)), string(payload[2:])
			}
			switch {
			case len(payload) == 1, len(payload) > 1 && !mayBeSent(want):
				requireClose(t, err, wsource.StatusProtocolError)
				assert.Equal(t, wsource.StatusProtocolError, answer)
			case !utf8.ValidString(reason):
				require.ErrorIs(t, requireClose(t, err, wsource.StatusInvalidPayload), wsource.ErrInvalidUTF8)
				assert.Equal(t, wsource.StatusInvalidPayload, answer)
			case want == wsource.StatusNormalClosure:
				require.NoError(t, err)
				assert.Equal(t, want, answer)
			default:
				assert.Equal(t, reason, requireClose(t, err, want).Reason)
				assert.Equal(t, want, answer)
			}
		})
	})
}

// FuzzClose closes with any code and reason: the call fails and the socket stays open, or
// the peer gets just these. The error of a stream that is sent closes in any case, with
// its own code and reason if they may be sent.
func FuzzClose(f *testing.F) {
	f.Add(uint16(1000), "", false)
	f.Add(uint16(4999), "äö", true)
	f.Add(uint16(1006), "", true)
	f.Add(uint16(1015), "", false)
	f.Add(uint16(5000), "", true)
	f.Add(uint16(1001), "\xFF", true)
	f.Add(uint16(3000), string(make([]byte, 124)), true)
	f.Add(uint16(3000), string(make([]byte, 123)), false)
	f.Fuzz(func(t *testing.T, number uint16, reason string, asError bool) {
		code := wsource.StatusCode(number)
		good := mayBeSent(code) && len(reason) <= wsource.MaxReason && utf8.ValidString(reason)
		synctest.Test(t, func(t *testing.T) {
			client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
			got := record[wsource.Message](t, server)
			if asError {
				client.Error(errors.Join(errCause, &wsource.CloseError{Code: code, Reason: reason}))
				if !good {
					code, reason = wsource.StatusInternalError, "internal error"
				}
			} else if err := client.Close(code, reason); !good {
				var invalid *wsource.InvalidCloseError
				require.ErrorAs(t, err, &invalid)
				assert.Equal(t, wsource.Open, client.State())
				fits := wsource.TrimReason(reason)
				require.NoError(t, client.Close(4000, fits), "a trimmed reason fits")
				code, reason = 4000, fits
			} else {
				require.NoError(t, err)
			}
			err := got.ExpectEnd(t)
			if code == wsource.StatusNormalClosure {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, reason, requireClose(t, err, code).Reason)
			<-client.Done()
			assert.Equal(t, reason, requireClose(t, client.Err(), code).Reason)
		})
	})
}

var errCause = errors.New("the cause")
