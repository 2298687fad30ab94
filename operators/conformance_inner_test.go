package operators_test

// inner returns the inner selector that an argument names.
func (c *vcase) inner(name string) func(v any, i int) O { return c.innerOf(c.spec(name)) }

// innerOf returns the inner selector that s names.
func (c *vcase) innerOf(s spec) func(v any, i int) O {
	s, check := s.guard()
	calls := 0
	var f func(v any, i int) O
	switch s.fn() {
	case "sourceMod":
		list := argument[[]any](s, "sources")
		f = func(v any, _ int) O { return c.source(list[mod(v.(int), len(list))].(int)) }
	case "sourceCycle":
		list := argument[[]any](s, "sources")
		f = func(any, int) O {
			calls++
			return c.source(list[(calls-1)%len(list)].(int))
		}
	case "source":
		f = func(any, int) O { return c.source(s.int("source")) }
	case "timer":
		f = func(any, int) O { return c.timer(s.int("d")) }
	case "timerByValue":
		b, _ := s["b"].(int)
		f = func(v any, _ int) O { return c.timer(v.(int)*s.int("k") + b) }
	case "timerInner":
		f = func(v any, _ int) O {
			return c.cold(series(s.int("n"), s.int("d"), func(j int) any { return v.(int)*s.int("mul") + j }))
		}
	case "ofInner":
		f = func(v any, _ int) O {
			return c.sync(series(s.int("n"), 0, func(j int) any { return v.(int)*s.int("mul") + j }))
		}
	case "indexOf":
		f = func(v any, i int) O { return c.sync(one([]any{v, i}, 0)) }
	case "expandMul":
		f = func(v any, _ int) O {
			if v.(int) >= s.int("limit") {
				return c.sync([]event{{K: "C"}})
			}
			next := v.(int) * s.int("k")
			if d, ok := s["d"].(int); ok {
				return c.cold(one(next, d))
			}
			return c.sync(one(next, 0))
		}
	case "empty":
		f = func(any, int) O { return c.sync([]event{{K: "C"}}) }
	case "never":
		f = func(any, int) O { return c.cold(nil) }
	case "error":
		f = func(any, int) O { return c.sync([]event{{K: "E", E: argument[string](s, "e")}}) }
	case "throw":
		f = func(any, int) O { panic(errBoom) }
	default:
		panic(s.unknown("inner selector"))
	}
	return func(v any, i int) O {
		check(v)
		return f(v, i)
	}
}

// accInner returns the accumulating selector that an argument names.
func (c *vcase) accInner(name string) func(acc, v any) O {
	s, check := c.spec(name).guard()
	var f func(acc, v any) O
	switch s.fn() {
	case "accOf":
		f = func(acc, v any) O { return c.sync(one(acc.(int)+v.(int), 0)) }
	case "accTimer":
		f = func(acc, v any) O { return c.cold(one(acc.(int)+v.(int), s.int("d"))) }
	case "accTwice":
		f = func(acc, v any) O {
			return c.cold(series(2, s.int("d"), func(j int) any { return acc.(int) + v.(int) + j }))
		}
	case "accEmpty":
		f = func(any, any) O { return c.sync([]event{{K: "C"}}) }
	case "accError":
		f = func(any, any) O { return c.sync([]event{{K: "E", E: argument[string](s, "e")}}) }
	default:
		panic(s.unknown("accumulating selector"))
	}
	return func(acc, v any) O {
		check(v)
		return f(acc, v)
	}
}

// one returns the events of an observable of one value.
func one(v any, t int) []event { return []event{{T: t, K: "N", V: v}, {T: t, K: "C"}} }

// series returns the events of an observable of n values, each d after the one before;
// the observable completes with the last.
func series(n, d int, value func(j int) any) []event {
	var events []event
	for j := range n {
		events = append(events, event{T: d * (j + 1), K: "N", V: value(j)})
	}
	return append(events, event{T: d * n, K: "C"})
}

// timer returns an observable that emits 0 after d frames and completes.
func (c *vcase) timer(d int) O { return c.cold(one(0, max(d, 0))) }

// cold returns an observable of the events that is not one of the case's sources, and so
// not recorded.
func (c *vcase) cold(events []event) O { return c.scripted("cold", events) }

// sync is cold with all events inside Subscribe.
func (c *vcase) sync(events []event) O { return c.scripted("sync", events) }

func (c *vcase) scripted(kind string, events []event) O {
	s := &source{run: c.run, script: script{Kind: kind, Events: events}, group: groupTimers}
	return s.observable()
}
