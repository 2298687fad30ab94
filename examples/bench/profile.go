package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// shown is how many functions of a profile are printed.
const shown = 10

// profiler notes the processor time of measurements by function: of all, if there is a
// folder to write the profiles to, and otherwise of those that miss a target, after the
// measurement.
type profiler struct {
	dir    string
	titles []string          // titles of the profiles
	tables map[string]string // costliest functions by title
}

func newProfiler(dir string) (*profiler, error) {
	p := &profiler{dir: dir, tables: map[string]string{}}
	if dir == "" {
		return p, nil
	}
	return p, os.MkdirAll(dir, 0o750)
}

// ofWork has all measurements of a work profiled, if all are to be.
func (p *profiler) ofWork(w work) work {
	if p.dir == "" {
		return w
	}
	w.contenders = slices.Clone(w.contenders)
	for i := range w.contenders {
		w.contenders[i] = p.contender(w, i)
	}
	return w
}

// ofCurve has all measurements of a curve profiled, if all are to be.
func (p *profiler) ofCurve(c curve) curve {
	if p.dir == "" {
		return c
	}
	c.lines = slices.Clone(c.lines)
	for i := range c.lines {
		c.lines[i] = p.line(c, i)
	}
	return c
}

func missed(v verdict) bool { return !v.met && !v.missing }

// missed profiles the contenders that miss a target in a work, and rxsocket beside them.
// They have been measured, and will not fail now.
func (p *profiler) missed(w work, verdicts [][]verdict) {
	if p.dir != "" || !slices.ContainsFunc(slices.Concat(verdicts...), missed) {
		return
	}
	for i, c := range w.contenders {
		if c.measure != nil && (i == 0 || slices.ContainsFunc(verdicts[i], missed)) {
			_, _ = p.contender(w, i).measure()
		}
	}
}

// missedCurve profiles rxsocket, and the last line, which the others stand on, at the
// ends of a curve that does not have its shape.
func (p *profiler) missedCurve(c curve, verdicts []verdict) {
	if p.dir != "" || !slices.ContainsFunc(verdicts, missed) {
		return
	}
	for _, size := range []int{c.sizes[0], c.sizes[len(c.sizes)-1]} {
		_, _ = p.line(c, 0).cost(size)
		_, _ = p.line(c, len(c.lines)-1).cost(size)
	}
}

// contender returns a contender of a work that is profiled when it is measured.
func (p *profiler) contender(w work, i int) contender {
	c := w.contenders[i]
	return contender{c.name, func() (got figure, err error) {
		err = p.run(w.name+": "+c.name, func() error {
			got, err = c.measure()
			return err
		})
		return got, err
	}}
}

// line returns a line of a curve that is profiled when it is measured.
func (p *profiler) line(c curve, i int) line {
	l := c.lines[i]
	return line{l.name, func(size int) (got float64, err error) {
		err = p.run(fmt.Sprintf("%s: %s, %s %s", c.name, l.name, grouped(size), c.of), func() error {
			got, err = l.cost(size)
			return err
		})
		return got, err
	}}
}

// run profiles f. Of several runs under a title the last one is kept.
func (p *profiler) run(title string, f func() error) error {
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		return err
	}
	err := f()
	pprof.StopCPUProfile()
	if err != nil {
		return err
	}
	if p.dir != "" {
		name := regexp.MustCompile(`[^a-zA-Z0-9]+`).ReplaceAllString(title, "-") + ".pprof"
		if err := os.WriteFile(filepath.Join(p.dir, name), raw.Bytes(), 0o600); err != nil {
			return err
		}
	}
	table, err := costliest(&raw)
	if err != nil {
		return err
	}
	if _, again := p.tables[title]; !again {
		p.titles = append(p.titles, title)
	}
	p.tables[title] = table
	return nil
}

// report returns the tables, in Markdown. A contender that works in another process has
// none.
func (p *profiler) report() string {
	var all strings.Builder
	for _, title := range p.titles {
		if table := p.tables[title]; table != "" {
			fmt.Fprintf(&all, "\n%s\n\n%s", title, table)
		}
	}
	if all.Len() == 0 {
		return ""
	}
	return "\n### where the processor time goes\n" + all.String()
}

// costliest returns the functions that took the most time themselves, each with its share
// of it.
func costliest(raw *bytes.Buffer) (string, error) {
	p, err := profile.Parse(raw)
	if err != nil {
		return "", err
	}
	total, of := int64(0), map[string]int64{}
	for _, s := range p.Sample {
		took := s.Value[len(s.Value)-1]
		total += took
		if len(s.Location) > 0 && len(s.Location[0].Line) > 0 {
			of[s.Location[0].Line[0].Function.Name] += took
		}
	}
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(of[b] - of[a]) })
	var table strings.Builder
	for _, name := range names[:min(shown, len(names))] {
		fmt.Fprintf(&table, "    %5.1f %%  %s\n", 100*float64(of[name])/float64(total), name)
	}
	return table.String(), nil
}
