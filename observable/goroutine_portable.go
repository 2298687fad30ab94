//go:build !((386 || amd64 || arm || arm64 || loong64 || ppc64 || ppc64le || riscv64 || s390x || wasm) && gc && !purego)

package observable

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutine returns the number of the calling goroutine, which is never 0. The
// runtime tells it only in the text of a stack trace, "goroutine 18 [running]:".
func goroutine() uintptr {
	var text [64]byte
	line := text[:runtime.Stack(text[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	id, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		panic("observable: the runtime's stack trace has an unknown form: " + string(line))
	}
	return uintptr(id)
}
