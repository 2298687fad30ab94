package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// second returns the name of the figure beside the value.
func (w work) second() string {
	if w.beside == "" {
		return "allocs"
	}
	return w.beside
}

// table is the outcome of a work, in Markdown.
func (w work) table(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", w.name)
	fmt.Fprintf(&b, "| contender | %s, median | least to most | %s | ratio to rxsocket, median | least to most | target |\n|---|---|---|---|---|---|---|\n", w.unit, w.second())
	verdicts := w.verdicts(rows)
	for i, r := range rows {
		if r.err != nil {
			fmt.Fprintf(&b, "| %s | %s | | | | | %s |\n", r.name, cell(r.err), notes(verdicts[i]))
			continue
		}
		second := "?"
		if len(r.besides) > 0 {
			second = number(r.besides.median())
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.name, number(r.values.median()), r.values.extent(),
			second, number(r.ratios.median()), r.ratios.extent(), notes(verdicts[i]))
	}
	return b.String()
}

// notes returns the last column of a table.
func notes(verdicts []verdict) string {
	words := make([]string, len(verdicts))
	for i, v := range verdicts {
		words[i] = v.want + ": " + v.String()
	}
	return strings.Join(words, "; ")
}

// cell returns the reason why there are no figures, in one line.
func cell(err error) string {
	text := strings.NewReplacer("\n", " ", "|", "/").Replace(err.Error())
	if errors.Is(err, errSkip) {
		return text
	}
	return "failed: " + text
}

// summary returns all targets and their outcomes, in Markdown.
func summary(verdicts []verdict) string {
	if len(verdicts) == 0 {
		return ""
	}
	met, missing := 0, 0
	var b strings.Builder
	for _, v := range verdicts {
		if v.missing {
			missing++
		} else if v.met {
			met++
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", v.work, v.contender, v.want, v.got, v)
	}
	return fmt.Sprintf("### targets\n\n%d of %d are met, %d were not measured.\n\n"+
		"| work | contender | target | measured | |\n|---|---|---|---|---|\n%s", met, len(verdicts), missing, b.String())
}

// The section of README.md with the output of the command is between these lines.
const (
	sectionBegins = "<!-- begin: go run . -readme -->"
	sectionEnds   = "<!-- end: go run . -readme -->"
)

// replaceSection puts the report between the two marks of a file.
func replaceSection(path, report string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), sectionBegins)
	_, after, ends := strings.Cut(rest, sectionEnds)
	if !begins || !ends {
		return fmt.Errorf("%s lacks the lines %q and %q", path, sectionBegins, sectionEnds)
	}
	return os.WriteFile(path, []byte(before+sectionBegins+"\n\n"+report+"\n\n"+sectionEnds+after), 0o644)
}
