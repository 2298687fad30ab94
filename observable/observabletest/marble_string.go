package observabletest

import (
	"iter"
	"strings"
	"time"
)

// longestDashes is the greatest number of frames written as dashes; a longer time is
// written as a time.
const longestDashes = 20

// String returns a marble string with the same marks at the same times and of the same
// length. Parsing it gives m again, but for the offsets.
func (m Marble) String() string {
	var w marbleWriter
	w.write(m.Marks)
	w.goTo(m.Length)
	return w.String()
}

// marbleWriter writes a marble string. It holds back a word between two spaces until the
// word is complete, because it must not look like a time.
type marbleWriter struct {
	words []string
	word  []rune
	now   time.Duration
}

// write writes marks that are in the order of time.
func (w *marbleWriter) write(marks []Mark) {
	for burst := range bursts(marks, func(m Mark) time.Duration { return m.At }) {
		w.goTo(burst[0].At)
		w.burst(burst)
	}
}

// bursts returns the runs of elements that are at the same time.
func bursts[E any](all []E, at func(E) time.Duration) iter.Seq[[]E] {
	return func(yield func([]E) bool) {
		for len(all) > 0 {
			n := 1
			for n < len(all) && at(all[n]) == at(all[0]) {
				n++
			}
			if !yield(all[:n:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// goTo lets time pass until at.
func (w *marbleWriter) goTo(at time.Duration) {
	gap := at - w.now
	switch {
	case gap < 0:
		w.time("@" + at.String())
	case gap%Frame == 0 && gap <= longestDashes*Frame:
		for range gap / Frame {
			w.word = append(w.word, '-')
		}
	default:
		w.time(gap.String())
	}
	w.now = at
}

// burst writes the marks of one instant.
func (w *marbleWriter) burst(marks []Mark) {
	if len(marks) == 1 {
		w.word = append(w.word, marks[0].Symbol)
		w.now += Frame
		return
	}
	w.word = append(w.word, '(')
	for _, m := range marks {
		w.word = append(w.word, m.Symbol)
	}
	w.word = append(w.word, ')')
	w.now = endOfGroup(w.now, len(marks))
}

// time writes a time between two spaces.
func (w *marbleWriter) time(text string) {
	w.endWord()
	w.words = append(w.words, text)
}

func (w *marbleWriter) endWord() {
	if len(w.word) == 0 {
		return
	}
	word := string(w.word)
	if isTime(word) { // values and not a time: one letter is no time
		word = strings.Join(strings.Split(word, ""), " ")
	}
	w.words = append(w.words, word)
	w.word = w.word[:0]
}

func (w *marbleWriter) String() string {
	w.endWord()
	return strings.Join(w.words, " ")
}
