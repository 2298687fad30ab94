package wsource

import "unicode/utf8"

// utf8Check checks a text that comes in pieces, which may be cut in the middle of a character.
type utf8Check struct {
	begun [utf8.UTFMax]byte // the character that the last piece has begun
	n     int               // and how much of it there is
}

// next looks at the next piece. If what has come is not the beginning of a text, it reports false and how much
// of the piece comes before the character that is wrong.
func (c *utf8Check) next(p []byte) (good int, ok bool) {
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
	if whole := p[at:end]; !utf8.Valid(whole) {
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

// whole reports whether the text may end here.
func (c *utf8Check) whole() bool { return c.n == 0 }
