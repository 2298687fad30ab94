//go:build unix

package launch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// suffix is the suffix of a program's file.
const suffix = ""

// become replaces this process by the program, which so gets every signal and gives its
// own exit code.
func become(program string, args []string) error {
	//nolint:gosec // the program was built from this repository
	return syscall.Exec(program, append([]string{program}, args...), os.Environ())
}

// lock waits until no other process has locked the file, and locks it until this process
// ends or becomes another program.
func lock(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // it is in the user's cache
	if err != nil {
		return err
	}
	whole := &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	for {
		err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLKW, whole)
		if err == nil {
			locked = append(locked, f)
			return nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("cannot lock %s: %w", file, err)
		}
	}
}

// locked are the locked files. They stay open: a lock ends when its file is closed, as by
// the start of another program.
var locked []*os.File //nolint:gochecknoglobals // the locks are the process's
