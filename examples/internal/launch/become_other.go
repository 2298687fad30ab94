//go:build !unix

package launch

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// suffix is the suffix of a program's file.
const suffix = ".exe"

// become runs the program and exits with its exit code. Ctrl-C goes to both processes,
// and the program answers it.
func become(program string, args []string) error {
	signal.Ignore(os.Interrupt)
	command := exec.Command(program, args...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := command.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(failed.ExitCode())
	}
	return err
}

// lock does nothing: the go command moves a program's file away while it runs.
func lock(string) error { return nil }
