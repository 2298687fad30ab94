//go:build (amd64 || arm64) && gc && !purego

package observable

// goroutine returns a number that identifies the calling goroutine for as long
// as it lives and is never 0: the address of the runtime's record of it, which
// the Go assembler has a name for. It is compared, never followed. It lets a
// gate tell a callback that emits into its own chain (which must not block)
// from a producer on another goroutine (which must), for about a nanosecond;
// the portable way, in goroutine_portable.go, costs a thousand times that.
func goroutine() uintptr
