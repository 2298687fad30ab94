package frame_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// wellFormed is how much of a text is a beginning of a valid one, character by character.
func wellFormed(text []byte) int {
	at := 0
	for at < len(text) && utf8.FullRune(text[at:]) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
	return len(text)
}

// checkPieces checks a text in pieces of a size.
func checkPieces(t *testing.T, text []byte, size int) {
	t.Helper()
	var c frame.UTF8
	want := wellFormed(text)
	for at := 0; at < len(text); at += size {
		piece := text[at:min(at+size, len(text))]
		good, ok := c.Next(piece)
		if ok {
			require.Equal(t, len(piece), good)
			continue
		}
		// A character that the piece before began is known to be wrong only now.
		require.Less(t, want, at+len(piece), "%q in pieces of %d", text, size)
		require.Equal(t, max(want, at), at+good, "%q in pieces of %d", text, size)
		return
	}
	require.Len(t, text, want, "in pieces of %d", size)
	require.Equal(t, utf8.Valid(text), c.Whole(), "%q in pieces of %d", text, size)
}

func TestTextInPieces(t *testing.T) {
	for _, text := range []string{
		"", "a", "é", "✓𝄞x", "\xFF", "a\x80", "ab\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "é\xE2\x9C", "\uFFFD!",
		"𝄞\xF0\x9D\x84", "\xF0\x9D\x84a", "x\xC0\x80",
	} {
		for size := 1; size <= len(text)+1; size++ {
			checkPieces(t, []byte(text), size)
		}
	}
	var c frame.UTF8
	_, ok := c.Next([]byte("\xE0\x80"))
	assert.False(t, ok, "bytes that cannot become a character are found before they are complete")
}

func FuzzTextInPieces(f *testing.F) {
	f.Add([]byte("naïve ✓ 𝄞 \xF0\x9D"), 3)
	f.Add([]byte("\xED\xA0\x80"), 1)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		if size > 0 {
			checkPieces(t, text, size)
		}
	})
}
