package hub

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A ring is a slice that grows at its end, and loses any element. It gives back the
// memory that it does not need any more, and holds none of its former elements.
func TestRing(t *testing.T) {
	r := ring[*int]{pool: new(sync.Pool)}
	want := []*int{}
	for i := range 3000 {
		if grows := i/300%2 == 0; len(want) == 0 || rand.IntN(3) > 0 == grows {
			v := &i
			want = append(want, v)
			r.push(v)
		} else {
			at := []int{0, len(want) - 1, rand.IntN(len(want))}[rand.IntN(3)]
			want = slices.Delete(want, at, at+1)
			r.remove(at)
		}
		got, held := []*int{}, 0
		for at := range r.n {
			got = append(got, *r.at(at))
		}
		for _, v := range r.slots {
			if v != nil {
				held++
			}
		}
		require.Equal(t, want, got)
		require.Equal(t, r.n, held)
	}
	for r.n > 0 {
		r.remove(0)
	}
	assert.Equal(t, ring[*int]{pool: r.pool}, r)
}
