package operators_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// stream is the form of every operator in the contract suite: ints in, ints out.
type stream = observable.Observable[int]

// hook is called in the operator's callback, if there is one; it returns its argument, or
// panics.
type hook = func(int) int

// reporter receives the findings of a trial: a test, or the faults of a mutant.
type reporter = assert.TestingT

// trial puts one operator through its paces, in a bubble of virtual time.
type trial = func(t reporter, e entry)

// entry is an operator in the catalogue. An outcome is written as an observer gets it:
// values, then | or # with the name of the error. An outcome without an end stands for a
// stream that does not end.
type entry struct {
	apply func(s stream, h hook) stream

	runs   []string // the outcomes of a source of 0 to 5 values that completes, by beats
	burst  []string // the outcomes if the source emits inside Subscribe; nil: as runs
	racing bool     // another goroutine delivers burst during its emission: law judges
	fails  string   // the outcome of a source of 3 values that fails with errTrial
	stays  string   // the outcome of a source of 5 values without an end, up to longTrial
	ofNil  string   // the outcome of a nil source; "": the ArgumentError

	// law judges the values that come of several producers, or of a producer that does
	// not keep to the beat.
	law law
}

// With unit and ticks as second sources no event of the catalogue is due together with a
// value of the source: events due together have no repeatable order.
const (
	msTrial   = time.Millisecond
	beatTrial = 1700 * time.Microsecond
	longTrial = 21*msTrial + 50*time.Microsecond
)

// border is the value that the catalogue puts behind each slice or window when it
// flattens them.
const border = -999

// unchanged has the outcomes of an operator that passes everything on as it is.
var unchanged = []string{"|", "0 |", "0 1 |", "0 1 2 |", "0 1 2 3 |", "0 1 2 3 4 |"}

// forwarding is the entry of an operator that passes on all values and both ends as they
// come.
func forwarding(apply func(s stream, h hook) stream) entry {
	return each("0 1 2 3 4", everything, apply)
}

// each is the entry of an operator that emits one value for each value of the source, and
// ends as the source does. A value may also become several values; semicolons then
// separate the groups.
func each(values string, l law, apply func(s stream, h hook) stream) entry {
	all := strings.Split(values, ";")
	if len(all) == 1 {
		all = strings.Fields(values)
	}
	e := entry{apply: apply, fails: outcomeOf(all[:3], "#trial"), stays: outcomeOf(all, ""), law: l}
	for n := range len(all) + 1 {
		e.runs = append(e.runs, outcomeOf(all[:n], "|"))
	}
	return e
}

// atTheEnd is the entry of an operator that emits nothing before the source completes,
// and then the outcomes in runs.
func atTheEnd(runs []string, l law, apply func(s stream, h hook) stream) entry {
	return entry{apply: apply, runs: runs, fails: "#trial", law: l}
}

// with returns the entry after a change of it.
func (e entry) with(change func(e *entry)) entry {
	change(&e)
	return e
}

func outcomeOf(values []string, end string) string {
	return strings.TrimSpace(strings.Join(values, " ") + " " + end)
}

// textOf writes down an observer's notifications.
func textOf(got *observabletest.Recorder[int]) string {
	var notes []string
	for _, e := range got.Events() {
		switch {
		case e.Kind == observabletest.Complete:
			notes = append(notes, "|")
		case e.Kind == observabletest.Error:
			notes = append(notes, "#"+nameOfError(e.Err))
		case e.Value == border:
			notes = append(notes, ",")
		default:
			notes = append(notes, strconv.Itoa(e.Value))
		}
	}
	return strings.Join(notes, " ")
}

// errTrial is the error of the trials' sources, and the panic value of their hooks.
var errTrial = errors.New("trial")

func nameOfError(err error) string {
	if _, is := errors.AsType[*observable.ArgumentError](err); is {
		return "argument"
	}
	var callback *observable.PanicError
	if errors.As(err, &callback) && errors.Is(err, errTrial) {
		return "panic"
	}
	for known, name := range map[error]string{
		errTrial: "trial", context.Canceled: "canceled", observable.ErrEmpty: "empty",
		operators.ErrSequence: "sequence", operators.ErrNotFound: "notFound", operators.ErrOutOfRange: "range",
	} {
		if errors.Is(err, known) {
			return name
		}
	}
	return err.Error()
}

// split parts an outcome into its values and its end, which is "" if it has none.
func split(outcome string) (values []string, end string) {
	values = strings.Fields(outcome)
	if n := len(values); n > 0 && (values[n-1] == "|" || values[n-1][0] == '#') {
		return values[:n-1], values[n-1]
	}
	return values, ""
}

// everyOperator runs a trial with each operator, in virtual time. A goroutine that is
// left behind fails the trial: its bubble does not end.
func everyOperator(t *testing.T, run trial) {
	for name, e := range catalogue {
		t.Run(name, func(t *testing.T) { inBubble(t, e, run) })
	}
}

// inBubble runs a trial with one operator, and lets goroutines that still sleep end.
func inBubble(t *testing.T, e entry, run trial) {
	synctest.Test(t, func(t *testing.T) {
		run(t, e)
		time.Sleep(time.Second)
	})
}

// catalogueOf joins the parts of the catalogue.
func catalogueOf(parts ...map[string]entry) map[string]entry {
	all := map[string]entry{}
	for _, part := range parts {
		for name := range part {
			if _, found := all[name]; found {
				panic(fmt.Sprintf("%s is in the catalogue twice", name))
			}
		}
		maps.Copy(all, part)
	}
	return all
}
