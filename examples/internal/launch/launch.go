// Package launch builds an example and becomes it: its exit code, output and signals are
// those of the program itself.
package launch

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Main is the main function of an example whose program needs libraries that the
// toolkit's module does not have. The program is a module of its own, in the folder
// program below that of the example.
func Main(name string) {
	folder, err := Examples()
	if err == nil {
		err = Program(filepath.Join(folder, name), os.Args[1:])
	}
	// Without an error, this is another program by now.
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	os.Exit(1)
}

// Examples returns the folder of the examples, from any folder of the module.
func Examples() (folder string, err error) {
	said, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/rxsocket/rxsocket/examples").Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("cannot find the examples: %s", failed.Stderr)
	}
	return strings.TrimSpace(string(said)), err
}

// Program builds the example in a folder and becomes it. It returns only with an error.
// An example that is a module itself runs in its own folder, since it works with the
// files there.
func Program(folder string, args []string) error {
	from, in := folder, ""
	if below := filepath.Join(folder, "program"); isModule(below) {
		from = below
	} else if isModule(folder) {
		in = folder
	}
	return launch(folder, in, args, "build", "-C", from)
}

// Tests builds the tests in a folder and becomes them. They run there, as those of go
// test do, and are shown one by one. Tests returns only with an error.
func Tests(folder string, args []string) error {
	if len(args) == 0 {
		args = []string{"-test.v"}
	}
	return launch(folder, folder, args, "test", "-C", folder, "-c")
}

func isModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

// launch has the go command build a file, and becomes it, in a folder unless that is
// empty. The file stays in the user's cache, so that the next build takes less time.
func launch(example, in string, args []string, build ...string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	name := filepath.Base(example)
	folder := filepath.Join(cache, "rxsocket", "examples")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	file := filepath.Join(folder, fileName(example))
	// Another launch could take the file away between the build and the start.
	if err := lock(file + ".lock"); err != nil {
		return err
	}
	command := exec.Command("go", append(build, "-o", file, ".")...) //nolint:gosec // the folder is that of an example
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("cannot build %s: %w", name, err)
	}
	if in != "" {
		if err := os.Chdir(in); err != nil {
			return err
		}
	}
	return become(file, args)
}

// fileName returns the name of the file for the example in a folder. Two copies of the
// repository have a file each.
func fileName(example string) string {
	if absolute, err := filepath.Abs(example); err == nil {
		example = absolute
	}
	sum := sha256.Sum256([]byte(example))
	return fmt.Sprintf("%s-%x%s", filepath.Base(example), sum[:4], suffix)
}
