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

// profiler notes where the processor time of a measurement goes to.
type profiler struct {
	dir    string            // where the profiles are written to
	titles []string          // of what was measured
	tables map[string]string // by title: the functions that took the most
}

// ofWork has the measurements of a work profiled.
func (p *profiler) ofWork(w work) work {
	w.contenders = slices.Clone(w.contenders)
	for i, c := range w.contenders {
		w.contenders[i].measure = func() (got figure, err error) {
			err = p.run(w.name+": "+c.name, func() error {
				got, err = c.measure()
				return err
			})
			return got, err
		}
	}
	return w
}

// ofCurve has the measurements of a curve profiled.
func (p *profiler) ofCurve(c curve) curve {
	c.lines = slices.Clone(c.lines)
	for i, l := range c.lines {
		c.lines[i].cost = func(size int) (got float64, err error) {
			err = p.run(fmt.Sprintf("%s: %s, %d %s", c.name, l.name, size, c.of), func() error {
				got, err = l.cost(size)
				return err
			})
			return got, err
		}
	}
	return c
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
	name := regexp.MustCompile(`[^a-zA-Z0-9]+`).ReplaceAllString(title, "-") + ".pprof"
	if err := os.WriteFile(filepath.Join(p.dir, name), raw.Bytes(), 0o600); err != nil {
		return err
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

// report prints the tables.
func (p *profiler) report() string {
	var all strings.Builder
	for _, title := range p.titles {
		fmt.Fprintf(&all, "\n%s\n%s", title, p.tables[title])
	}
	return all.String()
}

// costliest returns the functions that took the most time themselves, each with its share of it.
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
		fmt.Fprintf(&table, "%5.1f %%  %s\n", 100*float64(of[name])/float64(total), name)
	}
	return table.String(), nil
}
