package event

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, topic string
		matches        bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a.b", "a.b", true}, {"a.b", "a", false}, {"a", "a.b", false},
		{"*", "a", true}, {"*", "a.b", false}, {"a.*", "a.b", true}, {"a.*", "a", false}, {"a.*", "a.b.c", false},
		{"*.b", "a.b", true}, {"a.*.c", "a.b.c", true}, {"a.*.c", "a.b.d", false},
		{">", "a", true}, {">", "a.b.c", true}, {"a.>", "a", false}, {"a.>", "a.b", true}, {"a.>", "a.b.c", true},
		{"*.>", "a.b", true}, {"*.>", "a", false}, {"b.>", "a.b", false}, {">", "", false}, {"*", "", false},
	} {
		assert.Equal(t, c.matches, Matches(c.pattern, c.topic), "%q %q", c.pattern, c.topic)
	}
}

func TestTopicProblem(t *testing.T) {
	for topic, ok := range map[string]struct{ topic, pattern bool }{
		"a": {true, true}, "a.b-c.d_1": {true, true}, "é.b": {true, true},
		"": {}, ".": {}, "a.": {}, ".a": {}, "a..b": {}, "a b": {}, "a.\tb": {},
		"*": {false, true}, "a.*": {false, true}, "a.>": {false, true}, ">": {false, true}, "*.a.>": {false, true},
		"a*": {}, "*a": {}, ">.a": {}, "a>": {}, "a.>.b": {}, "**": {},
		strings.Repeat("a.", 15) + "a": {true, true}, strings.Repeat("a.", 16) + "a": {}, strings.Repeat("a", MaxName+1): {},
	} {
		assert.Equal(t, ok.topic, topicProblem(topic, false) == "", "topic %q", topic)
		assert.Equal(t, ok.pattern, topicProblem(topic, true) == "", "pattern %q", topic)
	}
}

// After any additions and removals, the tree finds the same as a search through all
// patterns.
func TestPatterns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(names []string, last ...string) string {
		tokens := make([]string, 1+random.IntN(4))
		for i := range tokens {
			tokens[i] = names[random.IntN(len(names))]
		}
		if len(last) > 0 && random.IntN(3) == 0 {
			tokens[len(tokens)-1] = last[0]
		}
		return strings.Join(tokens, ".")
	}
	var tree patterns
	there := make(map[string]bool)
	for range 20_000 {
		pattern := pick([]string{"a", "b", "*"}, ">")
		if random.IntN(2) == 0 {
			tree.add(pattern)
			there[pattern] = true
		} else {
			tree.remove(pattern)
			delete(there, pattern)
		}
		topic := pick([]string{"a", "b", "c"})
		want := []string{}
		for p := range there {
			if Matches(p, topic) {
				want = append(want, p)
			}
		}
		found := tree.find(topic, []string{})
		slices.Sort(want)
		slices.Sort(found)
		if !assert.Equal(t, want, found, topic) {
			return
		}
	}
	for p := range there {
		tree.remove(p)
	}
	assert.Empty(t, tree.next, "nothing is left")
}
