package launch_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/launch"
)

// beLaunched is the variable that makes the test binary an example. Its value is the
// example's folder.
const beLaunched = "RXSOCKET_TEST_BE_LAUNCHED"

func TestMain(m *testing.M) {
	folder := os.Getenv(beLaunched)
	if folder == "" {
		goleak.VerifyTestMain(m)
		return
	}
	run := launch.Program
	if filepath.Base(folder) == "tests" {
		run = launch.Tests
	}
	panic(run(folder, os.Args[1:]))
}

// told is a program that prints its folder and its arguments, and fails with a status of
// its own.
const told = `package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	folder, _ := os.Getwd()
	fmt.Print("in ", filepath.Base(folder), ": ", os.Args[1:])
	os.Exit(3)
}
`

// tests are tests that print the same.
const tests = `package tests

import "testing"

func TestRead(t *testing.T) { println("verbose:", testing.Verbose()) }
`

// launched runs the program that the test binary becomes, from a folder named user, and
// returns its output and its status.
func launched(t *testing.T, files map[string]string, example string, args ...string) (said string, status int) {
	t.Helper()
	folder := t.TempDir()
	write(t, folder, files)
	return launchedWith(t, folder, folder, example, args...)
}

// write writes files into a folder, beside a folder named user.
func write(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "user"), 0o755))
	for name, text := range files {
		name = filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

// launchedWith is launched, for an example below a folder that is written, with the
// user's cache in another folder.
func launchedWith(t *testing.T, folder, userCache, example string, args ...string) (said string, status int) {
	t.Helper()
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if !assert.NoError(t, err) {
		return "", 0
	}
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Dir = filepath.Join(folder, "user")
	command.Env = append(os.Environ(), beLaunched+"="+filepath.Join(folder, example), "GOCACHE="+strings.TrimSpace(string(cache)),
		// Without both, a Mac has the folder elsewhere.
		"GOWORK=off", "XDG_CACHE_HOME="+userCache, "LocalAppData="+userCache)
	out, err := command.CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), failed.ExitCode()
	}
	assert.NoError(t, err, "%s", out)
	return string(out), 0
}

func TestLaunch(t *testing.T) {
	const module = "module example.test\n\ngo 1.26\n"
	all := map[string]string{"go.mod": module, "plain/main.go": told, "tests/a_test.go": tests}

	said, status := launched(t, all, "plain", "-flag", "a b")
	assert.Equal(t, "in user: [-flag a b]", said)
	assert.Equal(t, 3, status)

	nested := map[string]string{"go.mod": module, "nested/main.go": "package main\n\nfunc main() {}\n", "nested/program/go.mod": module,
		"nested/program/main.go": told}
	said, status = launched(t, nested, "nested", "-h")
	assert.Equal(t, "in user: [-h]", said, "it is the program below")
	assert.Equal(t, 3, status)

	said, _ = launched(t, map[string]string{"apart/go.mod": module, "apart/main.go": told}, "apart")
	assert.Equal(t, "in apart: []", said, "a module runs in its folder")

	said, status = launched(t, all, "tests")
	assert.Contains(t, said, "verbose: true")
	assert.Contains(t, said, "PASS: TestRead")
	assert.Zero(t, status)

	said, status = launched(t, map[string]string{"go.mod": module, "broken/main.go": "package main\n"}, "broken")
	assert.Contains(t, said, "cannot build broken: ")
	assert.NotZero(t, status)
}

// TestLaunchAtOnce launches one example several times at once: no launch starts a file
// that another one is writing.
func TestLaunchAtOnce(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, map[string]string{"go.mod": "module example.test\n\ngo 1.26\n", "plain/main.go": told})
	// The go command copies the file that it has built into such a folder, as it does
	// into one of another file system, and does not rename it.
	programs := filepath.Join(folder, "rxsocket", "examples")
	require.NoError(t, os.MkdirAll(programs, 0o755))
	require.NoError(t, os.Chmod(programs, 0o755|os.ModeSetgid))
	var launches sync.WaitGroup
	for range 6 {
		launches.Go(func() {
			said, status := launchedWith(t, folder, folder, "plain", "at", "once")
			assert.Equal(t, "in user: [at once]", said)
			assert.Equal(t, 3, status)
		})
	}
	launches.Wait()
}

// TestFilesOfTwoCopies checks that examples of the same name in two folders do not share
// a file.
func TestFilesOfTwoCopies(t *testing.T) {
	cache := t.TempDir()
	for _, status := range []int{3, 4} {
		folder := t.TempDir()
		write(t, folder, map[string]string{
			"go.mod":        "module example.test\n\ngo 1.26\n",
			"plain/main.go": strings.Replace(told, "3", strconv.Itoa(status), 1),
		})
		_, got := launchedWith(t, folder, cache, "plain")
		assert.Equal(t, status, got)
	}
	files, err := filepath.Glob(filepath.Join(cache, "rxsocket", "examples", "plain-*"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(files), 2)
}
