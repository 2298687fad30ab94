// Package each calls functions of users, all of them whatever one of them does.
package each

// Call calls f with every element. If a call panics or ends the goroutine, the rest are
// called before that goes on.
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
