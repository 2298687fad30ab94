package wstest_test

import (
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		require.NoError(t, network.OnDial(1, wstest.Delay(wstest.ToServer, 50*time.Millisecond)))
		client, server := dial(t, network)
		start := time.Now()

		write(t, client, "one")
		time.Sleep(20 * time.Millisecond)
		write(t, client, "two")
		read(t, server, "one")
		assert.Equal(t, 50*time.Millisecond, time.Since(start))
		read(t, server, "two")
		assert.Equal(t, 70*time.Millisecond, time.Since(start))

		write(t, server, "back")
		read(t, client, "back")
		assert.Equal(t, 70*time.Millisecond, time.Since(start), "the other way is free")
	})
}

func TestDelayKeepsTheOrderWhenItShrinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, new(wstest.Network))
		start := time.Now()
		inject(t, client.Link(), wstest.Delay(wstest.ToServer, time.Second))
		write(t, client, "slow ")
		inject(t, client.Link(), wstest.Delay(wstest.ToServer, 0))
		write(t, client, "fast")
		read(t, server, "slow fast")
		assert.Equal(t, time.Second, time.Since(start))

		write(t, client, "at once")
		read(t, server, "at once")
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestDelayKeepsTheOrderOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, &wstest.Network{Buffer: 10})
		start := time.Now()
		inject(t, client.Link(), wstest.Delay(wstest.ToServer, time.Second))
		write(t, client, "slow")
		inject(t, client.Link(), wstest.Delay(wstest.ToServer, 0))
		require.NoError(t, client.Close())

		// The news that the client is gone does not overtake its data either.
		n, err := server.Write(make([]byte, 20))
		assert.Equal(t, 10, n)
		require.ErrorIs(t, err, syscall.EPIPE)
		assert.Equal(t, time.Second, time.Since(start))
		read(t, server, "slow")
		assert.Equal(t, io.EOF, readError(t, server))
	})
}

func TestDelayOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, &wstest.Network{Buffer: 10})
		inject(t, client.Link(), wstest.Delay(wstest.ToServer, time.Second))
		start := time.Now()
		write(t, client, "bye")
		require.NoError(t, client.Close())
		write(t, server, "unaware")
		read(t, server, "bye")
		assert.Equal(t, time.Second, time.Since(start))
		assert.Equal(t, io.EOF, readError(t, server))
		require.ErrorIs(t, writeError(t, server), syscall.EPIPE)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// On the real clock time goes on between a look at it and the next: a piece that
// arrives in between must not be missed. A bubble's clock would hide that.
func TestDelayOnTheRealClock(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	inject(t, client.Link(), wstest.Delay(wstest.ToServer, time.Microsecond))
	require.NoError(t, server.SetReadDeadline(time.Now().Add(time.Minute)))
	for range 5000 {
		write(t, client, "x")
		read(t, server, "x")
	}
}

// A write that waits for room must learn, after the delay, that nobody will make any.
func TestDelayOfTheEndEndsAWaitingWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, &wstest.Network{Buffer: 10})
		inject(t, client.Link(), wstest.Delay(wstest.ToServer, time.Second))
		start := time.Now()
		require.NoError(t, client.Close())
		n, err := server.Write(make([]byte, 20))
		assert.Equal(t, 10, n)
		require.ErrorIs(t, err, syscall.EPIPE)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		require.NoError(t, network.OnDial(1,
			wstest.Throttle(wstest.ToServer, 1000), wstest.Delay(wstest.ToServer, 100*time.Millisecond)))
		client, server := dial(t, network)
		start := time.Now()
		write(t, client, strings.Repeat("x", 5000))
		assert.Zero(t, time.Since(start), "the buffer takes it")

		read(t, server, strings.Repeat("x", 1460))
		assert.Equal(t, 1560*time.Millisecond, time.Since(start), "one segment and the delay")
		read(t, server, strings.Repeat("x", 5000-1460))
		assert.Equal(t, 5100*time.Millisecond, time.Since(start))

		time.Sleep(time.Minute)
		start = time.Now()
		write(t, client, "0123456789")
		read(t, server, "0123456789")
		assert.Equal(t, 110*time.Millisecond, time.Since(start), "an idle line saves nothing up")

		inject(t, client.Link(), wstest.Throttle(wstest.ToServer, 0), wstest.Delay(wstest.ToServer, 0))
		start = time.Now()
		write(t, client, strings.Repeat("x", 5000))
		read(t, server, strings.Repeat("x", 5000))
		assert.Zero(t, time.Since(start))
	})
}

func TestThrottleWithASmallBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, &wstest.Network{Buffer: 100})
		inject(t, client.Link(), wstest.Throttle(wstest.ToServer, 1000))
		start := time.Now()
		go func() {
			_, err := client.Write(make([]byte, 1000))
			assert.NoError(t, err)
			assert.NoError(t, client.Close())
		}()
		n, err := io.Copy(io.Discard, server)
		require.NoError(t, err)
		assert.EqualValues(t, 1000, n)
		assert.Equal(t, time.Second, time.Since(start))
	})
}
