package session

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sampleToken = "0123456789abcdefghijklmnopqrst-_"

// TestControlForms: each message has the form that the documentation gives it, and is
// read back.
func TestControlForms(t *testing.T) {
	t.Parallel()
	for form, c := range map[string]control{
		"hello":                              {word: wordHello},
		"resume " + sampleToken + " 0":       {word: wordResume, token: sampleToken},
		"fresh " + sampleToken + " 120000":   {word: wordFresh, token: sampleToken, numbers: [3]uint64{120000}},
		"resumed " + sampleToken + " 5 7 9":  {word: wordResumed, token: sampleToken, numbers: [3]uint64{5, 7, 9}},
		"expired":                            {word: wordExpired},
		"go 1":                               {word: wordGo, numbers: [3]uint64{1}},
		"ack 9007199254740991":               {word: wordAck, numbers: [3]uint64{maxPosition}},
		"ask":                                {word: wordAsk},
		"end 1000 ":                          {word: wordEnd, code: 1000},
		"end 4000 a reason with spaces here": {word: wordEnd, code: 4000, reason: "a reason with spaces here"},
	} {
		assert.Equal(t, "\x00"+form, string(c.encode()))
		got, err := parseControl([]byte(form))
		require.NoError(t, err, form)
		assert.Equal(t, c, got)
	}
}

// TestControlRefused: a message that is not in its one form is no control message.
func TestControlRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "hallo", "hello ", "hello 1", "HELLO", "ack", "ack ", "ack 01", "ack +1", "ack -1", "ack 1 ", "ack 1 2",
		"ack 9007199254740992", "ack 99999999999999999999", "ack 1e3", "go", "end", "end 1000", "end 1005 ", "end 999 ",
		"end 5000 ", "end 1000 " + strings.Repeat("x", 124), "end 1000 \xff", "resume x 1", "resume " + sampleToken,
		"resume " + sampleToken[:31] + "= 1", "resume " + sampleToken[:31] + "\n 1", "resumed " + sampleToken + " 1 2",
		"fresh " + sampleToken + " 1 2", "\x00ack 1",
	} {
		_, err := parseControl([]byte(text))
		assert.ErrorIs(t, err, errControl, "%q", text)
	}
}

// TestTokens: they are long, different, and of the form that is checked.
func TestTokens(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for range 1000 {
		token := newToken("")
		assert.Len(t, token, 32)
		assert.True(t, wellFormed(token))
		assert.False(t, seen[token])
		seen[token] = true
	}
}

// FuzzControl: parsing never panics, and an accepted message is encoded as it was.
func FuzzControl(f *testing.F) {
	for _, seed := range []string{"hello", "ack 17", "end 1000 bye", "resume " + sampleToken + " 3", "resumed " + sampleToken + " 1 2 3"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseControl(data)
		if err != nil {
			require.ErrorIs(t, err, errControl)
			return
		}
		require.Equal(t, "\x00"+string(data), string(c.encode()))
	})
}
