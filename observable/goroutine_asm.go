//go:build (386 || amd64 || arm || arm64 || loong64 || ppc64 || ppc64le || riscv64 || s390x || wasm) && gc && !purego

package observable

// goroutine returns a number that identifies the calling goroutine for as long as it
// lives and is never 0: the address of the runtime's record of it, which the Go assembler
// has a name for on each of these processors. It is compared, never followed. By it a
// gate tells a callback that emits into its own chain (which must not block) from a
// producer on another goroutine (which must). It costs about a nanosecond; the portable
// way, in goroutine_portable.go, costs a thousand times that.
func goroutine() uintptr
