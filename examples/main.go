// Command examples lists the example programs and runs them.
//
//	go run ./examples                        lists them
//	go run ./examples NAME [ARGUMENT ...]    runs one
package main

import (
	"errors"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "examples:", err)
		os.Exit(1)
	}
}

// run lists the examples, or becomes the one that the arguments name.
func run(args []string, out io.Writer) error {
	folder, err := findFolder()
	if err != nil {
		return err
	}
	examples, err := find(folder)
	if err != nil {
		return err
	}
	if len(args) == 0 || slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
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
	program, err := examples[i].build()
	if err != nil {
		return err
	}
	return become(program, examples[i].arguments(args[1:]))
}

// findFolder returns the folder of this package, wherever in the module the user is.
func findFolder() (string, error) {
	said, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/rxsocket/rxsocket/examples").Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("cannot find the examples: %s", failed.Stderr)
	}
	return strings.TrimSpace(string(said)), err
}

// example is a folder with a program, or with tests that are to be read and run.
type example struct {
	name, folder string
	synopsis     string
	isProgram    bool
}

// find returns the examples in a folder. Those that are modules of their own are among them.
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

// read fills in what the package's documentation says. A folder without one is no example.
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
			synopsis := new(doc.Package).Synopsis(file.Doc.Text())
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

// build builds the example and returns the file. It stays in the user's cache, so that the next
// time takes less.
func (e *example) build() (file string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	file = filepath.Join(cache, "rxsocket", "examples", e.name+suffix)
	command := exec.Command("go", "build", "-C", e.folder, "-o", file, ".") //nolint:gosec // the folder of an example
	if !e.isProgram {
		command = exec.Command("go", "test", "-C", e.folder, "-c", "-o", file, ".") //nolint:gosec // likewise
	}
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("cannot build %s: %w", e.name, err)
	}
	return file, nil
}

// arguments returns those of the program: tests are shown one by one.
func (e *example) arguments(args []string) []string {
	if !e.isProgram && len(args) == 0 {
		return []string{"-test.v"}
	}
	return args
}
