//go:build interleave

package operators_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/operators"
)

// TestInterleaveFromChanWithContext has a subscriber of a channel whose part of the chain
// ends by another context, at any moment of its first values: a later subscriber gets the
// values that it did not.
func TestInterleaveFromChanWithContext(t *testing.T) {
	for name, op := range map[string]func(src ints) ints{
		"alone": func(src ints) ints { return src },
		"inner": func(src ints) ints {
			return operators.MergeMap(src, func(v int) ints { return observable.Of(v) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				ch := make(chan int, 2)
				ch <- 0
				ch <- 1
				close(ch)
				src := observable.FromChan(ch)
				ctx, cancel := p.Context()
				o := p.Observer("o")
				o.Subscribe(context.Background(), operators.WithContext(op(src), ctx))
				p.Go("cancel", cancel)
				o.Ends(completion, failure)
				p.Check(func() error {
					late, _ := observable.Collect(context.Background(), src)
					got := slices.Concat(o.Values(), late)
					if slices.Sort(got); !slices.Equal(got, []int{0, 1}) {
						return fmt.Errorf("it gets %v, and a later subscriber %v", o.Values(), late)
					}
					return nil
				})
			})
		})
	}
}
