//go:build !((386 || amd64 || arm || arm64 || loong64 || ppc64 || ppc64le || riscv64 || s390x || wasm) && gc && !purego)

package observable

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
)

// headings are buffers for the first line of a stack trace. One on the stack would
// escape from it: every call would allocate.
var headings = sync.Pool{New: func() any { return new([64]byte) }}

// goroutine returns the number of the calling goroutine, which is never 0. The
// runtime tells it only in the text of a stack trace, "goroutine 18 [running]:",
// and walks the whole stack for that text: the cost grows with the depth of the calls.
func goroutine() uintptr {
	text := headings.Get().(*[64]byte)
	defer headings.Put(text)
	line := text[:runtime.Stack(text[:], false)]
	digits, _, _ := bytes.Cut(bytes.TrimPrefix(line, []byte("goroutine ")), []byte(" "))
	id, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		panic("observable: the runtime's stack trace has an unknown form: " + string(line))
	}
	return fold(id)
}

// fold returns the number of a goroutine in the width of a uintptr, and never 0, which
// stands for no goroutine. The runtime counts up from 1 in 64 bits and gives no number
// twice. Where a uintptr has 32 bits, two goroutines share a number if 4,294,967,295
// others began between them. That harms only if both live and emit into the same
// chain at the same time: the chain then takes the one for the other.
func fold(id uint64) uintptr {
	return uintptr((id-1)%uint64(^uintptr(0))) + 1
}
