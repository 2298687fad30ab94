package operators_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// TestMulticastAllocatesNothingPerValue emits through multicasting operators to three
// subscribers.
func TestMulticastAllocatesNothingPerValue(t *testing.T) {
	for name, multicast := range map[string]func(observable.Observable[int]) observable.Observable[int]{
		"Share":   operators.Share[int],
		"Connect": triple,
	} {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[int]
			shared := multicast(&src)
			for range 3 {
				defer shared.Subscribe(t.Context(), observable.ObserverFuncs[int]{}).Unsubscribe()
			}
			assert.Zero(t, testing.AllocsPerRun(1000, func() { src.Next(1) }))
		})
	}
}

func triple(src observable.Observable[int]) observable.Observable[int] {
	return operators.Connect(src, func(shared observable.Observable[int]) observable.Observable[int] {
		return operators.Merge(shared, shared, shared)
	})
}

// BenchmarkShare is the cost of a value with some subscribers.
func BenchmarkShare(b *testing.B) {
	for _, subscribers := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) {
			b.ReportAllocs()
			var src observable.Subject[int]
			shared := operators.Share(&src)
			for range subscribers {
				defer shared.Subscribe(b.Context(), observable.ObserverFuncs[int]{}).Unsubscribe()
			}
			for i := range b.N {
				src.Next(i)
			}
		})
	}
}

// BenchmarkConnect is the cost of a value that goes to three parts of one stream.
func BenchmarkConnect(b *testing.B) {
	b.ReportAllocs()
	triple(observable.Range(0, b.N)).Subscribe(b.Context(), observable.ObserverFuncs[int]{})
}

// BenchmarkJoiningAShare is the cost of a subscriber that comes and goes while others
// stay.
func BenchmarkJoiningAShare(b *testing.B) {
	b.ReportAllocs()
	shared := operators.Share(observable.Never[int]())
	defer shared.Subscribe(b.Context(), observable.ObserverFuncs[int]{}).Unsubscribe()
	for range b.N {
		shared.Subscribe(b.Context(), observable.ObserverFuncs[int]{}).Unsubscribe()
	}
}
