package operators_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stretchr/testify/assert"
)

// law checks the values that an operator has made of the sent values: a list for each
// producer, in its order. No value is sent twice.
type law func(t reporter, got []int, sent [][]int)

// everything holds if each value is there once, and the values of each producer are in
// order.
func everything(t reporter, got []int, sent [][]int) {
	some(t, got, sent)
	counts(t, got, len(slices.Concat(sent...)))
}

// counts reports a number of values other than n.
func counts(t reporter, got []int, n int) {
	if len(got) != n {
		assert.Fail(t, fmt.Sprintf("%d values in place of %d", len(got), n))
	}
}

// some holds if each value was sent, none is there twice, and the values of each producer
// are in order.
func some(t reporter, got []int, sent [][]int) {
	taken(t, got, sent)
}

// taken checks the law some, and returns the place behind the last value of each
// producer.
func taken(t reporter, got []int, sent [][]int) []int {
	next := make([]int, len(sent))
	places := map[int][2]int{}
	for producer, values := range sent {
		for i, v := range values {
			places[v] = [2]int{producer, i}
		}
	}
	for _, v := range got {
		place, known := places[v]
		switch producer, i := place[0], place[1]; {
		case !known:
			assert.Fail(t, "a value that nobody sent", "%d, in %v", v, around(got, v))
			return next
		case i < next[producer]:
			assert.Fail(t, "a value twice or out of order", "%d, in %v", v, around(got, v))
			return next
		default:
			next[producer] = i + 1
		}
	}
	return next
}

// around returns the values up to the last v and some behind it.
func around(got []int, v int) []int {
	at := len(got)
	for i, other := range got {
		if other == v {
			at = i
		}
	}
	return got[max(0, at-20):min(len(got), at+5)]
}

// someAndLast holds if some does, and the last value is the last of a producer.
func someAndLast(t reporter, got []int, sent [][]int) {
	some(t, got, sent)
	isLast(t, got, sent)
}

func isLast(t reporter, got []int, sent [][]int) {
	if len(slices.Concat(sent...)) == 0 || !assert.NotEmpty(t, got) {
		return
	}
	last := got[len(got)-1]
	assert.True(t, slices.ContainsFunc(sent, func(values []int) bool {
		return len(values) > 0 && values[len(values)-1] == last
	}), "the value that was sent last comes last")
}

// anyOrder holds if each value is there once.
func anyOrder(t reporter, got []int, sent [][]int) {
	want, all := slices.Sorted(slices.Values(slices.Concat(sent...))), slices.Sorted(slices.Values(got))
	assert.True(t, slices.Equal(want, all), "each value once: %d in place of %d", len(all), len(want))
}

// nothing holds if there is no value.
func nothing(t reporter, got []int, _ [][]int) { assert.Empty(t, got) }

// firstOnes holds if the first n values are there, each producer's in order and none left
// out.
func firstOnes(n int) law {
	return func(t reporter, got []int, sent [][]int) {
		counts(t, got, min(n, len(slices.Concat(sent...))))
		count := 0
		for _, next := range taken(t, got, sent) {
			count += next
		}
		assert.Equal(t, count, len(got), "none of a producer's values is left out")
	}
}

// lastOnes holds if the last n values are there, each producer's in order and none left
// out.
func lastOnes(n int) law {
	return func(t reporter, got []int, sent [][]int) {
		var backward [][]int
		for _, values := range sent {
			backward = append(backward, reversed(values))
		}
		firstOnes(n)(t, reversed(got), backward)
	}
}

func reversed(values []int) []int {
	backward := slices.Clone(values)
	slices.Reverse(backward)
	return backward
}

// allBut holds if there is everything but n values, which are the first or the last of a
// producer.
func allBut(n int) law {
	return func(t reporter, got []int, sent [][]int) {
		some(t, got, sent)
		counts(t, got, max(0, len(slices.Concat(sent...))-n))
	}
}

// exactly holds if the values are the result of f for all sent values, in any order.
func exactly(f func(all []int) []int) law {
	return func(t reporter, got []int, sent [][]int) {
		want := f(slices.Concat(sent...))
		assert.True(t, slices.Equal(want, got), "got %.300v in place of %.300v", fmt.Sprint(got), fmt.Sprint(want))
	}
}

// always holds if the values are these, with any values sent.
func always(values ...int) law { return exactly(func([]int) []int { return values }) }

// evenly holds if there are n values for each one sent, and each comes an even number of
// times.
func evenly(n int) law {
	return func(t reporter, got []int, sent [][]int) {
		counts(t, got, n*len(slices.Concat(sent...)))
		counts := map[int]int{}
		for _, v := range got {
			counts[v]++
		}
		assert.False(t, slices.ContainsFunc(slices.Collect(maps.Values(counts)), func(n int) bool { return n%2 != 0 }))
	}
}

func sumOf(all []int) int {
	sum := 0
	for _, v := range all {
		sum += v
	}
	return sum
}

// summing holds if the values have the sum of those sent.
func summing(t reporter, got []int, sent [][]int) {
	assert.Equal(t, sumOf(slices.Concat(sent...)), sumOf(got))
}

// chained holds if there are pairs of successive values, each followed by a border, and
// everything is in them.
func chained(t reporter, got []int, sent [][]int) {
	var all []int
	for i := 0; i+2 < len(got); i += 3 {
		if i == 0 {
			all = append(all, got[0])
		} else if !assert.Equal(t, got[i-2], got[i], "a pair begins with the second value of the one before it") {
			return
		}
		all = append(all, got[i+1])
	}
	if len(slices.Concat(sent...)) > 1 || len(all) > 0 {
		everything(t, all, sent)
	}
}

// second holds if there is one value, the first or second of a producer, or ofNone if
// only one value was sent.
func second(ofNone []int) law {
	return func(t reporter, got []int, sent [][]int) {
		if len(slices.Concat(sent...)) < 2 {
			assert.True(t, slices.Equal(ofNone, got))
			return
		}
		assert.Len(t, got, 1)
		for _, next := range taken(t, got, sent) {
			assert.LessOrEqual(t, next, 2)
		}
	}
}

// foundTwo holds if there is the value 2, if it was sent, and 9 otherwise.
var foundTwo = exactly(func(all []int) []int {
	if slices.Contains(all, 2) {
		return []int{2}
	}
	return []int{9}
})

// indexOfTwo holds if there is the index that the value 2 may have had.
func indexOfTwo(t reporter, got []int, sent [][]int) {
	if !assert.Len(t, got, 1) {
		return
	}
	before, behind := -1, -1 // least numbers of values before it and behind it
	for _, values := range sent {
		if i := slices.Index(values, 2); i >= 0 {
			before, behind = i, len(values)-1-i
		}
	}
	if before < 0 {
		assert.Equal(t, -1, got[0])
		return
	}
	assert.GreaterOrEqual(t, got[0], before)
	assert.Less(t, got[0], len(slices.Concat(sent...))-behind)
}

// single holds if the only value is the value sent, or if there is none and several were
// sent.
var single = exactly(func(all []int) []int {
	if len(all) == 1 {
		return all
	}
	return nil
})

// expanded holds if there is each value, the result of shrink for it, and so on.
func expanded(t reporter, got []int, sent [][]int) {
	var all []int
	for _, v := range slices.Concat(sent...) {
		all = append(all, v)
		for ; v >= 3; v /= 2 {
			all = append(all, v/2)
		}
	}
	anyOrder(t, got, [][]int{all})
}

// raced holds if there are all values of one half of the producers, and none of the
// other.
func raced(t reporter, got []int, sent [][]int) {
	winners, others := sent[:len(sent)/2], sent[len(sent)/2:]
	if len(got) > 0 && slices.Contains(slices.Concat(others...), got[0]) {
		winners = others
	}
	everything(t, got, winners)
}
