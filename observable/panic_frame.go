package observable

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// module is the path of the toolkit's packages; no user's code is in them.
const module = "github.com/rxsocket/rxsocket/"

// isUsers reports whether a frame of a stack trace belongs to the user's code.
func isUsers(call, place string) bool {
	for _, prefix := range []string{"panic(", "runtime.", "created by ", "goroutine "} {
		if strings.HasPrefix(call, prefix) {
			return false
		}
	}
	file := fileOf(place)
	isTest := strings.Contains(file, "_test.go:")
	switch path, ok := strings.CutPrefix(call, module); {
	case isStandard(call, file):
		return false
	case isTest:
		return true
	case ok:
		name, _, _ := strings.Cut(path, ".")
		return strings.HasSuffix(name, "_test") || strings.HasPrefix(name, "examples/")
	}
	return !isToolkits(file)
}

// isToolkits reports whether file is one of the toolkit's. The call does not show it: a
// closure of the toolkit that is inlined into a function of the user's has that
// function's name.
func isToolkits(file string) bool {
	name, ok := strings.CutPrefix(file, builtFrom.toolkit)
	return ok && !strings.HasPrefix(name, "examples/")
}

// isStandard reports whether a frame belongs to the standard library. Without the folder,
// as in a program built with -trimpath, a package counts as standard if its path has no
// dot in its first element, except for package main and the program's own module.
func isStandard(call, file string) bool {
	if strings.HasPrefix(file, "/") || strings.Contains(file, ":/") { // a folder
		return builtFrom.standard != "" && strings.HasPrefix(file, builtFrom.standard)
	}
	path, _, _ := strings.Cut(call, "(") // before the arguments, or the type of a method
	path, _, _ = strings.Cut(path, "[")
	first, _, isNested := strings.Cut(path, "/")
	if !isNested {
		first, _, _ = strings.Cut(path, ".")
	}
	own := builtFrom.program
	isOwn := own != "" && (strings.HasPrefix(path, own+".") || strings.HasPrefix(path, own+"/"))
	return first != "main" && !strings.Contains(first, ".") && !isOwn
}

// fileOf returns the file and line of the second line of a frame: "\t/home/a/main.go:12
// +0x1d".
func fileOf(place string) string {
	file := strings.TrimSpace(place)
	if i := strings.LastIndex(file, " +0x"); i >= 0 {
		file = file[:i]
	}
	return file
}

// builtFrom says where the program's source was.
var builtFrom = newOrigin() //nolint:gochecknoglobals // it depends on the build

// origin holds the places of a program's source, as stack traces have them.
type origin struct {
	standard string // folder of the standard library, with a slash, or "" if unknown
	toolkit  string // folder of the toolkit, or its module and version, with a slash
	program  string // path of the program's module, or ""
}

func newOrigin() (o origin) {
	if info, ok := debug.ReadBuildInfo(); ok {
		o.program = info.Main.Path
	}
	if _, file, _, ok := runtime.Caller(0); ok {
		o.toolkit = strings.TrimSuffix(file, "observable/panic_frame.go")
	}
	// The first frame is debug.Stack itself.
	for line := range strings.Lines(string(debug.Stack())) {
		if file, ok := strings.CutPrefix(line, "\t"); ok {
			o.standard, _, _ = strings.Cut(file, "runtime/debug/stack.go")
			break
		}
	}
	return o
}
