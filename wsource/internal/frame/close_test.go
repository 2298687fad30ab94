package frame_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

func TestCloseCodes(t *testing.T) {
	valid := func(code int) bool {
		return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
	}
	for code := range 1 << 16 {
		c := uint16(code)
		require.Equal(t, valid(code), frame.ValidCode(c), "%d", code)
		got, reason, err := frame.ParseClose([]byte{byte(code >> 8), byte(code), 'h', 'i'})
		if valid(code) {
			require.NoError(t, err)
			require.Equal(t, c, got)
			require.Equal(t, "hi", reason)
		} else {
			requireCode(t, err, frame.CodeProtocolError)
		}
	}
}

func TestClosePayloads(t *testing.T) {
	code, reason, err := frame.ParseClose(nil)
	require.NoError(t, err)
	assert.Equal(t, frame.CodeNoStatus, code)
	assert.Empty(t, reason)
	_, _, err = frame.ParseClose([]byte{3})
	requireCode(t, err, frame.CodeProtocolError)
	_, _, err = frame.ParseClose([]byte("\x03\xE8caf\xE9"))
	requireCode(t, err, frame.CodeInvalidPayload)
}

func TestCloseIsAppended(t *testing.T) {
	assert.Equal(t, "x\x03\xE8bye", string(frame.AppendClose([]byte("x"), 1000, "bye")))
	assert.Equal(t, "x", string(frame.AppendClose([]byte("x"), frame.CodeNoStatus, "bye")))
	for i := range 8 {
		payload := frame.AppendClose(nil, 4000, strings.Repeat("y", i)+strings.Repeat("\U0001F600", 40))
		require.LessOrEqual(t, len(payload), frame.MaxControl)
		require.Greater(t, len(payload), frame.MaxControl-4)
		_, _, err := frame.ParseClose(payload)
		require.NoError(t, err)
	}
	assert.Len(t, frame.AppendClose(nil, 1000, strings.Repeat("\x80", 200)), frame.MaxControl-4, "a reason that is no text is cut somewhere")
}
