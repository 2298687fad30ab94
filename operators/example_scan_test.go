package operators_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleScan() {
	lengths := operators.Scan(observable.Of("ab", "c", "def"), 0, func(n int, s string) int { return n + len(s) })
	got, err := observable.Collect(context.Background(), lengths)
	fmt.Println(got, err)
	// Output: [2 3 6] <nil>
}

func ExampleTryScan() {
	sums := operators.TryScan(observable.Of("1", "2", "x"), 0, func(sum int, s string) (int, error) {
		n, err := strconv.Atoi(s)
		return sum + n, err
	})
	got, err := observable.Collect(context.Background(), sums)
	fmt.Println(got, errors.Is(err, strconv.ErrSyntax))
	// Output: [1 3] true
}

func ExampleAccumulate() {
	highest := operators.Accumulate(observable.Of(2, 5, 3), func(a, b int) int { return max(a, b) })
	got, err := observable.Collect(context.Background(), highest)
	fmt.Println(got, err)
	// Output: [2 5 5] <nil>
}

func ExampleReduce() {
	total := operators.Reduce(observable.Range(1, 4), 0, func(sum, v int) int { return sum + v })
	got, err := observable.Collect(context.Background(), total)
	fmt.Println(got, err)
	// Output: [10] <nil>
}

func ExampleTryReduce() {
	total := operators.TryReduce(observable.Of("1", "2", "x"), 0, func(sum int, s string) (int, error) {
		n, err := strconv.Atoi(s)
		return sum + n, err
	})
	got, err := observable.Collect(context.Background(), total)
	fmt.Println(got, errors.Is(err, strconv.ErrSyntax))
	// Output: [] true
}

func ExampleFold() {
	product := operators.Fold(observable.Range(1, 4), func(a, b int) int { return a * b })
	got, err := observable.Collect(context.Background(), product)
	fmt.Println(got, err)
	// Output: [24] <nil>
}

func ExampleToSlice() {
	all := operators.ToSlice(observable.Range(1, 3))
	got, err := observable.Collect(context.Background(), all)
	fmt.Println(got, err)
	// Output: [[1 2 3]] <nil>
}

func ExamplePairwise() {
	changes := operators.Map(operators.Pairwise(observable.Of(3, 5, 4)), func(p operators.Pair[int, int]) int {
		return p.Second - p.First
	})
	got, err := observable.Collect(context.Background(), changes)
	fmt.Println(got, err)
	// Output: [2 -1] <nil>
}

func ExampleCount() {
	count := operators.Count(observable.Of("a", "b", "c"))
	got, err := observable.Collect(context.Background(), count)
	fmt.Println(got, err)
	// Output: [3] <nil>
}

func ExampleMax() {
	greatest := operators.Max(observable.Of(3, 1, 2))
	got, err := observable.Collect(context.Background(), greatest)
	fmt.Println(got, err)
	// Output: [3] <nil>
}

func ExampleMaxFunc() {
	longest := operators.MaxFunc(observable.Of("fig", "banana", "plum"), func(a, b string) int {
		return cmp.Compare(len(a), len(b))
	})
	got, err := observable.Collect(context.Background(), longest)
	fmt.Println(got, err)
	// Output: [banana] <nil>
}

func ExampleMin() {
	least := operators.Min(observable.Of(3, 1, 2))
	got, err := observable.Collect(context.Background(), least)
	fmt.Println(got, err)
	// Output: [1] <nil>
}

func ExampleMinFunc() {
	shortest := operators.MinFunc(observable.Of("fig", "banana", "plum"), func(a, b string) int {
		return cmp.Compare(len(a), len(b))
	})
	got, err := observable.Collect(context.Background(), shortest)
	fmt.Println(got, err)
	// Output: [fig] <nil>
}

func ExampleStartWith() {
	values := operators.StartWith(observable.Of(1, 2), 8, 9)
	got, err := observable.Collect(context.Background(), values)
	fmt.Println(got, err)
	// Output: [8 9 1 2] <nil>
}

func ExampleEndWith() {
	values := operators.EndWith(observable.Of(1, 2), 8, 9)
	got, err := observable.Collect(context.Background(), values)
	fmt.Println(got, err)
	// Output: [1 2 8 9] <nil>
}

func ExampleSequenceEqual() {
	equal := operators.SequenceEqual(observable.Of(1, 2), observable.Range(1, 2))
	got, err := observable.Collect(context.Background(), equal)
	fmt.Println(got, err)
	// Output: [true] <nil>
}

func ExampleSequenceEqualFunc() {
	equal := operators.SequenceEqualFunc(observable.Of("A", "b"), observable.Of("a", "B"), strings.EqualFold)
	got, err := observable.Collect(context.Background(), equal)
	fmt.Println(got, err)
	// Output: [true] <nil>
}
