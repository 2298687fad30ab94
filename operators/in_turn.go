package operators

import "github.com/rxsocket/rxsocket/observable"

// inTurn calls step for 0 to n-1, each time inside the gate, for as long as sc is open: how the sources of an
// operator are attached, each of which may leave the gate in other hands.
func inTurn(sc *observable.Scope, n int, step func(i int)) { inTurnFrom(sc, 0, n, step) }

func inTurnFrom(sc *observable.Scope, from, n int, step func(i int)) {
	for i := from; i < n && sc.Open(); i++ {
		if step(i); !sc.Held() {
			sc.Then(func() { inTurnFrom(sc, i+1, n, step) })
			return
		}
	}
}

// inOrder is inTurn for steps that differ.
func inOrder(sc *observable.Scope, steps ...func()) {
	inTurn(sc, len(steps), func(i int) { steps[i]() })
}
