package operators_test

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func tenfold(v int) int          { return 10 * v }
func below3(v int) bool          { return v < 3 }
func mod2(v int) int             { return v % 2 }
func initial(text string) string { return text[:1] }

func tryNumber(text string) (int, error) { return strconv.Atoi(text) }

// tryAdd adds a number in a text.
func tryAdd(state int, text string) (int, error) {
	v, err := strconv.Atoi(text)
	return state + v, err
}

// try makes a predicate of texts out of a predicate of numbers.
func try(predicate func(int) bool) func(string) (bool, error) {
	return func(text string) (bool, error) {
		v, err := strconv.Atoi(text)
		return predicate(v), err
	}
}

// players returns the observable of a row of players.
func (p *play) players(label string) observable.Observable[player] {
	return rowOf(p, label, func(text string) player {
		name, score, _ := strings.Cut(strings.Trim(text, "()"), ",")
		return player{name, p.number(score)}
	})
}

func byScore(a, b player) int { return cmp.Compare(a.score, b.score) }

// anything is a value of a row of values of several types.
func (p *play) anything(text string) any {
	switch {
	case text == "nil":
		return nil
	case strings.HasPrefix(text, `"`):
		return unquoted(text)
	}
	return p.number(text)
}

// notification is a value as in {N 1}.
func (p *play) notification(text string) operators.Notification[int] {
	if v, ok := strings.CutPrefix(strings.Trim(text, "{}"), "N "); ok {
		return operators.Notification[int]{Value: p.number(v)}
	}
	return operators.Notification[int]{Kind: operators.CompleteNotification}
}

// marblesOfValues are the calls of operators that look at each value, or reduce all to
// one.
func marblesOfValues() map[string]func(p *play) output {
	return map[string]func(p *play) output{
		"Map":        func(p *play) output { return of(operators.Map(p.ints("src"), tenfold)) },
		"TryMap":     func(p *play) output { return of(operators.TryMap(p.texts("src"), tryNumber)) },
		"Scan":       func(p *play) output { return of(operators.Scan(p.ints("src"), 0, sum)) },
		"TryScan":    func(p *play) output { return of(operators.TryScan(p.texts("src"), 0, tryAdd)) },
		"Accumulate": func(p *play) output { return of(operators.Accumulate(p.ints("src"), sum)) },
		"Pairwise":   func(p *play) output { return of(operators.Pairwise(p.ints("src"))) },
		"Filter":     func(p *play) output { return of(operators.Filter(p.ints("src"), isEven)) },
		"TryFilter":  func(p *play) output { return of(operators.TryFilter(p.texts("src"), try(isEven))) },
		"FilterMap": func(p *play) output {
			return of(operators.FilterMap(p.texts("src"), func(text string) (int, bool) {
				v, err := strconv.Atoi(text)
				return v, err == nil
			}))
		},
		"TryFilterMap": func(p *play) output {
			return of(operators.TryFilterMap(p.texts("src"), func(text string) (int, bool, error) {
				if text == "" {
					return 0, false, nil
				}
				v, err := strconv.Atoi(text)
				return v, true, err
			}))
		},
		"OfType": func(p *play) output { return of(operators.OfType[int](rowOf(p, "src", p.anything))) },

		"Take":               func(p *play) output { return of(operators.Take(p.ints("src"), 2)) },
		"TakeWhile":          func(p *play) output { return of(operators.TakeWhile(p.ints("src"), below3)) },
		"TakeWhileInclusive": func(p *play) output { return of(operators.TakeWhileInclusive(p.ints("src"), below3)) },
		"TryTakeWhile":       func(p *play) output { return of(operators.TryTakeWhile(p.texts("src"), try(below3))) },
		"TryTakeWhileInclusive": func(p *play) output {
			return of(operators.TryTakeWhileInclusive(p.texts("src"), try(below3)))
		},
		"TakeUntil": func(p *play) output { return of(operators.TakeUntil(p.ints("src"), p.texts("notifier"))) },
		"Skip":      func(p *play) output { return of(operators.Skip(p.ints("src"), 2)) },
		"SkipWhile": func(p *play) output { return of(operators.SkipWhile(p.ints("src"), below3)) },
		"SkipUntil": func(p *play) output { return of(operators.SkipUntil(p.ints("src"), p.texts("notifier"))) },
		"TakeLast":  func(p *play) output { return of(operators.TakeLast(p.ints("src"), 2)) },
		"SkipLast":  func(p *play) output { return of(operators.SkipLast(p.ints("src"), 2)) },
		"First":     func(p *play) output { return of(operators.First(p.ints("src"))) },
		"Last":      func(p *play) output { return of(operators.Last(p.ints("src"))) },
		"Single":    func(p *play) output { return of(operators.Single(p.ints("src"))) },
		"ElementAt": func(p *play) output { return of(operators.ElementAt(p.ints("src"), 1)) },
		"Find(even)": func(p *play) output {
			return of(operators.Find(p.ints("src"), isEven))
		},
		"Find(is7)":      func(p *play) output { return of(operators.Find(p.ints("src"), func(v int) bool { return v == 7 })) },
		"FindIndex":      func(p *play) output { return of(operators.FindIndex(p.ints("src"), isEven)) },
		"FirstWhere":     func(p *play) output { return of(operators.FirstWhere(p.ints("src"), isEven)) },
		"LastWhere":      func(p *play) output { return of(operators.LastWhere(p.ints("src"), isEven)) },
		"SingleWhere":    func(p *play) output { return of(operators.SingleWhere(p.ints("src"), isEven)) },
		"FirstOrDefault": func(p *play) output { return of(operators.FirstOrDefault(p.ints("src"), 9)) },
		"LastOrDefault":  func(p *play) output { return of(operators.LastOrDefault(p.ints("src"), 9)) },
		"FirstWhereOrDefault": func(p *play) output {
			return of(operators.FirstWhereOrDefault(p.ints("src"), isEven, 9))
		},
		"LastWhereOrDefault": func(p *play) output { return of(operators.LastWhereOrDefault(p.ints("src"), isEven, 9)) },
		"ElementAtOrDefault": func(p *play) output { return of(operators.ElementAtOrDefault(p.ints("src"), 5, 9)) },
		"IgnoreElements":     func(p *play) output { return of(operators.IgnoreElements(p.ints("src"))) },

		"Distinct":   func(p *play) output { return of(operators.Distinct(p.ints("src"))) },
		"DistinctBy": func(p *play) output { return of(operators.DistinctBy(p.ints("src"), mod2)) },
		"DistinctFlush": func(p *play) output {
			return of(operators.DistinctFlush(p.ints("src"), func(v int) int { return v }, p.texts("flushes")))
		},
		"DistinctUntilChanged": func(p *play) output { return of(operators.DistinctUntilChanged(p.ints("src"))) },
		"DistinctUntilChangedFunc": func(p *play) output {
			closeBy := func(before, now int) bool { return max(before, now)-min(before, now) < 2 }
			return of(operators.DistinctUntilChangedFunc(p.ints("src"), closeBy))
		},
		"DistinctUntilKeyChanged": func(p *play) output {
			return of(operators.DistinctUntilKeyChanged(p.ints("src"), mod2))
		},
		"DistinctUntilKeyChangedFunc": func(p *play) output {
			return of(operators.DistinctUntilKeyChangedFunc(p.texts("src"), initial, strings.EqualFold))
		},

		"Reduce":    func(p *play) output { return of(operators.Reduce(p.ints("src"), 0, sum)) },
		"TryReduce": func(p *play) output { return of(operators.TryReduce(p.texts("src"), 0, tryAdd)) },
		"Fold": func(p *play) output {
			return of(operators.Fold(p.ints("src"), func(a, b int) int { return max(a, b) }))
		},
		"Count":           func(p *play) output { return of(operators.Count(p.ints("src"))) },
		"Min":             func(p *play) output { return of(operators.Min(p.ints("src"))) },
		"Max":             func(p *play) output { return of(operators.Max(p.ints("src"))) },
		"MinFunc":         func(p *play) output { return of(operators.MinFunc(p.players("src"), byScore)) },
		"MaxFunc":         func(p *play) output { return of(operators.MaxFunc(p.players("src"), byScore)) },
		"ToSlice":         func(p *play) output { return of(operators.ToSlice(p.ints("src"))) },
		"Every(positive)": func(p *play) output { return of(operators.Every(p.ints("src"), func(v int) bool { return v > 0 })) },
		"Every(odd)": func(p *play) output {
			return of(operators.Every(p.ints("src"), func(v int) bool { return !isEven(v) }))
		},
		"IsEmpty":       func(p *play) output { return of(operators.IsEmpty(p.ints("src"))) },
		"SequenceEqual": func(p *play) output { return of(operators.SequenceEqual(p.ints("a"), p.ints("b"))) },
		"SequenceEqualFunc": func(p *play) output {
			same := func(a, b int) bool { return a%2 == b%2 }
			return of(operators.SequenceEqualFunc(p.ints("a"), p.ints("b"), same))
		},
		"Sequence(identity)": func(p *play) output {
			return of(operators.Sequence(p.ints("src"), number, operators.SequenceConfig[int]{}))
		},
		"Sequence(identity, ignore)": func(p *play) output {
			ignore := operators.SequenceConfig[int]{Gap: func(_, _ uint64) error { return nil }}
			return of(operators.Sequence(p.ints("src"), number, ignore))
		},
		"Materialize": func(p *play) output { return of(operators.Materialize(p.ints("src"))) },
		"Dematerialize": func(p *play) output {
			return of(operators.Dematerialize(rowOf(p, "src", p.notification)))
		},
	}
}

func number(v int) uint64 { return uint64(v) }
