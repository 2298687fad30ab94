package operators

import "github.com/rxsocket/rxsocket/observable"

// inTurn calls step for 0 to n-1, for as long as sc is open: how the sources of an operator are attached.
func inTurn(sc *observable.Scope, n int, step func(i int)) {
	for i := 0; i < n && sc.Open(); i++ {
		step(i)
	}
}

// inOrder is inTurn for steps that differ.
func inOrder(sc *observable.Scope, steps ...func()) {
	inTurn(sc, len(steps), func(i int) { steps[i]() })
}
