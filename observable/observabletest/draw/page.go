package main

import (
	"fmt"
	"strings"

	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
)

// The marks of the parts of README.md that this program writes, each between two
// comments.
const (
	treeBegins     = "<!-- tree: written by go generate -->\n"
	picturesBegins = "<!-- pictures: written by go generate -->\n"
	ends           = "<!-- end -->"
	reference      = "https://pkg.go.dev/github.com/rxsocket/rxsocket/"
)

// fillIn writes the tree and the pictures into the page.
func fillIn(page string, operators map[string]diagram.Operator, families []diagram.Family) (string, error) {
	for _, part := range []struct{ begins, text string }{
		{treeBegins, tree(operators, families)},
		{picturesBegins, sections(operators, families)},
	} {
		before, rest, ok := strings.Cut(page, part.begins)
		if !ok {
			return "", fmt.Errorf("%q is missing", part.begins)
		}
		_, after, ok := strings.Cut(rest, ends)
		if !ok {
			return "", fmt.Errorf("%q is missing behind %q", ends, part.begins)
		}
		page = before + part.begins + "\n" + part.text + "\n" + ends + after
	}
	return page, nil
}

// tree returns the families as a tree of questions.
func tree(operators map[string]diagram.Operator, families []diagram.Family) string {
	var b strings.Builder
	for _, f := range families {
		fmt.Fprintf(&b, "- **%s**\n", f.Title)
		for _, l := range f.Leaves {
			fmt.Fprintf(&b, "  - %s: ", l.Wish)
			for i, name := range l.Operators {
				if i > 0 {
					b.WriteString(", ")
				}
				b.WriteString(link(operators, name))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// link returns the link to an operator's picture, or to its documentation if it has none.
func link(operators map[string]diagram.Operator, name string) string {
	pkg, rest, other := strings.Cut(name, ".")
	if !other {
		pkg, rest = "operators", name
	}
	if _, ok := operators[name]; !ok {
		return fmt.Sprintf("[`%s`](%s%s#%s)", name, reference, pkg, rest)
	}
	return fmt.Sprintf("[`%s`](#%s)", name, strings.ToLower(name))
}

// sections returns a section for each family, with each operator at its first place.
func sections(operators map[string]diagram.Operator, families []diagram.Family) string {
	var b strings.Builder
	done := map[string]bool{}
	for _, f := range families {
		fmt.Fprintf(&b, "## %s\n\n", f.Title)
		for _, l := range f.Leaves {
			for _, name := range l.Operators {
				o, ok := operators[name]
				if !ok || done[name] {
					continue
				}
				done[name] = true
				fmt.Fprintf(&b, "### %s\n\n%s [Reference](%soperators#%s)\n\n![The marbles of %s](marbles/%s.svg)\n\n",
					name, sentence(o), reference, name, name, name)
			}
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// sentence returns the operator's first sentence, safe for Markdown.
func sentence(o diagram.Operator) string {
	return strings.NewReplacer("[", "`", "]", "`", "*", `\*`, "<", "&lt;").Replace(o.Synopsis)
}
