package observabletest

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Frame is the time that one character of a marble string takes.
const Frame = time.Millisecond

// longest is the greatest length of a marble, far enough below the limit of a
// time.Duration.
const longest = 100 * 365 * 24 * time.Hour

// Marble is a marble string taken apart; the package's documentation has the syntax.
type Marble struct {
	Marks  []Mark        // in the order of time
	Length time.Duration // from the first frame to the end of the last one

	text string
}

// Mark is something that a marble string puts at a time.
type Mark struct {
	At     time.Duration // after the first frame
	Symbol rune          // a letter or digit for a value, or one of |, #, ^ and !
	Offset int           // its place in the string, in bytes
}

// The symbols of marks that are not values.
const (
	symbolComplete    = '|'
	symbolError       = '#'
	symbolSubscribe   = '^'
	symbolUnsubscribe = '!'
)

// isValue reports whether the mark stands for a value.
func (m Mark) isValue() bool { return isValueSymbol(m.Symbol) }

func isValueSymbol(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// MarbleError reports a problem of a marble string, and its place.
type MarbleError struct {
	Marble  string // the whole string
	Offset  int    // place of the problem, in bytes
	Problem string // as "the group is not closed"
}

// Error names the string, the position and the problem.
func (e *MarbleError) Error() string {
	return fmt.Sprintf("observabletest: marble %q, at byte %d: %s", e.Marble, e.Offset, e.Problem)
}

// ParseMarble takes a marble string apart. The error is a [*MarbleError].
func ParseMarble(text string) (Marble, error) {
	p := parser{text: text, group: -1, seen: make(map[rune]bool)}
	for p.pos < len(text) {
		if problem := p.step(); problem != "" {
			return Marble{}, &MarbleError{text, p.pos, problem}
		}
	}
	if p.group >= 0 {
		return Marble{}, &MarbleError{text, p.group, "the group is not closed"}
	}
	return Marble{Marks: p.marks, Length: max(p.now, p.end), text: text}, nil
}

// parser is the state of ParseMarble. Its methods return the problem at pos, or "".
type parser struct {
	text  string
	pos   int
	now   time.Duration
	end   time.Duration // end of the last mark's frame
	marks []Mark
	seen  map[rune]bool // the symbols so far that are no values

	group int // place where the open group begins, or -1
	width int // number of characters in it so far
}

// step parses one character or one time.
func (p *parser) step() string {
	if p.group < 0 && (p.pos == 0 || p.text[p.pos-1] == ' ') {
		word, _, _ := strings.Cut(p.text[p.pos:], " ")
		switch {
		case isTime(word):
			return p.pass(word)
		case strings.HasPrefix(word, "@"):
			return p.jump(word)
		}
	}
	r, size := utf8.DecodeRuneInString(p.text[p.pos:])
	problem := p.symbol(r)
	if problem == "" {
		p.pos += size
	}
	return problem
}

func (p *parser) symbol(r rune) string {
	switch {
	case r == ' ':
		return ""
	case r == '-' && p.group >= 0:
		return "time does not pass inside a group"
	case r == '-':
		return p.advance(Frame)
	case r == '(' && p.group >= 0:
		return "a group inside a group"
	case r == '(':
		p.group, p.width = p.pos, 1
		return ""
	case r == ')':
		return p.closeGroup()
	case r == utf8.RuneError:
		return "not a character"
	case !isValueSymbol(r) && !strings.ContainsRune("|#^!", r):
		return fmt.Sprintf("unexpected %q", r)
	}
	return p.mark(r)
}

func (p *parser) mark(r rune) string {
	m := Mark{p.now, r, p.pos}
	switch {
	case p.seen[symbolUnsubscribe] && r != symbolUnsubscribe:
		return "something after the unsubscription"
	case (p.seen[symbolComplete] || p.seen[symbolError]) && r != symbolUnsubscribe && r != symbolSubscribe:
		return "something after the end"
	case p.seen[r]:
		return fmt.Sprintf("a second %q", r)
	case r == symbolUnsubscribe && p.follows(m.At):
		return "an unsubscription comes before anything else in its frame"
	case m.At+Frame > longest:
		return tooLong
	}
	if !m.isValue() {
		p.seen[r] = true
	}
	p.marks = append(p.marks, m)
	p.end = m.At + Frame
	if p.group < 0 {
		p.now = p.end
	} else {
		p.width++
	}
	return ""
}

// follows reports whether there is a mark at a time, other than the subscription.
func (p *parser) follows(at time.Duration) bool {
	last := len(p.marks) - 1
	return last >= 0 && p.marks[last].At == at && p.marks[last].Symbol != symbolSubscribe
}

// closeGroup lets a group take as many frames as it has characters, so that marbles below
// each other can be read in columns (RxJS).
func (p *parser) closeGroup() string {
	switch {
	case p.group < 0:
		return "no group is open"
	case p.width == 1:
		return "the group is empty"
	}
	p.group = -1
	p.now = endOfGroup(p.now, p.width-1)
	return ""
}

// endOfGroup returns the time at which a group of n marks ends.
func endOfGroup(begin time.Duration, n int) time.Duration {
	return min(begin+time.Duration(n+2)*Frame, longest)
}

// pass lets the time of word pass.
func (p *parser) pass(word string) string {
	d, err := time.ParseDuration(word)
	if err != nil {
		return tooLong
	}
	problem := p.advance(d)
	if problem == "" {
		p.pos += len(word)
	}
	return problem
}

// jump goes on at the time of word.
func (p *parser) jump(word string) string {
	d, err := time.ParseDuration(word[1:])
	switch {
	case !isTime(word[1:]):
		return "expected a time after @, as @10ms"
	case err != nil || d > longest:
		return tooLong
	case len(p.marks) > 0 && d < p.marks[len(p.marks)-1].At:
		return "the time goes back past " + p.marks[len(p.marks)-1].At.String()
	}
	p.now = d
	p.pos += len(word)
	return ""
}

func (p *parser) advance(d time.Duration) string {
	if d > longest-p.now {
		return tooLong
	}
	p.now += d
	return ""
}

const tooLong = "the time is too long"

// isTime reports whether a word has the form of a duration, as "10ms" and "1m30s", even
// if it is too long.
func isTime(word string) bool {
	if word == "" || !isDigit(word[0]) || isDigit(word[len(word)-1]) {
		return false
	}
	form := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return '0'
		}
		return r
	}, word)
	_, err := time.ParseDuration(form)
	return err == nil
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// find returns the first mark with a symbol.
func (m Marble) find(symbol rune) (Mark, bool) {
	i := slices.IndexFunc(m.Marks, func(mark Mark) bool { return mark.Symbol == symbol })
	if i < 0 {
		return Mark{}, false
	}
	return m.Marks[i], true
}

// refuse returns an error if there is a mark with one of the symbols, which have no
// meaning in a marble of that kind.
func (m Marble) refuse(symbols, of string) error {
	for _, symbol := range symbols {
		if mark, ok := m.find(symbol); ok {
			return m.fault(mark, fmt.Sprintf("%q in the marble of %s", symbol, of))
		}
	}
	return nil
}

// fault returns the error for a mark.
func (m Marble) fault(mark Mark, problem string) error {
	return &MarbleError{m.text, mark.Offset, problem}
}
