package observabletest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// at returns a mark without its offset.
func at(symbol rune, d time.Duration) observabletest.Mark {
	return observabletest.Mark{At: d, Symbol: symbol}
}

// marks returns the marks without their offsets.
func marks(m observabletest.Marble) []observabletest.Mark {
	out := slices.Clone(m.Marks)
	for i := range out {
		out[i].Offset = 0
	}
	return out
}

func TestParseMarble(t *testing.T) {
	type M = []observabletest.Mark
	for _, test := range []struct {
		text   string
		want   M
		length time.Duration
	}{
		{"", nil, 0},
		{"---", nil, 3 * ms},
		{"-a-b|", M{at('a', ms), at('b', 3*ms), at('|', 4*ms)}, 5 * ms},
		{"aa#", M{at('a', 0), at('a', ms), at('#', 2*ms)}, 3 * ms},
		{"-(ab|)", M{at('a', ms), at('b', ms), at('|', ms)}, 6 * ms},
		{"(ab)c", M{at('a', 0), at('b', 0), at('c', 4*ms)}, 5 * ms},
		{"( a b )-c", M{at('a', 0), at('b', 0), at('c', 5*ms)}, 6 * ms},
		{"--^--!", M{at('^', 2*ms), at('!', 5*ms)}, 6 * ms},
		{"(^!)", M{at('^', 0), at('!', 0)}, 4 * ms},
		{"-|-!", M{at('|', ms), at('!', 3*ms)}, 4 * ms},
		{" a  - b ", M{at('a', 0), at('b', 2*ms)}, 3 * ms},
		{"a 9ms b", M{at('a', 0), at('b', 10*ms)}, 11 * ms},
		{"10ms a", M{at('a', 10*ms)}, 11 * ms},
		{"a 1s", M{at('a', 0)}, 1001 * ms},
		{"a 1.5s 1m b", M{at('a', 0), at('b', 61501*ms)}, 61502 * ms},
		{"1h1m0.5s a", M{at('a', 3660500*ms)}, 3660501 * ms},
		{"250µs a 250us b", M{at('a', 250*time.Microsecond), at('b', 1500*time.Microsecond)}, 2500 * time.Microsecond},
		{"-5s-", M{at('5', ms), at('s', 2*ms)}, 4 * ms},
		{"5 s", M{at('5', 0), at('s', ms)}, 2 * ms},
		{"(5s )", M{at('5', 0), at('s', 0)}, 4 * ms},
		{"( 5s )", M{at('5', 0), at('s', 0)}, 4 * ms},
		{"12 0 5x", M{at('1', 0), at('2', ms), at('0', 2*ms), at('5', 3*ms), at('x', 4*ms)}, 5 * ms},
		{"(ab) @1ms c", M{at('a', 0), at('b', 0), at('c', ms)}, 2 * ms},
		{"a @500us b", M{at('a', 0), at('b', 500*time.Microsecond)}, 1500 * time.Microsecond},
		{"é-ß|", M{at('é', 0), at('ß', 2*ms), at('|', 3*ms)}, 4 * ms},
	} {
		t.Run(test.text, func(t *testing.T) {
			m, err := observabletest.ParseMarble(test.text)
			require.NoError(t, err)
			assert.Equal(t, test.want, marks(m))
			assert.Equal(t, test.length, m.Length)
			for _, mark := range m.Marks {
				assert.True(t, strings.HasPrefix(test.text[mark.Offset:], string(mark.Symbol)))
			}
		})
	}
}

func TestParseMarbleErrors(t *testing.T) {
	for _, test := range []struct {
		text    string
		offset  int
		problem string
	}{
		{"--(ab", 2, "the group is not closed"},
		{"-a)", 2, "no group is open"},
		{"-()", 2, "the group is empty"},
		{"(a(b", 2, "a group inside a group"},
		{"(a-b)", 2, "time does not pass inside a group"},
		{"-a,b", 2, `unexpected ','`},
		{"é@", 2, `unexpected '@'`},
		{"a\xff", 1, "not a character"},
		{"a|b", 2, "something after the end"},
		{"a#|", 2, "something after the end"},
		{"(|a)", 2, "something after the end"},
		{"a!b", 2, "something after the unsubscription"},
		{"a!|", 2, "something after the unsubscription"},
		{"!!", 1, `a second '!'`},
		{"^-^", 2, `a second '^'`},
		{"(a!)", 2, "an unsubscription comes before anything else in its frame"},
		{"a @10 b", 2, "expected a time after @, as @10ms"},
		{"a @ b", 2, "expected a time after @, as @10ms"},
		{"--a @1ms b", 4, "the time goes back past 2ms"},
		{"a 9999999h", 2, "the time is too long"},
		{"a 9999999999h", 2, "the time is too long"},
		{"a @9999999h", 2, "the time is too long"},
		{"@876000h a", 9, "the time is too long"},
		{"876000h -", 8, "the time is too long"},
	} {
		t.Run(test.text, func(t *testing.T) {
			_, err := observabletest.ParseMarble(test.text)
			var problem *observabletest.MarbleError
			require.ErrorAs(t, err, &problem)
			assert.Equal(t, &observabletest.MarbleError{Marble: test.text, Offset: test.offset, Problem: test.problem}, problem)
			assert.Contains(t, err.Error(), test.problem)
		})
	}
}

func TestMarbleString(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		" -a - b|":                         "-a-b|",
		"-(a)":                             "-a--",
		"(ab|)":                            "(ab|)",
		"(ab)c":                            "(ab)c",
		"a @0s b @0s c":                    "(abc) @1ms",
		"(ab) @1ms c":                      "(ab) @1ms c",
		"a 20ms b":                         "a--------------------b",
		"a 21ms b":                         "a 21ms b",
		"a 1m b 1.5ms":                     "a 1m0s b 1.5ms",
		"30ms 5 s 30ms 1 5 ms":             "30ms 5 s 30ms 1 5 m s",
		"a @500us b":                       "a @500µs b",
		"----------" + "-----------------": "27ms",
	} {
		m, err := observabletest.ParseMarble(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, m.String(), text)
	}
}

// FuzzParseMarble checks that a string is either refused with a position inside it or
// understood. An understood string is then written in a form with the same meaning.
func FuzzParseMarble(f *testing.F) {
	for _, text := range []string{
		"", "-a-b|", "--(ab#)", "--^--!", "a 9ms b 1.5s |", "(ab) @1ms c", "30ms 5 s 30ms", "(a", "a|b", "@876000h a", "é\xff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := observabletest.ParseMarble(text)
		if err != nil {
			var problem *observabletest.MarbleError
			require.ErrorAs(t, err, &problem)
			assert.Equal(t, text, problem.Marble)
			assert.GreaterOrEqual(t, problem.Offset, 0)
			assert.Less(t, problem.Offset, len(text))
			return
		}
		assert.True(t, slices.IsSortedFunc(m.Marks, func(a, b observabletest.Mark) int { return int(a.At - b.At) }))
		again, err := observabletest.ParseMarble(m.String())
		require.NoError(t, err, m.String())
		assert.Equal(t, marks(m), marks(again), m.String())
		assert.Equal(t, m.Length, again.Length, m.String())
		assert.Equal(t, m.String(), again.String())
	})
}
