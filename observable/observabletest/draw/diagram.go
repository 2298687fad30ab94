package main

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// diagram is the marble diagram of a doc comment taken apart.
type diagram struct {
	rows []row
	text string // as it stands in the comment
}

// row is one line of a diagram. A column is a frame; the first one is 0.
type row struct {
	label string
	lines []line // as a rule one
	marks []mark
	note  string // what explains the values, behind the marbles
	busy  bool   // the values are what the downstream is busy with, a column each
	axis  bool   // the values are times
}

// line is how long a stream lasts.
type line struct{ from, to int }

// mark is something that happens, in the column in which it does.
type mark struct {
	column  int
	group   int // the column of the group that it stands in, or -1
	text    string
	kind    kind
	columns int // how many it takes
	x       int // where one of a group stands, in pixels
}

// kind says what a mark is.
type kind int

const (
	value kind = iota
	complete
	failure
	subscribed
	unsubscribed
	goesOn
)

// kinds are the marks of one character that are not values.
var kinds = map[string]kind{"|": complete, "#": failure, "^": subscribed, "!": unsubscribed, "...": goesOn}

var (
	// stream is what the marbles of a row look like. Words between spaces are a note.
	stream = regexp.MustCompile(`^[-|#^!(\[{"0-9A-Za-z]`)
	prose  = regexp.MustCompile(`[A-Za-z]{3,} [a-z]{2,}| = `)
	gap    = regexp.MustCompile(`^ {2,}`)
	// A value is a word that stands for one, what is in brackets or quotes, a digit with the
	// letters behind it, a letter with its digit, a multiple of ten, or one character.
	unit = regexp.MustCompile(
		`^(\.\.\.|nil|true|false|"[^"]*"|\[[^\]]*\]|\{[^}]*\}|\([^()]*,[^()|]*\)|[0-9][A-Za-z]+|[A-Za-z][0-9]|[0-9]0|\S)`)
)

// parseDiagram takes the lines of a comment apart. It reports false if there is no diagram in them.
func parseDiagram(lines []string) (diagram, bool) {
	type labelled struct {
		label string
		at    int // where the marbles begin, in the line
		rest  string
	}
	var found []labelled
	begin := -1
	for _, text := range lines {
		label, rest := cutLabel(text)
		at := utf8.RuneCountInString(text) - utf8.RuneCountInString(strings.TrimLeft(rest, " "))
		rest = strings.TrimLeft(rest, " ")
		if !stream.MatchString(rest) || label == "" && len(found) == 0 || strings.HasPrefix(rest, "level=") {
			continue
		}
		found = append(found, labelled{label, at, rest})
		if begin < 0 || at < begin {
			begin = at
		}
	}
	d := diagram{text: strings.Join(lines, "\n")}
	for _, f := range found {
		d.rows = append(d.rows, parseRow(f.label, f.rest, f.at-begin))
	}
	for _, r := range d.rows {
		if len(r.lines) > 0 {
			return d, true
		}
	}
	return diagram{}, false
}

// cutLabel cuts a line behind its label: at the first colon outside of parentheses.
func cutLabel(text string) (label, rest string) {
	depth := 0
	for i, r := range text {
		switch r {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ':':
			if depth == 0 {
				return text[:i], text[i+1:]
			}
		}
	}
	return "", text
}

// parseRow takes the marbles of a line apart, which begin in a column.
func parseRow(label, text string, column int) row {
	r := row{label: label, busy: strings.HasPrefix(label, "downstream is busy"), axis: strings.HasPrefix(label, "clock")}
	if r.axis {
		for i, word := range strings.Fields(text) {
			r.marks = append(r.marks, mark{column: column + 3*i, text: word, group: -1, columns: 1})
		}
		return r
	}
	from := column
	for text != "" {
		if g := gap.FindString(text); g != "" {
			r.lines = append(r.lines, line{from, column})
			text, column = text[len(g):], column+len(g)
			if from = column; prose.MatchString(text) || !strings.ContainsAny(text, "-|") {
				r.note = text
				return r
			}
		}
		n := 1
		switch {
		case text[0] == '-' || text[0] == ' ':
		case text[0] == '(' && !isTuple(text):
			n = r.group(text, column)
		default:
			word := unit.FindString(text)
			if r.busy && text[0] >= '0' && text[0] <= '9' {
				word = text[:1]
			}
			n = len(word)
			r.add(word, column, -1)
		}
		text = text[n:]
		column += n
	}
	r.lines = append(r.lines, line{from, column})
	return r
}

// isTuple reports whether the parentheses are those of a value, as in (ann,7).
func isTuple(text string) bool { return len(unit.FindString(text)) > 1 }

// add adds a mark.
func (r *row) add(word string, column, group int) {
	m := mark{column: column, group: group, text: word, columns: len(word)}
	if k, ok := kinds[word]; ok && !r.busy {
		m.kind = k
	}
	r.marks = append(r.marks, m)
}

// group adds the marks of a group, and returns how many characters it takes.
func (r *row) group(text string, column int) int {
	end, depth := 0, 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			end = i
			break
		}
	}
	inside := text[1:end]
	spaced := strings.Contains(inside, " ")
	for at := 0; at < len(inside); {
		if inside[at] == ' ' {
			at++
			continue
		}
		word := unit.FindString(inside[at:])
		if word[0] >= '0' && word[0] <= '9' && !spaced {
			word = inside[at : at+1] // (89) are two values, (1 10) too
			if at+1 < len(inside) && isLetter(inside[at+1]) {
				word = inside[at : at+2]
			}
		} else if spaced && kinds[word] == value && word[0] != '[' && word[0] != '{' {
			word, _, _ = strings.Cut(inside[at:], " ")
			word = strings.TrimRight(word, "|#")
		}
		r.add(word, column+1+at, column)
		at += len(word)
	}
	return end + 1
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
