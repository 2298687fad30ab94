// Command examples lists the example programs and runs them.
//
//	go run ./examples                        lists them
//	go run ./examples NAME [ARGUMENT ...]    runs one
package main

import (
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxsocket/rxsocket/examples/internal/launch"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "examples:", err)
		os.Exit(1)
	}
}

// run lists the examples, or becomes the one that the arguments name.
func run(args []string, out io.Writer) error {
	folder, err := launch.Examples()
	if err != nil {
		return err
	}
	examples, err := find(folder)
	if err != nil {
		return err
	}
	if len(args) == 0 || slices.Contains(help, args[0]) {
		list(out, examples)
		return nil
	}
	if strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("%s stands before the name of an example; its flags come behind that", args[0])
	}
	i := slices.IndexFunc(examples, func(e example) bool { return e.name == args[0] })
	if i < 0 {
		return fmt.Errorf("there is no example %q; without an argument they are listed", args[0])
	}
	e := examples[i]
	if !e.isProgram {
		if len(args) > 1 && slices.Contains(help, args[1]) {
			_, err := io.WriteString(out, e.doc) // the tests themselves would tell the flags of go test
			return err
		}
		return launch.Tests(e.folder, args[1:])
	}
	return launch.Program(e.folder, args[1:])
}

// help is the flags that ask what a program knows.
var help = []string{"-h", "-help", "--help"} //nolint:gochecknoglobals // it is constant

// example is a folder with a program, or with tests to read and run.
type example struct {
	name, folder string
	synopsis     string
	doc          string // the package comment
	isProgram    bool
}

// find returns the examples in a folder, including those that are modules of their own.
func find(folder string) (examples []example, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		e := example{name: entry.Name(), folder: filepath.Join(folder, entry.Name())}
		if err := e.read(); err != nil {
			return nil, err
		}
		if e.synopsis != "" {
			examples = append(examples, e)
		}
	}
	return examples, nil
}

// read fills in the text of the package's documentation. A folder without one is no
// example.
func (e *example) read() error {
	files, err := filepath.Glob(filepath.Join(e.folder, "*.go"))
	if err != nil {
		return err
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		if file.Doc != nil {
			e.doc = file.Doc.Text()
			synopsis := new(doc.Package).Synopsis(e.doc)
			_, e.synopsis, _ = strings.Cut(synopsis, " ")   // without "Command" ...
			_, e.synopsis, _ = strings.Cut(e.synopsis, " ") // ... and the name
			e.isProgram = file.Name.Name == "main"
		}
	}
	return nil
}

func list(out io.Writer, examples []example) {
	fmt.Fprint(out, "go run ./examples NAME [ARGUMENT ...] runs an example; with -h it tells its flags.\n\n")
	for _, e := range examples {
		fmt.Fprintf(out, "  %-10s %s\n", e.name, strings.TrimSuffix(e.synopsis, "."))
	}
}
