package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
)

// beOrders is the variable that makes the test binary the program itself.
const beOrders = "RXSOCKET_TEST_BE_ORDERS"

func TestMain(m *testing.M) {
	if os.Getenv(beOrders) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// patience bounds steps that should take little time.
const patience = 2 * time.Minute

// One process shows the fate of each order, and ends when all are shipped or rejected.
func TestOneProcess(t *testing.T) {
	for name, args := range map[string][]string{"memory": nil, "NATS": {"-nats", newNATS(t), "-parcels", t.TempDir()}} {
		t.Run(name, func(t *testing.T) {
			p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
				return run(ctx, append(args, "-addr", "127.0.0.1:0", "-orders", "10", "-every", "20ms", "-work", "2ms"), out)
			})
			require.NoError(t, p.Wait())
			assert.Regexp(t, `(?m)^worker \d +shipped +#`, p.String())
			assert.Regexp(t, `(?m)^bob +rejected +#`, p.String())
			assert.NotContains(t, p.String(), "dashboard")
		})
	}
}

// Ctrl-C ends the whole shop soon and well, with Bob and the workers at their work.
func TestInterrupted(t *testing.T) {
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-addr", "127.0.0.1:0", "-every", "100ms", "-work", "200ms"}, out)
	})
	p.Until(t, `(?m)^bob +confirmed +#3`)
	begun := time.Now()
	p.Stop()
	// The patience of program.Serve is 5 seconds.
	assert.Less(t, time.Since(begun), 4*time.Second)
	assert.Regexp(t, `(?m)^worker \d +shipped +#3`, p.String(), "work that was begun is done, and shown")
}

// TestInterruptedAtLongWork: orders that cannot be finished in time are named.
func TestInterruptedAtLongWork(t *testing.T) {
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-addr", "127.0.0.1:0", "-every", "100ms", "-work", "1m"}, out)
	})
	p.Until(t, `(?m)^bob +confirmed +#1`)
	p.Stop()
	assert.Regexp(t, `(?m)^shop +lost .*#1\b`, p.String())
}

func newNATS(t *testing.T) (url string) {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	require.True(t, s.ReadyForConnections(patience))
	return s.ClientURL()
}

// process is a part of the shop as a process of its own, which can be killed and started
// again.
type process struct {
	t    *testing.T
	args []string

	mu      sync.Mutex
	command *exec.Cmd
	ended   chan struct{}
	out     bytes.Buffer
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, args: args}
	p.start()
	t.Cleanup(p.kill)
	return p
}

// Write takes the output of the process.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func (p *process) start() {
	p.t.Helper()
	p.command = exec.Command(os.Args[0], p.args...)
	p.command.Env = append(os.Environ(), beOrders+"=1")
	p.command.Stdout, p.command.Stderr = p, p
	require.NoError(p.t, p.command.Start())
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // it is killed
	}()
}

// kill does the same as kill -9.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may be over
	<-p.ended
}

// addr waits until a node has told its address.
func (p *process) addr() string {
	p.t.Helper()
	told := regexp.MustCompile(`ws://([0-9.:]+);`)
	var match []string
	require.Eventually(p.t, func() bool {
		match = told.FindStringSubmatch(p.text())
		return match != nil
	}, patience, 10*time.Millisecond, "%s", p.args)
	return match[1]
}

// kills is how often the test kills a process.
var kills = flag.Int("orders.kills", 12, "how often a process is killed")

// Every order that Alice was told is placed is shipped once if it is valid, and else not,
// though nodes, workers and Bob are killed at random, and started again.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	nats, folder := newNATS(t), t.TempDir()
	var nodes, victims []*process
	var urls []string
	for range 3 {
		nodes = append(nodes, start(t, "-role", "node", "-nats", nats, "-addr", "127.0.0.1:0"))
	}
	for _, n := range nodes {
		n.args[len(n.args)-1] = n.addr() // so that it comes back there
		urls = append(urls, "ws://"+n.addr())
	}
	connect := strings.Join(urls, ",")
	victims = append(victims, nodes...)
	for i := range workers {
		victims = append(victims, start(t, "-role", "worker", "-connect", connect, "-parcels", folder, "-work", "100ms", "-name", fmt.Sprint("w", i)))
	}
	victims = append(victims, start(t, "-role", "bob", "-connect", connect))
	alice := start(t, "-role", "alice", "-connect", connect, "-every", "100ms", "-orders", fmt.Sprint(10**kills))

	for range *kills {
		// At any moment of their work.
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		victim := victims[rand.IntN(len(victims))]
		victim.kill()
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		victim.start()
	}
	select {
	case <-alice.ended:
	case <-time.After(time.Duration(*kills)*time.Second + patience):
		require.Fail(t, "Alice has not placed all", alice.text())
	}
	var want []string
	for _, m := range regexp.MustCompile(`placed +#\d+, (\d+) \w+ \(([-0-9a-f]+)\)`).FindAllStringSubmatch(alice.text(), -1) {
		if m[1] != "0" {
			want = append(want, m[2])
		}
	}
	require.Len(t, want, 8**kills, alice.text())
	assert.Eventually(t, func() bool { return len(shippedIn(t, folder)) >= len(want) }, patience, 50*time.Millisecond)
	assert.ElementsMatch(t, want, shippedIn(t, folder))
	again := 0
	for _, v := range victims {
		again += strings.Count(v.text(), "or somebody had")
	}
	t.Logf("%d orders, %d kills, %d orders given to a worker again", len(want), *kills, again)
}

// shippedIn returns the IDs of the orders whose parcels are in a folder.
func shippedIn(t *testing.T, folder string) (ids []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var n News
		require.NoError(t, json.Unmarshal(data, &n))
		ids = append(ids, n.Order.ID)
	}
	return slices.Clip(ids)
}

// A parcel is made once, even if several make it at the same time.
func TestParcelsOnce(t *testing.T) {
	for _, folder := range []string{"", t.TempDir()} {
		all, err := newParcels(folder)
		require.NoError(t, err)
		var running sync.WaitGroup
		var mu sync.Mutex
		first := 0
		for range 20 {
			running.Go(func() {
				again, err := all.ship(t.Context(), newOrder("an-id", 1), "worker")
				assert.NoError(t, err)
				if !again {
					mu.Lock()
					defer mu.Unlock()
					first++
				}
			})
		}
		running.Wait()
		assert.Equal(t, 1, first)
	}
}

// TestNobodyToConnectTo: a client that finds no node says so, and goes on.
func TestNobodyToConnectTo(t *testing.T) {
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-role", "bob", "-connect", "ws://127.0.0.1:1"}, out)
	})
	p.Until(t, `(?m)^bob +tries again: .* connection refused$`)
	p.Stop()
}

// A problem with the command line is the program's error.
func TestWrong(t *testing.T) {
	for want, args := range map[string]string{
		"-role": "-role x", "-orders": "-orders -1", "-every": "-every 0s", "-parcels": "-role worker", "no servers": "-nats nats://127.0.0.1:1",
	} {
		require.ErrorContains(t, run(t.Context(), strings.Fields(args), io.Discard), want)
	}
}
