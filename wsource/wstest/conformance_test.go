package wstest_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestConformance puts connections of each make through the duties of every net.Conn. The
// checks bear the names of the checks of golang.org/x/net/nettest. They run in virtual
// time, so the checks that wait for an hour show that nothing depends on the real clock.
func TestConformance(t *testing.T) {
	faulty := func(faults ...wstest.Fault) func(t *testing.T) (net.Conn, net.Conn) {
		return func(t *testing.T) (net.Conn, net.Conn) {
			t.Helper()
			network := &wstest.Network{Buffer: 1000}
			require.NoError(t, network.OnEveryDial(faults...))
			client, server := dial(t, network)
			return client, server
		}
	}
	makes := map[string]func(t *testing.T) (net.Conn, net.Conn){
		"pipe": func(t *testing.T) (net.Conn, net.Conn) {
			t.Helper()
			client, server := wstest.Pipe()
			t.Cleanup(func() { _, _ = client.Close(), server.Close() })
			return client, server
		},
		"dialled": faulty(),
		"delayed": faulty(
			wstest.Delay(wstest.ToServer, 20*time.Millisecond), wstest.Delay(wstest.ToClient, time.Millisecond)),
		"throttled": faulty(wstest.Throttle(wstest.ToServer, 50_000), wstest.Throttle(wstest.ToClient, 7_000)),
		"tiny buffer": func(t *testing.T) (net.Conn, net.Conn) {
			t.Helper()
			client, server := dial(t, &wstest.Network{Buffer: 7})
			return client, server
		},
	}
	checks := map[string]func(t *testing.T, a, b net.Conn){
		"BasicIO":           checkBasicIO,
		"PingPong":          checkPingPong,
		"RacyRead":          checkRacyRead,
		"RacyWrite":         checkRacyWrite,
		"ReadTimeout":       checkReadTimeout,
		"WriteTimeout":      checkWriteTimeout,
		"PastTimeout":       checkPastTimeout,
		"PresentTimeout":    checkPresentTimeout,
		"FutureTimeout":     checkFutureTimeout,
		"CloseTimeout":      checkCloseTimeout,
		"ConcurrentMethods": checkConcurrentMethods,
	}
	for made, connect := range makes {
		for checked, check := range checks {
			t.Run(made+"/"+checked, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b := connect(t)
					check(t, a, b)
				})
				synctest.Test(t, func(t *testing.T) {
					a, b := connect(t)
					check(t, b, a)
				})
			})
		}
	}
}

// aLongTimeAgo is a deadline that is over.
var aLongTimeAgo = time.Unix(1, 0)

// assertTimeout asserts an error as net.Conn promises it for a deadline.
func assertTimeout(t *testing.T, err error) {
	t.Helper()
	var netErr net.Error
	if assert.ErrorAs(t, err, &netErr) {
		assert.True(t, netErr.Timeout())
	}
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// copyAll reads from a connection for as long as there is something to read.
func copyAll(group *sync.WaitGroup, conn net.Conn) {
	group.Go(func() { _, _ = io.Copy(io.Discard, conn) })
}

// fill writes without end, until a write fails.
func fill(conn net.Conn) error {
	for {
		if _, err := conn.Write(make([]byte, 1024)); err != nil {
			return err
		}
	}
}

// checkBasicIO sends much in one direction, has it sent back, and compares.
func checkBasicIO(t *testing.T, a, b net.Conn) {
	t.Helper()
	sent := make([]byte, 1<<16)
	for i := range sent {
		sent[i] = byte(rand.IntN(256))
	}
	var group sync.WaitGroup
	group.Go(func() {
		_, err := a.Write(sent)
		assert.NoError(t, err)
	})
	group.Go(func() {
		returned := make([]byte, len(sent))
		if _, err := io.ReadFull(a, returned); assert.NoError(t, err) {
			assert.True(t, bytes.Equal(sent, returned))
		}
		assert.NoError(t, a.Close())
	})
	group.Go(func() {
		if n, err := io.Copy(b, b); assert.NoError(t, err) {
			assert.EqualValues(t, len(sent), n)
		}
		assert.NoError(t, b.Close())
	})
	group.Wait()
}

// checkPingPong passes a number to and fro, each side adding one.
func checkPingPong(t *testing.T, a, b net.Conn) {
	t.Helper()
	const rounds = 100
	var group sync.WaitGroup
	for _, conn := range []net.Conn{a, b} {
		group.Go(func() {
			ball := make([]byte, 1)
			for range rounds {
				if _, err := io.ReadFull(conn, ball); !assert.NoError(t, err) {
					return
				}
				ball[0]++
				if _, err := conn.Write(ball); !assert.NoError(t, err) {
					return
				}
			}
		})
	}
	_, err := a.Write([]byte{0})
	require.NoError(t, err)
	last := make([]byte, 1)
	group.Wait()
	_, err = io.ReadFull(b, last)
	require.NoError(t, err)
	assert.Equal(t, byte(2*rounds), last[0])
}

// checkRacyRead reads in several goroutines while deadlines come and go.
func checkRacyRead(t *testing.T, a, b net.Conn) {
	t.Helper()
	var writer, readers sync.WaitGroup
	writer.Go(func() { _ = fill(b) })
	for range 10 {
		readers.Go(func() {
			p := make([]byte, 1024)
			for round := range 10 {
				if _, err := a.Read(p); err != nil {
					assertTimeout(t, err)
				}
				assert.NoError(t, a.SetReadDeadline(time.Now().Add(time.Duration(round%3)*time.Millisecond)))
			}
		})
	}
	readers.Wait()
	require.NoError(t, b.Close())
	writer.Wait()
}

// checkRacyWrite writes in several goroutines while deadlines come and go.
func checkRacyWrite(t *testing.T, a, b net.Conn) {
	t.Helper()
	var reader, writers sync.WaitGroup
	copyAll(&reader, b)
	for range 10 {
		writers.Go(func() {
			p := make([]byte, 1024)
			for round := range 10 {
				if _, err := a.Write(p); err != nil {
					assertTimeout(t, err)
				}
				assert.NoError(t, a.SetWriteDeadline(time.Now().Add(time.Duration(round%3)*time.Millisecond)))
			}
		})
	}
	writers.Wait()
	require.NoError(t, a.Close())
	reader.Wait()
}

// checkReadTimeout asserts that writing goes on after a read has timed out.
func checkReadTimeout(t *testing.T, a, b net.Conn) {
	t.Helper()
	var reader sync.WaitGroup
	copyAll(&reader, b)
	require.NoError(t, a.SetReadDeadline(aLongTimeAgo))
	_, err := a.Read(make([]byte, 1024))
	assertTimeout(t, err)
	_, err = a.Write(make([]byte, 1024))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	reader.Wait()
}

// checkWriteTimeout asserts that reading goes on after a write has timed out.
func checkWriteTimeout(t *testing.T, a, b net.Conn) {
	t.Helper()
	var writer sync.WaitGroup
	writer.Go(func() { _ = fill(b) })
	require.NoError(t, a.SetWriteDeadline(aLongTimeAgo))
	_, err := a.Write(make([]byte, 1024))
	assertTimeout(t, err)
	_, err = a.Read(make([]byte, 1024))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	writer.Wait()
}

// checkPastTimeout asserts that a deadline in the past fails calls at once, even if
// they could go on, and that taking it away lets them.
func checkPastTimeout(t *testing.T, a, b net.Conn) {
	t.Helper()
	var echo sync.WaitGroup
	echo.Go(func() { _, _ = io.Copy(b, b) })
	checkRoundTrip(t, a)
	_, err := b.Write([]byte("!")) // it makes a ready to read
	require.NoError(t, err)

	require.NoError(t, a.SetDeadline(aLongTimeAgo))
	n, err := a.Write(make([]byte, 1024))
	assert.Zero(t, n)
	assertTimeout(t, err)
	n, err = a.Read(make([]byte, 1024))
	assert.Zero(t, n)
	assertTimeout(t, err)

	require.NoError(t, a.SetDeadline(time.Time{}))
	read(t, a, "!")
	checkRoundTrip(t, a)
	require.NoError(t, a.Close())
	echo.Wait()
}

// checkRoundTrip asserts that written bytes come back.
func checkRoundTrip(t *testing.T, conn net.Conn) {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Time{}))
	var writer sync.WaitGroup
	writer.Go(func() {
		_, err := conn.Write([]byte("there and back"))
		assert.NoError(t, err)
	})
	read(t, conn, "there and back")
	writer.Wait()
}

// checkPresentTimeout sets a deadline in the past under calls that wait.
func checkPresentTimeout(t *testing.T, a, _ net.Conn) {
	t.Helper()
	var waiting sync.WaitGroup
	waiting.Go(func() {
		_, err := a.Read(make([]byte, 1024))
		assertTimeout(t, err)
	})
	waiting.Go(func() { assertTimeout(t, fill(a)) })
	synctest.Wait()
	require.NoError(t, a.SetDeadline(aLongTimeAgo))
	waiting.Wait()
}

// checkFutureTimeout asserts that calls wait for the deadline, exactly, and that the
// connection serves on after it.
func checkFutureTimeout(t *testing.T, a, b net.Conn) {
	t.Helper()
	start := time.Now()
	require.NoError(t, a.SetDeadline(start.Add(time.Hour)))
	var waiting sync.WaitGroup
	waiting.Go(func() {
		_, err := a.Read(make([]byte, 1024))
		assertTimeout(t, err)
		assert.Equal(t, time.Hour, time.Since(start))
	})
	waiting.Go(func() {
		assertTimeout(t, fill(a))
		assert.Equal(t, time.Hour, time.Since(start))
	})
	waiting.Wait()

	var echo sync.WaitGroup
	echo.Go(func() {
		// The bytes written before the deadline come first.
		for {
			p := make([]byte, 1024)
			n, err := b.Read(p)
			if err != nil {
				return
			}
			if p = bytes.TrimLeft(p[:n], "\x00"); len(p) > 0 {
				if _, err = b.Write(p); err != nil {
					return
				}
			}
		}
	})
	checkRoundTrip(t, a)
	require.NoError(t, a.Close())
	echo.Wait()
}

// checkCloseTimeout closes a connection under calls that wait for a deadline.
func checkCloseTimeout(t *testing.T, a, b net.Conn) {
	t.Helper()
	start := time.Now()
	require.NoError(t, a.SetDeadline(start.Add(time.Hour)))
	var waiting sync.WaitGroup
	waiting.Go(func() {
		_, err := a.Read(make([]byte, 1024))
		assert.ErrorIs(t, err, net.ErrClosed)
	})
	waiting.Go(func() { assert.ErrorIs(t, fill(a), net.ErrClosed) })
	synctest.Wait()
	require.NoError(t, a.Close())
	waiting.Wait()
	assert.Zero(t, time.Since(start))
	require.NoError(t, b.Close())
}

// checkConcurrentMethods calls everything at once.
func checkConcurrentMethods(t *testing.T, a, b net.Conn) {
	t.Helper()
	var echo, callers sync.WaitGroup
	echo.Go(func() { _, _ = io.Copy(b, b) })
	for range 50 {
		for _, call := range []func() error{
			func() error { _, err := a.Read(make([]byte, 1024)); return err },
			func() error { _, err := a.Write(make([]byte, 1024)); return err },
			func() error { return a.SetDeadline(time.Now().Add(10 * time.Millisecond)) },
			func() error { return a.SetReadDeadline(aLongTimeAgo) },
			func() error { return a.SetWriteDeadline(aLongTimeAgo) },
			func() error { _, _ = a.LocalAddr(), a.RemoteAddr(); return nil },
		} {
			callers.Go(func() {
				if err := call(); err != nil && !errors.Is(err, io.EOF) {
					assertTimeout(t, err)
				}
			})
		}
	}
	synctest.Wait()
	require.NoError(t, a.SetDeadline(aLongTimeAgo))
	callers.Wait()
	require.NoError(t, a.Close())
	echo.Wait()
}
