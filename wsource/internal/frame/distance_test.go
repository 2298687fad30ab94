package frame_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// bitReader reads compressed data bit by bit, slowly and plainly.
type bitReader struct {
	t    testing.TB
	data []byte
	at   int // in bits
}

func (r *bitReader) bits(n int) int {
	v := 0
	for i := range n {
		v |= int(r.data[r.at/8]>>(r.at%8)&1) << i
		r.at++
	}
	return v
}

// code is a Huffman code: the symbols by their code, a leading 1 before that.
type code map[int]int

func newCode(lengths []int) code {
	c, next := code{}, 0
	for n := 1; n <= 15; n++ {
		next <<= 1
		for symbol, length := range lengths {
			if length == n {
				c[1<<n|next] = symbol
				next++
			}
		}
	}
	return c
}

func (r *bitReader) symbol(c code) int {
	for v := 1; ; {
		v = v<<1 | r.bits(1)
		if s, ok := c[v]; ok {
			return s
		}
		if v >= 1<<16 {
			require.Fail(r.t, "no symbol")
		}
	}
}

// farthestDistance returns the longest distance in a message's payload.
func farthestDistance(tb testing.TB, payload []byte) int {
	tb.Helper()
	r, farthest := &bitReader{t: tb, data: append(slices.Clip(payload), 0, 0, 0xFF, 0xFF)}, 0
	for r.at < 8*len(r.data) {
		r.bits(1)
		lits, distances := make([]int, 288), make([]int, 30)
		switch r.bits(2) {
		case 0:
			r.at = (r.at + 7) / 8 * 8
			n := r.bits(16)
			r.bits(16)
			r.at += 8 * n
			continue
		case 1:
			for i := range lits {
				lits[i] = []int{8, 9, 7, 8}[min(i/144, 1)+min(i/256, 1)+min(i/280, 1)]
			}
			for i := range distances {
				distances[i] = 5
			}
		case 2:
			lits, distances = r.ownLengths()
		}
		litCode, distanceCode := newCode(lits), newCode(distances)
		for {
			s := r.symbol(litCode)
			if s == 256 {
				break
			}
			if s < 256 {
				continue
			}
			if s >= 265 && s < 285 {
				r.bits((s - 261) / 4)
			}
			d := r.symbol(distanceCode)
			if d < 4 {
				farthest = max(farthest, d+1)
				continue
			}
			extra := d/2 - 1
			farthest = max(farthest, 1+(2+d%2)<<extra+r.bits(extra))
		}
	}
	return farthest
}

func (r *bitReader) ownLengths() (lits, distances []int) {
	nl, nd, nc := 257+r.bits(5), 1+r.bits(5), 4+r.bits(4)
	own := make([]int, 19)
	for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:nc] {
		own[i] = r.bits(3)
	}
	c := newCode(own)
	var all []int
	for len(all) < nl+nd {
		switch s := r.symbol(c); s {
		case 16:
			for range 3 + r.bits(2) {
				all = append(all, all[len(all)-1])
			}
		case 17:
			all = append(all, make([]int, 3+r.bits(3))...)
		case 18:
			all = append(all, make([]int, 11+r.bits(7))...)
		default:
			all = append(all, s)
		}
	}
	return all[:nl], all[nl:]
}
