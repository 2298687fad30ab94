package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// rxjs returns the contender that runs a work of rxjs/bench.mjs, over n items.
func rxjs(name, job string, n int) contender {
	return contender{name, func() (figure, error) {
		if _, err := exec.LookPath("node"); err != nil {
			return figure{}, fmt.Errorf("%w: Node is not installed", errSkip)
		}
		out, err := exec.Command("node", "rxjs/bench.mjs", job, strconv.Itoa(n)).Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			if strings.Contains(string(exit.Stderr), "ERR_MODULE_NOT_FOUND") {
				return figure{}, fmt.Errorf("%w: run npm ci in the folder rxjs", errSkip)
			}
			return figure{}, fmt.Errorf("node: %w: %s", err, exit.Stderr)
		}
		if err != nil {
			return figure{}, err
		}
		ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		return figure{ns, -1}, err
	}}
}
