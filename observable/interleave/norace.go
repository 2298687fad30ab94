//go:build interleave && !race

package interleave

func (r *run) hide() {}
func (r *run) show() {}

// races returns how many data races have been found.
func races() int { return 0 }
