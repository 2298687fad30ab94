//go:build unix

package main

import (
	"os"
	"syscall"
)

// suffix is that of a program's file.
const suffix = ""

// become replaces this process by the program, which so gets every signal and gives its own exit
// code.
func become(program string, args []string) error {
	//nolint:gosec // the program was built from this repository
	return syscall.Exec(program, append([]string{program}, args...), os.Environ())
}
