package operators_test

import (
	"fmt"
	"reflect"
	"slices"
)

// spec is a named function of the vectors: its name as "fn" and its parameters.
type spec map[string]any

func (s spec) fn() string { return argument[string](s, "fn") }

func (s spec) int(name string) int { return argument[int](s, name) }

// guard returns the function that s stands for, and a check to run before each call: for
// throwOn it fails on the value given.
func (s spec) guard() (then spec, check func(v any)) {
	if s.fn() != "throwOn" {
		return s, func(any) {}
	}
	then = spec{"fn": "identity"}
	if inner, ok := s["then"].(map[string]any); ok {
		then = inner
	}
	then, next := then.guard()
	return then, func(v any) {
		if reflect.DeepEqual(v, s["v"]) {
			panic(errBoom)
		}
		next(v)
	}
}

func (s spec) unknown(kind string) string {
	return fmt.Sprintf("conformance: unknown %s %q", kind, s.fn())
}

// mod is the mathematical modulus.
func mod(a, k int) int { return ((a % k) + k) % k }

// value returns the value function that an argument names.
func (c *vcase) value(name string) func(v any, i int) any { return c.spec(name).value() }

func (s spec) value() func(v any, i int) any {
	s, check := s.guard()
	var f func(v any, i int) any
	switch s.fn() {
	case "identity":
		f = func(v any, _ int) any { return v }
	case "mul":
		f = func(v any, _ int) any { return v.(int) * s.int("k") }
	case "add":
		f = func(v any, _ int) any { return v.(int) + s.int("k") }
	case "mod":
		f = func(v any, _ int) any { return mod(v.(int), s.int("k")) }
	case "index":
		f = func(_ any, i int) any { return i }
	case "addIndex":
		f = func(v any, i int) any { return v.(int) + i }
	case "pair":
		f = func(v any, i int) any { return []any{v, i} }
	case "const":
		f = func(any, int) any { return s["v"] }
	case "prop":
		f = func(v any, _ int) any { return v.(map[string]any)[argument[string](s, "name")] }
	default:
		panic(s.unknown("value function"))
	}
	return func(v any, i int) any {
		check(v)
		return f(v, i)
	}
}

// predicate returns the predicate that an argument names.
func (c *vcase) predicate(name string) func(v any, i int) bool { return c.spec(name).predicate() }

func (s spec) predicate() func(v any, i int) bool {
	s, check := s.guard()
	var f func(v any, i int) bool
	switch s.fn() {
	case "even":
		f = func(v any, _ int) bool { return mod(v.(int), 2) == 0 }
	case "odd":
		f = func(v any, _ int) bool { return mod(v.(int), 2) == 1 }
	case "lt":
		f = func(v any, _ int) bool { return v.(int) < s.int("k") }
	case "gt":
		f = func(v any, _ int) bool { return v.(int) > s.int("k") }
	case "eq":
		f = func(v any, _ int) bool { return reflect.DeepEqual(v, s["k"]) }
	case "true":
		f = func(any, int) bool { return true }
	case "false":
		f = func(any, int) bool { return false }
	case "indexLt":
		f = func(_ any, i int) bool { return i < s.int("k") }
	case "identity":
		f = func(v any, _ int) bool { return v != nil && v != 0 && v != false && v != "" }
	default:
		panic(s.unknown("predicate"))
	}
	return func(v any, i int) bool {
		check(v)
		return f(v, i)
	}
}

// reducer returns the reducer that an argument names.
func (c *vcase) reducer(name string) func(acc, v any, i int) any { return c.spec(name).reducer() }

func (s spec) reducer() func(acc, v any, i int) any {
	s, check := s.guard()
	var f func(acc, v any, i int) any
	switch s.fn() {
	case "sum":
		f = func(acc, v any, _ int) any { return acc.(int) + v.(int) }
	case "maxOf":
		f = func(acc, v any, _ int) any { return max(acc.(int), v.(int)) }
	case "append":
		f = func(acc, v any, _ int) any {
			return append(slices.Clip(acc.([]any)), v)
		}
	case "inc":
		f = func(acc, _ any, _ int) any { return acc.(int) + 1 }
	case "sumIndex":
		f = func(acc, v any, i int) any { return acc.(int) + v.(int)*i }
	case "identity":
		f = func(acc, _ any, _ int) any { return acc }
	default:
		panic(s.unknown("reducer"))
	}
	return func(acc, v any, i int) any {
		check(v)
		return f(acc, v, i)
	}
}

// comparator returns the comparator that an argument names.
func (c *vcase) comparator(name string) func(a, b any) int {
	s, check := c.spec(name).guard()
	var f func(a, b int) int
	switch s.fn() {
	case "cmp":
		f = func(a, b int) int { return a - b }
	case "reverse":
		f = func(a, b int) int { return b - a }
	case "modCmp":
		f = func(a, b int) int { return mod(a, s.int("k")) - mod(b, s.int("k")) }
	default:
		panic(s.unknown("comparator"))
	}
	return func(a, b any) int {
		check(a)
		check(b)
		return f(a.(int), b.(int))
	}
}

// equality returns the equality that an argument names.
func (c *vcase) equality(name string) func(a, b any) bool { //nolint:unparam // as its siblings
	s, check := c.spec(name).guard()
	var f func(a, b any) bool
	switch s.fn() {
	case "same":
		f = reflect.DeepEqual
	case "modEq":
		f = func(a, b any) bool { return mod(a.(int), s.int("k")) == mod(b.(int), s.int("k")) }
	case "near":
		f = func(a, b any) bool { return max(a.(int)-b.(int), b.(int)-a.(int)) <= s.int("k") }
	default:
		panic(s.unknown("equality"))
	}
	return func(a, b any) bool {
		check(a)
		check(b)
		return f(a, b)
	}
}

// project returns the function of several values that an argument names.
func (c *vcase) project(name string) func(vs []any) any {
	s, check := c.spec(name).guard()
	var f func(vs []any) any
	switch s.fn() {
	case "sumAll":
		f = func(vs []any) any {
			sum := 0
			for _, v := range vs {
				sum += v.(int)
			}
			return sum
		}
	case "list":
		f = func(vs []any) any { return append([]any{}, vs...) }
	default:
		panic(s.unknown("projection"))
	}
	return func(vs []any) any {
		if len(vs) > 0 {
			check(vs[0])
		}
		return f(vs)
	}
}
