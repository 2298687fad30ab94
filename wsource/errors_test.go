package wsource_test

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

func TestErrorTexts(t *testing.T) {
	for want, err := range map[string]error{
		`wsource: connection closed: 1001 going away`:            &wsource.CloseError{Code: 1001},
		`wsource: connection closed: 4000 ("why"): EOF`:          &wsource.CloseError{Code: 4000, Reason: "why", Err: io.EOF},
		`wsource: handshake with ws://x failed`:                  &wsource.HandshakeError{URL: "ws://x"},
		`wsource: handshake of 1.2.3.4:5 for ws://x failed: EOF`: &wsource.HandshakeError{URL: "ws://x", Remote: "1.2.3.4:5", Err: io.EOF},
		`wsource: text message of 3 bytes: outcome unknown: EOF`: &wsource.SendError{Message: wsource.TextMessage("abc"), Outcome: wsource.Unknown, Err: io.EOF},
		`wsource: binary message of a reader: outcome partial: after 7 bytes: EOF`: &wsource.SendError{
			Message: wsource.BinaryMessage(nil), Outcome: wsource.Partial, Err: &wsource.StreamError{Bytes: 7, Err: io.EOF},
		},
		`wsource: cannot close with 1005: the code`: &wsource.InvalidCloseError{Code: 1005, Problem: "the code"},
		`wsource: handshake with ws://x failed: status 404 Not Found: EOF (body "a\n")`: &wsource.HandshakeError{
			URL: "ws://x", Status: 404, Body: "a\n", Err: io.EOF,
		},
	} {
		assert.Equal(t, want, err.Error())
		if strings.Contains(want, "EOF") {
			require.ErrorIs(t, err, io.EOF)
		}
	}
}

// The error of an undecodable message names codec, type, size and first bytes, and has
// the whole message.
func TestCodecErrorTexts(t *testing.T) {
	long := strings.Repeat("0123456789", 5)
	for want, err := range map[string]*wsource.CodecError{
		`wsource: codec JSON cannot decode a text message of 3 bytes, "\xff{}": EOF`: {
			Codec: "JSON", Message: wsource.TextMessage("\xFF{}"), Err: io.EOF,
		},
		`wsource: codec mine cannot decode a binary message of 50 bytes, "01234567890123456789012345678901"...: EOF`: {
			Codec: "mine", Message: wsource.BinaryMessage([]byte(long)), Err: io.EOF,
		},
		`wsource: codec text cannot decode a binary message of 0 bytes, "": EOF`: {
			Codec: "text", Message: wsource.BinaryMessage([]byte{}), Err: io.EOF,
		},
		`wsource: codec mine cannot encode: EOF`: {Codec: "mine", Err: io.EOF},
	} {
		assert.Equal(t, want, err.Error())
		require.ErrorIs(t, err, io.EOF)
	}
	_, err := wsource.AsValues(wsource.JSON[int, int]()).Decode(wsource.Text, nil)
	require.NoError(t, err)
}

func TestCloseStatus(t *testing.T) {
	assert.Equal(t, wsource.StatusNormalClosure, wsource.CloseStatus(nil))
	assert.Equal(t, wsource.StatusCode(4000), wsource.CloseStatus(fmt.Errorf("x: %w", &wsource.CloseError{Code: 4000})))
	assert.Zero(t, wsource.CloseStatus(io.EOF))
}

// TestHandshakeErrorInALog: the log of an error that nobody hears does not have the
// server's answer.
func TestHandshakeErrorInALog(t *testing.T) {
	err := &wsource.HandshakeError{URL: "ws://a.test/", Status: 403, Body: "secret"}
	assert.Contains(t, err.Error(), "secret")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("refused", "error", err)
	assert.Contains(t, log.String(), "403 Forbidden")
	assert.NotContains(t, log.String(), "secret")
}
