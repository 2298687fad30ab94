package observable

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// PanicError is the error a stream ends with when a callback panicked.
type PanicError struct {
	Value any    // the value passed to panic
	Stack []byte // the stack of the panicking goroutine, as runtime/debug.Stack has it

	references references
}

// Error describes the panic and names the first frame of the user's code: the function
// that panicked, or called the code that did.
func (e *PanicError) Error() string {
	text := fmt.Sprintf("observable: a callback panicked: %v", e.Value)
	if frame := userFrame(string(e.Stack)); frame != "" {
		text += " (in " + frame + ")"
	}
	return text
}

// Format writes the error's text as the verb says, and for %+v the stack after it.
func (e *PanicError) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('+') {
		_, _ = fmt.Fprintf(f, "%s\n%s", e.Error(), e.Stack)
		return
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), e.Error())
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// userFrame returns the first frame below the panic that is neither the runtime's, nor
// the standard library's, nor the toolkit's own, as "main.handle main.go:12"; or "". A
// stack trace has two lines for each frame: the call, and the place behind a tab.
func userFrame(stack string) string {
	lines := strings.Split(stack, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			return firstUserFrame(lines[i:])
		}
	}
	return ""
}

// firstUserFrame returns the first frame of a stack trace that is the user's, or "".
func firstUserFrame(lines []string) string {
	for i := 0; i+1 < len(lines); i++ {
		call, place := lines[i], lines[i+1]
		isFrame := !strings.HasPrefix(call, "\t") && strings.HasPrefix(place, "\t")
		if !isFrame || !isUsers(call, place) {
			continue
		}
		if end := strings.LastIndexByte(call, '('); end > 0 { // the arguments
			call = call[:end]
		}
		place = fileOf(place)
		return call[strings.LastIndexByte(call, '/')+1:] + " " + place[strings.LastIndexByte(place, '/')+1:]
	}
	return ""
}

// ErrGoexit is reported when a callback ended its goroutine with
// runtime.Goexit, as a test's FailNow does. Match it with [errors.Is].
var ErrGoexit = errors.New("observable: a callback ended its goroutine (runtime.Goexit)")

// failure turns the result of a deferred recover into the error to report. A nil value
// means that the goroutine is exiting without a panic.
func failure(recovered any) error {
	if recovered == nil {
		return &goexitError{error: ErrGoexit}
	}
	return &PanicError{Value: recovered, Stack: debug.Stack()}
}

// isPanic reports whether err comes from a callback that did not return.
func isPanic(err error) bool {
	_, panicked := errors.AsType[*PanicError](err)
	return panicked || errors.Is(err, ErrGoexit)
}
