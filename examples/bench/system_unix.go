//go:build linux || darwin

package main

import (
	"fmt"
	"syscall"
	"time"
)

// openFiles lets this process have n files open. Go has raised the soft limit to the hard
// one already; the superuser may raise that too.
func openFiles(n int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	has := limit.Cur
	if has >= uint64(n) {
		return nil
	}
	limit.Cur, limit.Max = uint64(n), uint64(n)
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return fmt.Errorf("%w: it needs %d open files, and the limit is %d: run ulimit -n %d", errSkip, n, has, n)
	}
	return nil
}

// processorTime returns how long processors have worked for this process, kernel
// included.
func processorTime() (time.Duration, error) {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}
