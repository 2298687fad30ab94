package diagram

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		text string
		want string // columns and values, | and # among them
	}{
		{"Map(x => 10x): --10-20-30-|", "2:10 5:20 8:30 11:|"},
		{"Take(2): --1--(2|)", "2:1 6:2 7:|"},
		{"StartWith(8, 9): (89)--1--|", "1:8 2:9 6:1 9:|"},
		{"Pairwise(): -----(1,2)-(2,3)-|", "5:(1,2) 11:(2,3) 17:|"},
		{"SwitchMap: --1a--1b2a--|", "2:1a 6:1b 8:2a 12:|"},
		{"RateLimit(1, 3ms): -12-3#", "1:1 2:2 4:3 5:#"},
		{"Find(even): -----({2 true}|)", "6:{2 true} 14:|"},
		{"Connect: --(1 10)--|", "3:1 5:10 10:|"},
		{"Every: --(true|)", "3:true 7:|"},
		{"RetryWith(Delay: 3ms):  -1-----1- ...", "1:1 7:1 10:..."},
		{"CombineLatest(a, b): --A--|  A = [1 8]", "2:A 5:|"},
		{"DefaultIfEmpty(9): --(9|)   --1--|", "3:9 4:| 11:1 14:|"},
		{"subscriber B, later than 9ms: ^-3|", "0:^ 2:3 3:|"},
	} {
		d, ok := Parse([]string{test.text})
		require.True(t, ok, test.text)
		require.Len(t, d.Rows, 1)
		got := []string{}
		for _, m := range d.Rows[0].Marks {
			got = append(got, fmt.Sprintf("%d:%s", m.Column, m.Text))
		}
		assert.Equal(t, test.want, strings.Join(got, " "), test.text)
	}
	_, ok := Parse([]string{"orders := operators.OfType[Order](events)"})
	assert.False(t, ok)
	d, ok := Parse([]string{"src:    --1|", "inner:     ---x", "group x:   2|"})
	require.True(t, ok)
	for i, from := range []int{0, 3, 3} {
		assert.Equal(t, from, d.Rows[i].Lines[0].From, "a row begins where it stands")
	}
}

func TestReadFamilies(t *testing.T) {
	const comment = "# Choosing\n\nI want one:\n\n  - the first: [First],\n    [FirstWhere]\n  - the last: [Last]\n\n" +
		"I want all:\n\n  - by hand: [observable.Connectable]\n\n# RxJS\n\n  - no wish: [Map]\n"
	assert.Equal(t, []Family{
		{"I want one", []Leaf{{"the first", []string{"First", "FirstWhere"}}, {"the last", []string{"Last"}}}},
		{"I want all", []Leaf{{"by hand", []string{"observable.Connectable"}}}},
	}, readFamilies(comment))
}
