package wstest_test

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestNetworkNames(t *testing.T) {
	network := new(wstest.Network)
	a, err := network.Listen("a.test:80")
	require.NoError(t, err)
	b, err := network.Listen("b.test:80")
	require.NoError(t, err)
	assert.Equal(t, "a.test:80", a.Addr().String())
	assert.Equal(t, "wstest", a.Addr().Network())

	_, err = network.Listen("A.test:80")
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	_, err = network.Listen("a.test")
	var addrErr *net.AddrError
	require.ErrorAs(t, err, &addrErr)

	for _, listener := range []net.Listener{b, a} {
		name := listener.Addr().String()
		client, err := network.DialContext(t.Context(), "tcp", name)
		require.NoError(t, err)
		server, err := listener.Accept()
		require.NoError(t, err)
		assert.Equal(t, name, client.RemoteAddr().String())
		assert.Equal(t, name, server.LocalAddr().String())
		assert.Equal(t, client.LocalAddr(), server.RemoteAddr())
		assert.Equal(t, fmt.Sprintf("client.test:%d", network.Dials()), client.LocalAddr().String())
		write(t, client, name)
		read(t, server, name)
		require.NoError(t, client.Close())
		require.Len(t, network.Links(), 1)
		require.NoError(t, server.Close())
		require.NoError(t, listener.Close())
	}
	assert.Equal(t, 2, network.Dials())
	assert.Empty(t, network.Links())

	again, err := network.Listen("a.test:80")
	require.NoError(t, err, "Close frees the address")
	require.ErrorIs(t, a.Close(), net.ErrClosed)
	_, err = network.Listen("a.test:80")
	require.ErrorIs(t, err, syscall.EADDRINUSE, "a second Close does not free it for the next one's owner")
	require.NoError(t, again.Close())
}

func TestDialErrors(t *testing.T) {
	network := new(wstest.Network)
	listener, err := network.Listen("server.test:80")
	require.NoError(t, err)
	defer listener.Close()

	_, err = network.DialContext(t.Context(), "udp", "server.test:80")
	var unknown net.UnknownNetworkError
	require.ErrorAs(t, err, &unknown)
	_, err = network.DialContext(t.Context(), "tcp", "server.test")
	var addrErr *net.AddrError
	require.ErrorAs(t, err, &addrErr)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = network.DialContext(ended, "tcp", "server.test:80")
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, network.Dials(), "none of these was a connection")

	_, err = network.DialContext(t.Context(), "tcp", "nobody.test:80")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	var opErr *net.OpError
	require.ErrorAs(t, err, &opErr)
	assert.Equal(t, "dial", opErr.Op)
	assert.Equal(t, "nobody.test:80", opErr.Addr.String())
	assert.Equal(t, 1, network.Dials())
	assert.Nil(t, network.Link(1))
	assert.Nil(t, network.Link(0))
	assert.Nil(t, network.Link(2))
}

func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &wstest.Network{Backlog: 2}
		listener, err := network.Listen("server.test:80")
		require.NoError(t, err)
		var clients []net.Conn
		for range 2 {
			client, err := network.DialContext(t.Context(), "tcp", "server.test:80")
			require.NoError(t, err, "a connection is made before it is accepted")
			write(t, client, "hello")
			clients = append(clients, client)
		}

		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = network.DialContext(ctx, "tcp", "server.test:80")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var netErr net.Error
		require.ErrorAs(t, err, &netErr)
		assert.True(t, netErr.Timeout())
		assert.Equal(t, time.Hour, time.Since(start))
		assert.Nil(t, network.Link(3))

		dialled := make(chan net.Conn, 1)
		go func() {
			client, err := network.DialContext(t.Context(), "tcp", "server.test:80")
			assert.NoError(t, err)
			dialled <- client
		}()
		synctest.Wait()
		require.Empty(t, dialled)
		server, err := listener.Accept()
		require.NoError(t, err)
		read(t, server, "hello")
		assert.Equal(t, server.RemoteAddr(), clients[0].LocalAddr(), "first come, first served")
		clients = append(clients, <-dialled)

		refused := make(chan error)
		go func() {
			_, err := network.DialContext(t.Context(), "tcp", "server.test:80")
			refused <- err
		}()
		synctest.Wait()
		require.NoError(t, listener.Close())
		require.ErrorIs(t, <-refused, syscall.ECONNREFUSED)
		require.ErrorIs(t, readError(t, clients[1]), syscall.ECONNRESET, "nobody will ever accept it")
		require.ErrorIs(t, readError(t, clients[2]), syscall.ECONNRESET)
		write(t, clients[0], "accepted ones live on")
		read(t, server, "accepted ones live on")

		require.Len(t, network.Links(), 3)
		for _, conn := range append(clients, server) {
			require.NoError(t, conn.Close())
		}
		assert.Empty(t, network.Links())
	})
}

func TestListenerCloseEndsAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, err := new(wstest.Network).Listen("server.test:80")
		require.NoError(t, err)
		failed := make(chan error)
		go func() {
			_, err := listener.Accept()
			failed <- err
		}()
		synctest.Wait()
		require.NoError(t, listener.Close())
		require.ErrorIs(t, <-failed, net.ErrClosed)
		_, err = listener.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
		require.ErrorIs(t, listener.Close(), net.ErrClosed)
	})
}

// hookContext calls a function in Done, which a dial calls when it has found the listener
// and is about to enter the backlog.
type hookContext struct {
	context.Context

	hook func()
}

func (c hookContext) Done() <-chan struct{} {
	c.hook()
	return c.Context.Done()
}

// A dial that meets Close either fails or is reset: it must not wait for a closed
// listener.
func TestDialMeetsListenerClose(t *testing.T) {
	for range 50 { // chance decides between the two
		synctest.Test(t, func(t *testing.T) {
			network := new(wstest.Network)
			listener, err := network.Listen("server.test:80")
			require.NoError(t, err)
			ctx := hookContext{t.Context(), func() { assert.NoError(t, listener.Close()) }}
			client, err := network.DialContext(ctx, "tcp", "server.test:80")
			if err != nil {
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
			} else {
				require.ErrorIs(t, readError(t, client), syscall.ECONNRESET)
				require.NoError(t, client.Close())
			}
			assert.Empty(t, network.Links())
		})
	}
}

func TestPlanOfDials(t *testing.T) {
	network := new(wstest.Network)
	listener, err := network.Listen("server.test:80")
	require.NoError(t, err)
	defer listener.Close()
	connect := func() (client, server net.Conn, err error) {
		client, err = network.DialContext(t.Context(), "tcp", "server.test:80")
		if err != nil {
			return nil, nil, err
		}
		server, err = listener.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { _, _ = client.Close(), server.Close() })
		return client, server, nil
	}

	faults := []wstest.Fault{wstest.Cut(wstest.ToServer, 17)}
	require.NoError(t, network.OnDial(1, faults...))
	faults[0] = wstest.Refuse() // the network has a copy
	require.NoError(t, network.OnDial(2, faults...))
	require.NoError(t, network.OnDial(3))
	require.NoError(t, network.OnEveryDial(wstest.Corrupt(wstest.ToServer, 0, ' ')))

	client, server, err := connect()
	require.NoError(t, err)
	write(t, client, "seventeen letters and more")
	read(t, server, "seventeen letters")
	require.Error(t, readError(t, server))

	_, _, err = connect()
	require.ErrorIs(t, err, syscall.ECONNREFUSED)

	client, server, err = connect()
	require.NoError(t, err)
	write(t, client, "clean")
	read(t, server, "clean")

	client, server, err = connect()
	require.NoError(t, err)
	write(t, client, "every other")
	read(t, server, "Every other")

	require.NoError(t, network.OnEveryDial(wstest.Refuse()))
	for range 3 {
		_, _, err = connect()
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
	require.NoError(t, network.OnEveryDial())
	_, _, err = connect()
	require.NoError(t, err)

	assert.Equal(t, 8, network.Dials())
	assert.Equal(t, 17, network.Link(1).Passed(wstest.ToServer))
	assert.Nil(t, network.Link(2))
	assert.Len(t, network.Links(), 4)

	for _, number := range []int{-1, 0, 8} {
		err := network.OnDial(number, wstest.Refuse())
		var numberErr *wstest.NumberError
		require.ErrorAs(t, err, &numberErr)
		assert.Equal(t, wstest.NumberError{Number: number, Dialled: 8}, *numberErr)
		assert.ErrorContains(t, err, "the next is 9")
	}
}
