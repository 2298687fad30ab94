package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// beExamples is the variable that makes the test binary the program itself.
const beExamples = "RXSOCKET_TEST_BE_EXAMPLES"

func TestMain(m *testing.M) {
	if os.Getenv(beExamples) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// process is the program as a process of its own, with an empty cache for the files that
// it builds.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	folder := t.TempDir()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), beExamples+"=1", "GOCACHE="+strings.TrimSpace(string(cache)),
		// Without both, a Mac has the folder elsewhere.
		"XDG_CACHE_HOME="+folder, "LocalAppData="+folder)
	return command
}

func TestListHasEveryExample(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(nil, &out))
	programs, err := filepath.Glob("*/main.go")
	require.NoError(t, err)
	require.Greater(t, len(programs), 5)
	document, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, program := range programs {
		name := filepath.Dir(program)
		assert.Regexp(t, `(?m)^  `+name+` +[a-z].{10}`, out.String())
		assert.FileExists(t, filepath.Join(name, "README.md"))
		assert.Contains(t, string(document), "["+name+"]("+name+")")
	}
	assert.NotRegexp(t, `(?m)^  internal`, out.String())
	require.ErrorContains(t, run([]string{"nosuch"}, &out), `there is no example "nosuch"`)
	require.ErrorContains(t, run([]string{"-duration", "3s", "chat"}, &out), "-duration stands before the name")
	listed := out.String()
	out.Reset()
	require.NoError(t, run([]string{"-h"}, &out))
	assert.Equal(t, listed, out.String())
}

// With -h, an example of tests says what it does and which flags of its own it has.
func TestHelpOfTests(t *testing.T) {
	for _, flag := range help {
		var out bytes.Buffer
		require.NoError(t, run([]string{"e2e", flag}, &out))
		assert.Contains(t, out.String(), "Package e2e opens each example's page")
		assert.Contains(t, out.String(), "go run ./examples e2e -shots FOLDER ")
		assert.Contains(t, out.String(), "go run ./examples e2e -pictures ")
		assert.NotContains(t, out.String(), "-test.")
	}
}

// TestModulesAreLaunched: an example whose program is a module of its own has a command
// in the toolkit's module that launches it, and both have the same synopsis.
func TestModulesAreLaunched(t *testing.T) {
	modules, err := filepath.Glob("*/program/go.mod")
	require.NoError(t, err)
	require.Greater(t, len(modules), 2)
	for _, module := range modules {
		folder := filepath.Dir(filepath.Dir(module))
		command, program := example{folder: folder}, example{folder: filepath.Dir(module)}
		require.NoError(t, command.read())
		require.NoError(t, program.read())
		assert.Equal(t, program.synopsis, command.synopsis, folder)
		source, err := os.ReadFile(filepath.Join(folder, "main.go"))
		require.NoError(t, err)
		assert.Contains(t, string(source), `launch.Main("`+folder+`")`)
	}
}

// A fresh clone runs an example, and its exit code, output and signals are the program's
// own.
func TestRunIsTheProgram(t *testing.T) {
	said, err := process(t, "echo", "shout").CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, 1, failed.ExitCode())
	assert.Contains(t, string(said), "echo: unknown command \"shout\"\n")

	if runtime.GOOS == "windows" {
		t.Skip("one process cannot interrupt another here")
	}
	server := process(t, "echo", "serve", "-addr", "127.0.0.1:0")
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, "listening on ws://127.0.0.1:")
	require.NoError(t, server.Process.Signal(os.Interrupt))
	require.NoError(t, server.Wait())
}
