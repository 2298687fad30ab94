package wstest_test

import (
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestStallHoldsWhatFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &wstest.Network{Buffer: 10}
		require.NoError(t, network.OnDial(1, wstest.Stall(wstest.ToServer, 3)))
		client, server := dial(t, network)
		link := client.Link()
		write(t, client, "abcdef")
		read(t, server, "abc")
		assert.Equal(t, 3, link.Passed(wstest.ToServer))
		write(t, server, "free")
		read(t, client, "free")

		require.NoError(t, server.SetReadDeadline(time.Now().Add(time.Hour)))
		assertTimeout(t, readError(t, server))
		require.NoError(t, server.SetReadDeadline(time.Time{}))

		// The client does not notice: it writes until the buffer is full.
		write(t, client, "ghijklm")
		require.NoError(t, client.SetWriteDeadline(time.Now().Add(time.Hour)))
		n, err := client.Write([]byte("n"))
		assert.Zero(t, n)
		assertTimeout(t, err)

		inject(t, link, wstest.Stall(wstest.ToServer, 0))
		assert.Equal(t, 3, link.Passed(wstest.ToServer), "a stall on top of another lets nothing through")
		inject(t, link, wstest.Stall(wstest.ToServer, 2))
		read(t, server, "de")

		reading := make(chan string, 1)
		go func() {
			p := make([]byte, 64)
			n, err := server.Read(p)
			assert.NoError(t, err)
			reading <- string(p[:n])
		}()
		synctest.Wait()
		require.Empty(t, reading)
		link.Resume(wstest.ToServer)
		assert.Equal(t, "fghijklm", <-reading)
		assert.Equal(t, 13, link.Passed(wstest.ToServer))
	})
}

func TestStallOfALiveConnectionLetsPassWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, new(wstest.Network))
		inject(t, client.Link(), wstest.Delay(wstest.ToServer, time.Second))
		write(t, client, "on its way")
		inject(t, client.Link(), wstest.Stall(wstest.ToServer, 0))
		write(t, client, "held")
		read(t, server, "on its way")
		require.NoError(t, server.SetReadDeadline(time.Now().Add(time.Hour)))
		assertTimeout(t, readError(t, server))
	})
}

func TestStallHoldsTheEnd(t *testing.T) {
	for name, end := range map[string]struct {
		end           func(client *wstest.Conn) error
		read, written error
	}{
		"close": {(*wstest.Conn).Close, io.EOF, syscall.EPIPE},
		"reset": {(*wstest.Conn).Reset, syscall.ECONNRESET, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &wstest.Network{Buffer: 10}
				client, server := dial(t, network)
				write(t, client, "abc")
				inject(t, client.Link(), wstest.Stall(wstest.ToServer, 0))
				require.NoError(t, end.end(client))
				read(t, server, "abc")

				// A peer that has vanished: reads wait, and writes go on until the buffer
				// is full.
				require.NoError(t, server.SetDeadline(time.Now().Add(time.Hour)))
				write(t, server, "0123456789")
				assertTimeout(t, writeError(t, server))
				assertTimeout(t, readError(t, server))
				require.NoError(t, server.SetDeadline(time.Time{}))

				failed := make(chan error, 2)
				go func() {
					_, err := server.Read(make([]byte, 1))
					failed <- err
				}()
				synctest.Wait()
				require.Empty(t, failed)
				server.Link().Resume(wstest.ToServer)
				require.ErrorIs(t, <-failed, end.read)
				require.ErrorIs(t, writeError(t, server), end.written)
			})
		})
	}
}

func TestStallAfterAHalfCloseHoldsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, new(wstest.Network))
		require.NoError(t, client.CloseWrite())
		inject(t, client.Link(), wstest.Stall(wstest.ToServer, 0))
		require.NoError(t, client.Close())
		assert.Equal(t, io.EOF, readError(t, server), "the end of the stream was on its way before the stall")
		write(t, server, "nobody has said")
		write(t, server, "that nobody reads this")

		client.Link().Resume(wstest.ToServer)
		require.ErrorIs(t, writeError(t, server), syscall.EPIPE)
		inject(t, client.Link(), wstest.Stall(wstest.ToServer, 0))
		require.ErrorIs(t, writeError(t, server), syscall.EPIPE, "bytes that have arrived stay")
		assert.Equal(t, io.EOF, readError(t, server))
	})
}

func TestVanishedPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := dial(t, new(wstest.Network))
		inject(t, client.Link(), wstest.Stall(wstest.ToServer, 0), wstest.Stall(wstest.ToClient, 0))
		require.NoError(t, server.Reset())
		write(t, client, "are you there?")
		require.NoError(t, client.SetReadDeadline(time.Now().Add(24*time.Hour)))
		assertTimeout(t, readError(t, client))
	})
}
