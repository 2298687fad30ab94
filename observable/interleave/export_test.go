//go:build interleave

package interleave

// Outcomes returns the outcomes that the program tells in its runs, and the number of
// runs. A full walk tries all alternatives, the other walk only those that may lead to
// something new. It stops at a failure, whose text it returns, and after limit runs.
func Outcomes(
	bound int, full bool, limit int, program func(p *Program, tell func(outcome string)),
) (outcomes map[string]bool, runs int, failure string) {
	serial.Lock()
	defer serial.Unlock()
	outcomes = map[string]bool{}
	for w := (&walk{bound: bound, full: full}); ; {
		r := newRun(10000, false)
		r.do(w, func(p *Program) { program(p, func(outcome string) { outcomes[outcome] = true }) })
		runs++
		if r.failure != nil {
			return outcomes, runs, r.failure.text
		}
		if !w.advance() || runs == limit {
			return outcomes, runs, ""
		}
	}
}
