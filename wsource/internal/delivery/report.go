package delivery

import (
	"slices"

	"github.com/rxsocket/rxsocket/wsource/internal/each"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// report tells a message's outcome.
type report struct {
	done    func(*Failure) // tells the sender; nil: the host is told
	failure *Failure
	runs    bool // done runs user code, as the host does
}

// unsent is the report that a message was not sent.
func (m *Message) unsent(cause error) report {
	return report{m.Told, m.failure(transport.Unsent, cause), m.Request}
}

// unsent returns the reports that messages were not sent.
func unsent(messages []*Message, cause error) []report {
	reports := make([]report, 0, len(messages))
	for _, m := range messages {
		reports = append(reports, m.unsent(cause))
	}
	return reports
}

// Report tells the host, or the sender, that a message is not posted.
func (e *Engine) Report(m *Message, cause error) { e.report([]report{m.unsent(cause)}) }

// report passes reports on. Those that run user code are told on another goroutine: see
// call.
func (e *Engine) report(reports []report) {
	if len(reports) == 0 {
		return
	}
	if !slices.ContainsFunc(reports, func(r report) bool { return r.done == nil || r.runs }) {
		e.reportAll(reports)
		return
	}
	e.call(func() { e.reportAll(reports) })
}

// reportAll passes reports on, all of them even if user code ends the goroutine.
func (e *Engine) reportAll(reports []report) {
	each.Call(reports, func(r report) {
		if r.done != nil {
			r.done(r.failure)
		} else {
			e.config.Host.FailureTold(r.failure)
		}
	})
}
