package frame

import "unicode/utf8"

// UTF8 checks a text that comes in pieces. A piece may end in the middle of a character.
// The zero value is ready for the first piece.
type UTF8 struct {
	begun [utf8.UTFMax]byte // the character that the last piece ended in
	n     int               // the bytes of begun that have come
}

// Next checks the next piece. If the text so far is not the beginning of valid UTF-8, it
// returns false, and the number of the piece's bytes that precede the invalid character.
func (c *UTF8) Next(p []byte) (good int, ok bool) {
	at := 0
	for c.n > 0 && at < len(p) {
		c.begun[c.n] = p[at]
		c.n++
		at++
		if utf8.FullRune(c.begun[:c.n]) {
			if !utf8.Valid(c.begun[:c.n]) {
				return 0, false
			}
			c.n = 0
		}
	}
	end := len(p)
	for back := 1; back < utf8.UTFMax && back <= len(p)-at; back++ {
		if i := len(p) - back; utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				end = i
			}
			break
		}
	}
	if !utf8.Valid(p[at:end]) {
		for {
			r, size := utf8.DecodeRune(p[at:end])
			if r == utf8.RuneError && size <= 1 {
				return at, false
			}
			at += size
		}
	}
	if end < len(p) {
		c.n = copy(c.begun[:], p[end:])
	}
	return len(p), true
}

// Whole reports whether the text may end here: no character lacks its end.
func (c *UTF8) Whole() bool { return c.n == 0 }
