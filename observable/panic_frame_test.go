package observable_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
)

// TestPanicErrorNamesTheUser finds the frame of the user's code in stack traces.
func TestPanicErrorNamesTheUser(t *testing.T) {
	_, here, _, ok := runtime.Caller(0)
	require.True(t, ok)
	toolkit := strings.TrimSuffix(here, "observable/panic_frame_test.go")
	for name, test := range map[string]struct{ frames, want string }{
		"standard library without its folder": {`
strings.Repeat({0x52b3d2, 0x1}, 0xffffffffffffffff)
	strings/strings.go:628 +0x46f
encoding/json.(*Decoder).Decode(0xc000012345)
	encoding/json/stream.go:50 +0x1
main.main.func1(...)
	example.com/app/main.go:14
`, "main.main.func1 main.go:14"},
		"package of a module without a folder": {`
slices.SortFunc[...]({0x1, 0x2, 0x3})
	slices/sort.go:29 +0x1
gopkg.in/yaml%2ev3.(*node).parse(0x1)
	gopkg.in/yaml.v3@v3.0.1/yaml.go:12 +0x1
`, "yaml%2ev3.(*node).parse yaml.go:12"},
		"closure of the toolkit inlined into the user's code": {`
main.main.Map[...].func3(0x1)
	` + toolkit + `operators/map.go:20 +0x1d
main.handle(...)
	/home/me/my app/main.go:31
`, "main.handle main.go:31"},
		"example": {`
main.main.func1(0x1)
	` + toolkit + `examples/chat/main.go:20 +0x1d
`, "main.main.func1 main.go:20"},
		"toolkit": {`
github.com/rxsocket/rxsocket/operators.Map[...].func1(0x1)
	/elsewhere/operators/map.go:20 +0x1d
`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			stack := "goroutine 1 [running]:\npanic({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:1 +0x1" + test.frames
			text := (&observable.PanicError{Value: errBoom, Stack: []byte(stack)}).Error()
			_, frame, _ := strings.Cut(text, " (in ")
			assert.Equal(t, test.want, strings.TrimSuffix(frame, ")"))
		})
	}
}
