package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// bunPath is the path at which npm puts the program.
const bunPath = "bun/node_modules/.bin/bun"

// startBun starts the server of bun/broadcast.mjs, a process of its own.
func startBun(sockets int) (*broadcaster, error) {
	if _, err := os.Stat(bunPath); err != nil {
		return nil, fmt.Errorf("%w: run npm install in the folder bun", errSkip)
	}
	process := exec.Command(bunPath, "bun/broadcast.mjs")
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	command := func(format string, args ...any) error {
		if _, err := fmt.Fprintf(in, format+"\n", args...); err != nil {
			return err
		}
		answer, err := lines.ReadString('\n')
		if err == nil && answer != "done\n" {
			err = fmt.Errorf("bun answered %q", answer)
		}
		return err
	}
	stop := func() {
		_ = in.Close()
		_ = process.Wait()
	}
	port, err := lines.ReadString('\n')
	if err != nil {
		stop()
		return nil, err
	}
	return &broadcaster{
		address: "127.0.0.1:" + strings.TrimSpace(port),
		opened:  func() error { return command("opened %d", sockets) },
		publish: func(n, size int) error { return command("publish %d %d", n, size) },
		extent:  frameOf,
		stop:    stop,
	}, nil
}
