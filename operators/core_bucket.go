package operators

import (
	"math"
	"math/bits"
	"time"
)

// bucket is a token bucket: n tokens come each per, and it holds up to burst of them. Its
// arithmetic is exact, and a result that would overflow is the greatest number instead. A
// new bucket is full.
type bucket struct {
	n, per, burst uint64
	origin        time.Duration // time at which the bucket was last full
	taken         uint64        // tokens taken since origin
}

func newBucket(n int, per time.Duration, burst int) bucket {
	return bucket{n: unsigned(int64(n)), per: unsigned(int64(per)), burst: unsigned(int64(burst))}
}

// checkBucket returns the name of an argument that is wrong and its problem, or two empty
// strings.
func checkBucket(n int, per time.Duration, burst int) (argument, problem string) {
	switch {
	case n <= 0:
		return "n", notPositive(n)
	case per <= 0:
		return "per", notPositive(per)
	case burst <= 0:
		return "burst", notPositive(burst)
	default:
		return "", ""
	}
}

// take takes a token at the time now, which never goes back. Without a token it returns
// the time to the next one.
func (b *bucket) take(now time.Duration) (wait time.Duration) {
	elapsed := unsigned(int64(now - b.origin))
	come, _ := mulDiv(elapsed, b.n, b.per)
	switch {
	case come >= b.taken:
		b.origin, b.taken = now, 1
		return 0
	case b.taken-come < b.burst:
		b.taken++
		return 0
	}
	due, rest := mulDiv(b.taken-b.burst+1, b.per, b.n)
	if rest && due < math.MaxUint64 {
		due++
	}
	return time.Duration(signed(due - elapsed))
}

// mulDiv returns a*b/c and whether the division left a rest, or the greatest number if
// the quotient is greater than that.
func mulDiv(a, b, c uint64) (quotient uint64, rest bool) {
	high, low := bits.Mul64(a, b)
	if high >= c {
		return math.MaxUint64, true
	}
	quotient, remainder := bits.Div64(high, low, c)
	return quotient, remainder > 0
}

// unsigned returns v, or 0 if v is negative.
func unsigned(v int64) uint64 {
	if v < 0 {
		return 0
	}
	return uint64(v)
}

// signed returns v, or the greatest number if v is greater than that.
func signed(v uint64) int64 {
	if v > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(v)
}
