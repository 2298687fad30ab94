package operators_test

import (
	"slices"

	"github.com/stretchr/testify/assert"
)

// The laws of this file hold if another law holds for a part of the values, or for the
// values they were made of.

// through holds if l holds for the result of f for the values.
func through(f func(got []int) []int, l law) law {
	return func(t reporter, got []int, sent [][]int) { l(t, f(got), sent) }
}

// ofEach holds if l holds for the results of f for each value.
func ofEach(f func(v int) int, l law) law {
	return through(func(got []int) []int {
		var all []int
		for _, v := range got {
			all = append(all, f(v))
		}
		return all
	}, l)
}

// unbordered holds if l holds for the values between the borders.
func unbordered(l law) law {
	return through(func(got []int) []int {
		return slices.DeleteFunc(slices.Clone(got), func(v int) bool { return v == border })
	}, l)
}

// between holds if l holds for the values between some at the beginning and some at the
// end.
func between(before, after []int, l law) law {
	return func(t reporter, got []int, sent [][]int) {
		end := len(got) - len(after)
		if !assert.GreaterOrEqual(t, end, len(before)) {
			return
		}
		assert.True(t, slices.Equal(before, got[:len(before)]), "it begins with %v", before)
		assert.True(t, slices.Equal(after, got[end:]), "it ends with %v", after)
		l(t, got[len(before):end], sent)
	}
}

// besides holds if some values are there, and l holds for the rest.
func besides(l law, values ...int) law {
	return func(t reporter, got []int, sent [][]int) {
		rest := slices.Clone(got)
		for _, v := range values {
			i := slices.Index(rest, v)
			if !assert.GreaterOrEqual(t, i, 0, "%d is missing", v) {
				return
			}
			rest = slices.Delete(rest, i, i+1)
		}
		l(t, rest, sent)
	}
}

// repeats holds if l holds when a value that comes again at once counts once.
func repeats(l law) law {
	return through(func(got []int) []int { return slices.Compact(slices.Clone(got)) }, l)
}

// paired holds if each value comes twice, and l holds for the first occurrences.
func paired(l law) law {
	return func(t reporter, got []int, sent [][]int) {
		counts := map[int]int{}
		var firsts []int
		for _, v := range got {
			if counts[v]++; counts[v] == 1 {
				firsts = append(firsts, v)
			}
		}
		for v, n := range counts {
			if n != 2 {
				assert.Fail(t, "a value that does not come twice", "%d: %d", v, n)
				break
			}
		}
		l(t, firsts, sent)
	}
}

// differences holds if l holds for the differences of successive values: the values that
// were summed up.
func differences(l law) law {
	return through(func(got []int) []int {
		before := 0
		var all []int
		for _, v := range got {
			all = append(all, v-before)
			before = v
		}
		return all
	}, l)
}

// divided holds if l holds for the even values and for the odd ones.
func divided(l law) law {
	return func(t reporter, got []int, sent [][]int) {
		for remainder := range 2 {
			other := func(v int) bool { return v%2 != remainder }
			var part [][]int
			for _, values := range sent {
				part = append(part, slices.DeleteFunc(slices.Clone(values), other))
			}
			l(t, slices.DeleteFunc(slices.Clone(got), other), part)
		}
	}
}

// everyThird holds if l holds for the first of each three values.
func everyThird(l law) law {
	return through(func(got []int) []int {
		var all []int
		for i := 0; i < len(got); i += 3 {
			all = append(all, got[i])
		}
		return all
	}, l)
}

// less holds if l holds for the values less n.
func less(n int, l law) law { return ofEach(func(v int) int { return v - n }, l) }

// lessIndex holds if l holds for the values less n times their index.
func lessIndex(n int, l law) law {
	return through(func(got []int) []int {
		var all []int
		for i, v := range got {
			all = append(all, v-n*i)
		}
		return all
	}, l)
}

// inPairs holds if each value comes twice in a row, and l holds for one of each pair.
func inPairs(l law) law {
	return func(t reporter, got []int, sent [][]int) {
		var all []int
		for i := 0; i+1 < len(got); i += 2 {
			if !assert.Equal(t, got[i], got[i+1], "a value comes twice") {
				return
			}
			all = append(all, got[i])
		}
		assert.Zero(t, len(got)%2)
		l(t, all, sent)
	}
}

// overlapping holds if l holds for the values between the borders, when each counts at
// its first place.
func overlapping(l law) law {
	return unbordered(through(func(got []int) []int {
		seen := map[int]bool{}
		return slices.DeleteFunc(slices.Clone(got), func(v int) bool {
			again := seen[v]
			seen[v] = true
			return again
		})
	}, l))
}

// slicesOf holds if there are slices of n values, each followed by a border, but for one
// that may have fewer, and l holds for the values.
func slicesOf(n int, l law) law {
	return func(t reporter, got []int, sent [][]int) {
		size, short := 0, 0
		for _, v := range got {
			if size++; v != border {
				continue
			}
			if size-1 != n {
				short++
			}
			assert.LessOrEqual(t, size-1, n, "a slice of too many values")
			size = 0
		}
		assert.LessOrEqual(t, short, 1, "only the last slice has fewer values")
		unbordered(l)(t, got, sent)
	}
}
