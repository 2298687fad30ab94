//go:build !((386 || amd64 || arm || arm64 || loong64 || ppc64 || ppc64le || riscv64 || s390x || wasm) && gc && !purego)

package observable

// goroutine returns the number of the calling goroutine, which is never 0: that of stack
// traces.
func goroutine() uintptr { return fold(stackNumber()) }

// fold returns the number of a goroutine in the width of a uintptr, and never 0, which
// stands for no goroutine. The runtime counts up from 1 in 64 bits and gives no number
// twice. Where a uintptr has 32 bits, two goroutines share a number if 4,294,967,295
// others began between them. That does harm only if both live and emit into the same
// chain at the same time: the chain then takes one for the other.
func fold(id uint64) uintptr {
	return uintptr((id-1)%uint64(^uintptr(0))) + 1
}
