package operators_test

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// mapped is the form of the operators that flatten the observables of a projection.
type mapped = func(src O, project func(any) O) O

func init() {
	for op, flatten := range map[string]mapped{
		"concatMap": operators.ConcatMap[any, any],
		"switchMap": operators.SwitchMap[any, any],
	} {
		register(op, func(c *vcase) O { return projected(c, flatten) })
		register(op+"To", func(c *vcase) O {
			return flatten(c.source(0), func(any) O { return c.source(1) })
		})
	}
	register("exhaustMap", func(c *vcase) O { return projected(c, operators.ExhaustMap[any, any]) })
	register("expand", func(c *vcase) O {
		return projected(c, func(src O, project func(any) O) O {
			if c.has("concurrent") {
				return operators.ExpandConcurrent(src, c.int("concurrent"), project)
			}
			return operators.Expand(src, project)
		})
	})

	register("mergeScan", func(c *vcase) O {
		if c.has("concurrent") {
			return operators.MergeScanConcurrent(c.source(0), c.any("seed"), c.int("concurrent"), c.accInner("acc"))
		}
		return operators.MergeScan(c.source(0), c.any("seed"), c.accInner("acc"))
	})
	register("switchScan", func(c *vcase) O {
		return operators.SwitchScan(c.source(0), c.any("seed"), c.accInner("acc"))
	})

	register("mergeAll", func(c *vcase) O {
		if c.has("concurrent") {
			return operators.MergeAllConcurrent(higherOrder(c), c.int("concurrent"))
		}
		return operators.MergeAll(higherOrder(c))
	})
	register("concatAll", func(c *vcase) O { return operators.ConcatAll(higherOrder(c)) })
	register("switchAll", func(c *vcase) O { return operators.SwitchAll(higherOrder(c)) })
	register("exhaustAll", func(c *vcase) O { return operators.ExhaustAll(higherOrder(c)) })
}

// projected applies flatten to source 0, with the case's inner selector, which takes the
// index.
func projected(c *vcase, flatten mapped) O {
	inner := c.inner("inner")
	return indexed1(func(next func() int) O {
		return flatten(c.source(0), func(v any) O { return inner(v, next()) })
	})
}

// higherOrder is source 0 with each value replaced by the source of that number.
func higherOrder(c *vcase) observable.Observable[O] {
	return operators.Map(c.source(0), func(v any) O { return c.source(v.(int)) })
}
