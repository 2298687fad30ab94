package event

import "strings"

// maxTokens is the greatest number of parts of a topic.
const maxTokens = 16

// The wildcards of a pattern.
const (
	anyToken = "*" // stands for one part of a topic
	anyRest  = ">" // stands for one part or more, at the end
)

// topicProblem returns the problem with a topic, or with a pattern of topics, or "".
func topicProblem(topic string, pattern bool) string {
	if len(topic) > MaxName {
		return "is too long"
	}
	tokens := strings.Split(topic, ".")
	if len(tokens) > maxTokens {
		return "has too many parts"
	}
	for i, token := range tokens {
		switch {
		case token == "":
			return "has an empty part"
		case !strings.ContainsAny(token, "*> \t\r\n"):
		case !pattern:
			return "has a wildcard or white space"
		case token == anyToken || token == anyRest && i == len(tokens)-1:
		default:
			return "has a wildcard where none may be, or white space"
		}
	}
	return ""
}

// Matches reports whether a topic is one of a pattern: "orders.*" has "orders.new",
// "orders.>" has "orders.new.today" too, and a pattern without a wildcard has itself.
func Matches(pattern, topic string) bool {
	for {
		want, wants, more := strings.Cut(pattern, ".")
		if want == anyRest && !more {
			return topic != ""
		}
		token, rest, moreTopic := strings.Cut(topic, ".")
		if want != token && want != anyToken || more != moreTopic {
			return false
		}
		if !more {
			return token != ""
		}
		pattern, topic = wants, rest
	}
}

// patterns finds the patterns that have a topic, in a time that does not depend on how
// many there are. The zero value is empty.
type patterns struct {
	next map[string]*patterns
	here string // pattern that ends here, or ""
}

// add adds a pattern.
func (p *patterns) add(pattern string) {
	node := p
	for token := range strings.SplitSeq(pattern, ".") {
		if node.next == nil {
			node.next = make(map[string]*patterns)
		}
		child := node.next[token]
		if child == nil {
			child = new(patterns)
			node.next[token] = child
		}
		node = child
	}
	node.here = pattern
}

// remove removes a pattern.
func (p *patterns) remove(pattern string) { p.cut(pattern) }

// cut removes the pattern whose rest is below p.
func (p *patterns) cut(rest string) {
	token, below, more := strings.Cut(rest, ".")
	child := p.next[token]
	switch {
	case child == nil:
		return
	case more:
		child.cut(below)
	default:
		child.here = ""
	}
	if child.here == "" && len(child.next) == 0 {
		delete(p.next, token)
	}
}

// find appends the patterns that have a topic to found.
func (p *patterns) find(topic string, found []string) []string {
	if rest := p.next[anyRest]; rest != nil {
		found = append(found, rest.here)
	}
	token, below, more := strings.Cut(topic, ".")
	for _, name := range [...]string{token, anyToken} {
		child := p.next[name]
		switch {
		case child == nil:
		case more:
			found = child.find(below, found)
		case child.here != "":
			found = append(found, child.here)
		}
	}
	return found
}
