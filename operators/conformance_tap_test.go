package operators_test

import "github.com/rxsocket/rxsocket/operators"

func init() {
	register("tap", tapped)
	register("finalize", func(c *vcase) O {
		return operators.Finalize(c.source(0), func() { c.log("finalize", nil) })
	})
}

func tapped(c *vcase) O {
	log := func(cb string, fields map[string]any) {
		c.log(cb, fields)
		if c.any("throwIn") == cb && (cb != "next" || fields["v"] == c.any("v")) {
			panic(errBoom)
		}
	}
	return operators.TapWith(c.source(0), operators.TapConfig[any]{
		Subscribe:   func() { log("subscribe", nil) },
		Next:        func(v any) { log("next", map[string]any{"v": v}) },
		Error:       func(err error) { log("error", map[string]any{"e": errorName(err)}) },
		Complete:    func() { log("complete", nil) },
		Unsubscribe: func() { log("unsubscribe", nil) },
		Finalize:    func() { log("finalize", nil) },
	})
}
