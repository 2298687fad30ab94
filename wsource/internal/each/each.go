// Package each calls users' functions, all of them, even if one panics or ends the
// goroutine.
package each

// Call calls f with every element. If a call panics or ends the goroutine, Call calls f
// with the rest first.
func Call[T any](all []T, f func(T)) {
	defer func() {
		if len(all) > 0 {
			Call(all, f)
		}
	}()
	for len(all) > 0 {
		next := all[0]
		all = all[1:]
		f(next)
	}
}
