//go:build interleave && !race

package interleave

func (r *run) hide() {}
func (r *run) show() {}

// races returns the number of data races found.
func races() int { return 0 }
