//go:build unix

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// program is an example, as a process of its own that can be stopped and started again.
type program struct {
	t       *testing.T
	command func(out *programtest.Screen) *exec.Cmd
	addr    string
	running *exec.Cmd
}

// start starts an example on a free port. It ends with the test.
func start(t *testing.T, name string, args ...string) *program {
	t.Helper()
	folder, err := programs()
	require.NoError(t, err)
	p := &program{t: t, addr: freeAddr(t)}
	p.command = func(out *programtest.Screen) *exec.Cmd {
		command := exec.Command(filepath.Join(folder, name), append([]string{"-addr", p.addr}, args...)...)
		command.Stdout, command.Stderr = out, out
		return command
	}
	t.Cleanup(func() {
		if p.running != nil {
			p.stop()
		}
	})
	p.start()
	return p
}

// pages returns the names of the examples that have a page.
func pages() (names []string) {
	files, _ := filepath.Glob("../*/page.html") // the pattern is valid
	for _, file := range files {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	return names
}

// programs builds the examples that have a page, once, and returns their folder.
var programs = sync.OnceValues(func() (folder string, err error) {
	if folder, err = os.MkdirTemp("", "rxsocket-e2e-"); err != nil {
		return "", err
	}
	built.Store(&folder)
	args := []string{"build", "-C", "..", "-buildvcs=false", "-o", folder + string(os.PathSeparator)}
	for _, name := range pages() {
		args = append(args, "./"+name)
	}
	if said, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return folder, fmt.Errorf("%w: %s", err, said)
	}
	return folder, nil
})

// built is the folder of the programs, if there is one.
var built atomic.Pointer[string]

// freeAddr returns an address on this machine with a port that is free. It lies below
// those that the system gives to callers which ask for any port, so that it is still free
// when the program comes back.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if listener, err := net.Listen("tcp", addr); err == nil {
			require.NoError(t, listener.Close())
			return addr
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// onlyAbsence fails the test if a page's console has complaints but that its server was
// away.
func onlyAbsence(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	for _, fault := range b.Faults {
		assert.Regexp(t, `ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|status of 503|code: 503|closed before the connection is established`, fault)
	}
}

// url is the address of the program's page.
func (p *program) url() string { return "http://" + p.addr }

// start starts the program on the port that it had, and returns when it listens.
func (p *program) start() {
	p.t.Helper()
	var out programtest.Screen
	p.running = p.command(&out)
	require.NoError(p.t, p.running.Start())
	out.Until(p.t, `(?m)^\S.* http://`+p.addr)
}

// stop does the same as Ctrl-C, and waits for an end without an error.
func (p *program) stop() {
	p.t.Helper()
	p.signal(os.Interrupt)
	running := p.running
	p.running = nil
	require.NoError(p.t, running.Wait(), "%s", running.Stdout)
}

// kill ends the program like a machine that loses its power: without a word to its
// clients.
func (p *program) kill() {
	p.t.Helper()
	p.signal(os.Kill)
	_ = p.running.Wait() // its error says that it was killed
	p.running = nil
}

// freeze stops the program like a machine that sleeps: messages sent to it are not read.
func (p *program) freeze() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
}

func (p *program) signal(signal os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.running.Process.Signal(signal))
}
