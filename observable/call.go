package observable

// call calls a function of the user's that belongs to no callback of a stream. If it does
// not return, its panic, or ErrGoexit, goes to the handler of OnUnhandled.
func call(f func()) {
	returned := false
	defer func() {
		if !returned {
			ReportUnhandled(failure(recover()), f)
		}
	}()
	f()
	returned = true
}

// callAll calls functions, all of them even if one ends this goroutine.
func callAll(functions []func()) {
	if len(functions) == 0 {
		return
	}
	called := 0
	defer func() { callAll(functions[called:]) }()
	for _, f := range functions {
		called++
		call(f)
	}
}

// reportPanic is deferred around a function on a goroutine of its own, whose panic would
// end the process. If a callback of a subscription ends the goroutine, the subscription
// reports that itself.
func reportPanic(f func()) {
	if v := recover(); v != nil {
		ReportUnhandled(failure(v), f)
	}
}
