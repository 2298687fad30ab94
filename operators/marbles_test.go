package operators_test

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
	"github.com/rxsocket/rxsocket/operators"
)

// call calls the operator of a diagram with the observables of its rows. It returns all
// results of the operator.
type call func(p *play) []output

// alone makes a call of a function with one result.
func alone(f func(p *play) output) call {
	return func(p *play) []output { return []output{f(p)} }
}

// notRun are the diagrams that are not run, with the reason.
var notRun = map[string]string{
	"RetryBackoff": "its delays are random",
}

// marbles returns the calls of all diagrams, by operator, or by label if a diagram has
// rows of several calls.
func marbles() map[string]call {
	all := map[string]call{}
	for _, family := range []map[string]func(p *play) output{
		marblesOfValues(), marblesOfTime(), marblesOfInners(), marblesOfSeveral(), marblesOfGroups(), marblesOfLives(),
	} {
		for name, f := range family {
			all[name] = alone(f)
		}
	}
	all["Partition"] = func(p *play) []output {
		even, odd := operators.Partition(p.ints("src"), isEven)
		return []output{of(even), of(odd)}
	}
	return all
}

// TestMarbles runs the marble diagram of each operator's comment: the rows of the inputs
// are the operator's inputs, and its notifications must be those of the other rows, in
// the same columns.
func TestMarbles(t *testing.T) {
	drawn, _, err := diagram.ReadPackage(".")
	require.NoError(t, err)
	calls := marbles()
	run, used := 0, map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(drawn)) {
		if notRun[name] != "" {
			continue
		}
		run++
		t.Run(name, func(t *testing.T) {
			for _, r := range results(name, drawn[name].Diagram) {
				key := name
				if calls[r.label] != nil {
					key = r.label
				}
				used[key] = true
				if assert.NotNil(t, calls[key], "nothing runs the diagram of %s: add a call to the table of its family", name) {
					perform(t, r, calls[key])
				}
			}
		})
	}
	for key := range calls {
		assert.True(t, used[key], "there is no diagram of %s", key)
	}
	for name, reason := range notRun {
		assert.Contains(t, drawn, name)
		t.Logf("%s is not run: %s", name, reason)
	}
	t.Logf("%d marbles run, %d with a reason", run, len(notRun))
}

// scene is the part of a diagram that one call is compared with: a row of the operator,
// or a stretch of it, with the inputs.
type scene struct {
	label  string
	inputs []diagram.Row
	direct []diagram.Row // of the results of the call, and of its further subscribers
	inner  []diagram.Row // of the observables that it emits, in their order
	text   string
}

// innerRow matches the rows that show the observables that an operator emits.
var innerRow = regexp.MustCompile(`^(window|group) `)

// results returns the scenes of an operator.
func results(name string, d diagram.Diagram) (all []scene) {
	own := regexp.MustCompile(`^` + name + `\b`)
	var inputs, direct, nested []diagram.Row
	for _, r := range d.Rows {
		switch {
		case own.MatchString(r.Label) && len(direct) > 0 && r.Label != direct[0].Label:
			// The row is of another call.
			all = append(all, scene{direct[0].Label, inputs, direct, nil, d.Text})
			direct = []diagram.Row{r}
		case own.MatchString(r.Label), r.Label == "", strings.HasPrefix(r.Label, "subscriber "):
			direct = append(direct, r)
		case innerRow.MatchString(r.Label):
			nested = append(nested, r)
		default:
			inputs = append(inputs, r)
		}
	}
	label := name
	if len(direct) > 0 {
		label = direct[0].Label
	}
	all = append(all, scene{label, inputs, direct, nested, d.Text})
	var stretches []scene
	for _, s := range all {
		n := 1
		for _, r := range s.direct {
			n = max(n, len(r.Lines))
		}
		for i := range n {
			stretches = append(stretches, scene{s.label, stretch(s.inputs, i), stretch(s.direct, i), stretch(s.inner, i), s.text})
		}
	}
	return stretches
}

// stretch returns the nth line of each row, from a column 0 of its own.
func stretch(rows []diagram.Row, n int) (all []diagram.Row) {
	for _, r := range rows {
		if r.Axis {
			all = append(all, r)
		}
		if len(r.Lines) <= n {
			continue
		}
		line := r.Lines[n]
		shift := 0
		if n > 0 {
			shift = line.From
		}
		var marks []diagram.Mark
		for _, m := range r.Marks {
			if m.Column < line.From || m.Column >= line.To {
				continue
			}
			m.Column -= shift
			if m.Group >= 0 {
				m.Group -= shift
			}
			marks = append(marks, m)
		}
		r.Marks, r.Lines = marks, []diagram.Line{{From: line.From - shift, To: line.To - shift}}
		all = append(all, r)
	}
	return all
}

// perform makes a call and compares the results with the rows of the scene.
func perform(t *testing.T, s scene, f call) {
	t.Helper()
	observabletest.Run(t, func(t *observabletest.T) {
		p := &play{
			t: t, label: s.label, frame: time.Millisecond, rows: s.inputs, begun: time.Now(),
			uses: map[string][]int{}, releases: map[string][]int{},
		}
		p.setClock()
		outputs := f(p)
		tapes := make([]*tape, len(s.direct))
		var inners []*tape
		open := func(o output) string {
			name := "more"
			if i := len(inners); i < len(s.inner) {
				_, name, _ = strings.Cut(s.inner[i].Label, " ")
			}
			inners = append(inners, o.record(p, nil))
			return name
		}
		end := 0
		if len(s.direct) == 0 { // only its inner observables are shown
			tape := outputs[0].record(p, open)
			defer tape.leave()
		}
		var steps []action
		for i, r := range s.direct {
			o := outputs[0]
			if i < len(outputs) {
				o = outputs[i]
			}
			from := max(mark(r, diagram.Subscribed), r.Lines[0].From)
			steps = append(steps, action{from, false, func() { tapes[i] = o.record(p, open) }})
			if until := lasts(r); until >= 0 {
				steps = append(steps, action{until, true, func() { tapes[i].leave() }})
			}
			end = max(end, r.Lines[0].To)
		}
		for _, r := range slices.Concat(s.inner, s.inputs) {
			if !r.Busy && !r.Axis {
				end = max(end, r.Lines[0].To)
			}
		}
		p.takeSteps(steps)
		p.sleepUntil(end+10, false) // nothing more happens
		synctest.Wait()
		for i, r := range s.direct {
			p.compare(r, tapes[i])
		}
		for i, r := range s.inner {
			if assert.Less(t, i, len(inners), "%s is never emitted", r.Label) {
				p.compare(r, inners[i])
				inners[i].leave()
			}
		}
		assert.LessOrEqual(t, len(inners), len(s.inner), "it emits more observables")
		p.compareInputs(s)
	})
}

// setClock waits until the clock shows the first time of the diagram's axis, and sets the
// width of a column.
func (p *play) setClock() {
	for _, r := range p.rows {
		if r.Axis {
			p.frame = time.Millisecond / time.Duration(r.Marks[1].Column-r.Marks[0].Column)
			begin, err := strconv.Atoi(r.Marks[0].Text)
			require.NoError(p.t, err)
			time.Sleep(time.Duration(begin) * time.Millisecond)
			p.begun = time.Now()
			p.use(r.Label)
		}
		if r.Busy {
			p.use(r.Label)
		}
	}
}

// action is an action of the test in a column, before the marbles in it or after them.
type action struct {
	column int
	before bool
	do     func()
}

// takeSteps does each step in its time.
func (p *play) takeSteps(steps []action) {
	slices.SortStableFunc(steps, func(a, b action) int { return a.column - b.column })
	for _, s := range steps {
		p.sleepUntil(s.column, s.before)
		s.do()
	}
}

func (p *play) sleepUntil(column int, before bool) {
	d := p.at(column) - time.Since(p.begun)
	if before {
		d -= p.frame / 2
	}
	time.Sleep(d)
}

// lasts returns the column in which the test ends a subscription that the row does not
// end, or -1.
func lasts(r diagram.Row) int {
	for _, kind := range []diagram.Kind{diagram.Unsubscribed, diagram.GoesOn} {
		if column := mark(r, kind); column >= 0 {
			return column
		}
	}
	if mark(r, diagram.Complete) < 0 && mark(r, diagram.Failure) < 0 {
		return r.Lines[0].To
	}
	return -1
}

// compare compares a row with the record.
func (p *play) compare(r diagram.Row, got *tape) {
	p.t.Helper()
	want, events := expected(r), got.events()
	if r.Note == "" || legend(r) != nil {
		for i, e := range events {
			if strings.HasPrefix(e.text, "#") {
				events[i].text = "#"
			}
		}
	}
	assert.Equal(p.t, written(want), written(events), "what %q says, and what happens", r.Label)
	assert.Equal(p.t, max(mark(r, diagram.Subscribed), r.Lines[0].From), got.from, "where %s begins", r.Label)
	for _, busy := range p.rows {
		if busy.Busy {
			p.compareBusy(busy, want)
		}
	}
}

// compareBusy compares the values that downstream is busy with, and their columns, with
// the values that it gets, and theirs.
func (p *play) compareBusy(r diagram.Row, got []happening) {
	p.t.Helper()
	last := ""
	for _, m := range r.Marks {
		if m.Text != "-" && m.Text != last {
			assert.Contains(p.t, got, happening{m.Column, m.Text}, "downstream is busy")
		}
		last = m.Text
	}
}

// compareInputs compares the beginnings of inputs, and the rows shown beside the results.
func (p *play) compareInputs(s scene) {
	p.t.Helper()
	for _, r := range s.inputs {
		uses, ok := p.uses[r.Label]
		assert.True(p.t, ok, "the call does not use %s", r.Label)
		if releases, ok := p.releases[r.Label]; ok || mark(r, diagram.Subscribed) >= 0 {
			assert.Equal(p.t, []int{mark(r, diagram.Subscribed)}, releases, r.Label)
		}
		if r.Axis || r.Busy || r.Lines[0].From == 0 || mark(r, diagram.Subscribed) >= 0 {
			continue // the row does not show its beginning
		}
		if assert.NotEmpty(p.t, uses, "%s is never subscribed to", r.Label) {
			assert.Equal(p.t, r.Lines[0].From, uses[0], "where %s begins", r.Label)
		}
	}
	var lines []string
	for line := range strings.SplitSeq(s.text, "\n") {
		if strings.HasPrefix(line, "level=") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	assert.Equal(p.t, strings.Join(lines, "\n"), strings.TrimSpace(p.log.String()))
}
