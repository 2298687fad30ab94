//go:build interleave

package observable

// Accepting is an observer that may refuse a value.
type Accepting struct {
	Observer[int]
	Accept func(value int) bool
}

func (a Accepting) accept(value int) bool { return a.Accept(value) }
