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

// stackNumber returns the number of the calling goroutine in stack traces. The runtime
// gives it only in their text, "goroutine 18 [running]:", and walks the whole stack for
// that text: the cost grows with the depth of the calls.
func stackNumber() uint64 {
	text := headings.Get().(*[64]byte)
	defer headings.Put(text)
	line := text[:runtime.Stack(text[:], false)]
	digits, _, _ := bytes.Cut(bytes.TrimPrefix(line, []byte("goroutine ")), []byte(" "))
	id, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		panic("observable: the runtime's stack trace has an unknown form: " + string(line))
	}
	return id
}
