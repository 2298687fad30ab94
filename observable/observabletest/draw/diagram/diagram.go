// Package diagram reads the marble diagrams in the doc comments of a package of
// operators, as rows of marks in columns. Package main in the folder above draws pictures
// of them, and the tests of package operators run them.
package diagram

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Diagram is the marble diagram of a doc comment taken apart.
type Diagram struct {
	Rows []Row
	Text string // as it stands in the comment
}

// Row is one line of a diagram. A column is a frame; the first one is 0.
type Row struct {
	Label string
	Lines []Line // usually one
	Marks []Mark
	Note  string // explanation of the values, behind the marbles
	Busy  bool   // the downstream is busy with the values, a column each
	Axis  bool   // the values are times
}

// Line is the life of a stream: from a column to before another one.
type Line struct{ From, To int }

// Mark is an event in the column of its time.
type Mark struct {
	Column  int
	Group   int // the column of the mark's group, or -1
	Text    string
	Kind    Kind
	Columns int // number of columns it takes
}

// Time returns the column in which the mark happens: for a mark in a group, the group's.
func (m Mark) Time() int {
	if m.Group >= 0 {
		return m.Group
	}
	return m.Column
}

// Kind is the kind of a mark.
type Kind int

// The kinds of marks.
const (
	Value        Kind = iota
	Complete          // |
	Failure           // #
	Subscribed        // ^
	Unsubscribed      // !
	GoesOn            // ... behind the marks
)

// kinds are the marks that are not values.
var kinds = map[string]Kind{"|": Complete, "#": Failure, "^": Subscribed, "!": Unsubscribed, "...": GoesOn}

var (
	// stream matches the marbles of a row. Words between spaces are a note.
	stream = regexp.MustCompile(`^[-|#^!(\[{"0-9A-Za-z]`)
	prose  = regexp.MustCompile(`[A-Za-z]{3,} [a-z]{2,}| = `)
	gap    = regexp.MustCompile(`^ {2,}`)
	// A value is a word that stands for one, a text in brackets or quotes, a digit with
	// the letters behind it, a letter with its digit, a multiple of ten, or one
	// character.
	unit = regexp.MustCompile(
		`^(\.\.\.|nil|true|false|"[^"]*"|\[[^\]]*\]|\{[^}]*\}|\([^()]*,[^()|]*\)|[0-9][A-Za-z]+|[A-Za-z][0-9]|[0-9]0|\S)`)
)

// Parse takes the lines of a comment apart. It reports false if they have no diagram.
func Parse(lines []string) (Diagram, bool) {
	type labelled struct {
		label string
		at    int // column of the line where the marbles begin
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
	d := Diagram{Text: strings.Join(lines, "\n")}
	for _, f := range found {
		d.Rows = append(d.Rows, parseRow(f.label, f.rest, f.at-begin))
	}
	for _, r := range d.Rows {
		if len(r.Lines) > 0 {
			return d, true
		}
	}
	return Diagram{}, false
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

// parseRow takes the marbles of a line apart, from a column on.
func parseRow(label, text string, column int) Row {
	r := Row{Label: label, Busy: strings.HasPrefix(label, "downstream is busy"), Axis: strings.HasPrefix(label, "clock")}
	if r.Axis {
		for i, word := range strings.Fields(text) {
			r.Marks = append(r.Marks, Mark{Column: column + 3*i, Text: word, Group: -1, Columns: 1})
		}
		return r
	}
	from := column
	for text != "" {
		if g := gap.FindString(text); g != "" {
			r.Lines = append(r.Lines, Line{from, column})
			text, column = text[len(g):], column+len(g)
			if from = column; prose.MatchString(text) || !strings.ContainsAny(text, "-|") {
				r.Note = text
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
			if r.Busy && text[0] >= '0' && text[0] <= '9' {
				word = text[:1]
			}
			n = len(word)
			r.add(word, column, -1)
		}
		text = text[n:]
		column += n
	}
	r.Lines = append(r.Lines, Line{from, column})
	return r
}

// isTuple reports whether the parentheses are those of a value, as in (ann,7).
func isTuple(text string) bool { return len(unit.FindString(text)) > 1 }

// add adds a mark.
func (r *Row) add(word string, column, group int) {
	m := Mark{Column: column, Group: group, Text: word, Columns: len(word)}
	if k, ok := kinds[word]; ok && !r.Busy {
		m.Kind = k
	}
	r.Marks = append(r.Marks, m)
}

// group adds the marks of a group, and returns the number of its characters.
func (r *Row) group(text string, column int) int {
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
		} else if spaced && kinds[word] == Value && word[0] != '[' && word[0] != '{' {
			word, _, _ = strings.Cut(inside[at:], " ")
			word = strings.TrimRight(word, "|#")
		}
		r.add(word, column+1+at, column)
		at += len(word)
	}
	return end + 1
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
