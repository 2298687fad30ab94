package frame_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestProtocolOfSockets has the cases of [TestProtocol] for the Server and the Dial of
// wsource, with a network in memory between.
func TestProtocolOfSockets(t *testing.T) {
	if *serverFlag != "" || *listenFlag != "" {
		t.Skip("another implementation is tested")
	}
	total := new(score)
	total.local(t, "protocol of sockets", total.allOfSockets)
}

// allOfSockets plays all cases against sockets.
func (s *score) allOfSockets(t *testing.T) {
	for _, client := range []bool{true, false} {
		for compression, p := range map[wsource.Compression]frame.Params{
			wsource.NoCompression: {}, wsource.CompressMessages: frame.WithTakeover(false), wsource.CompressStream: frame.WithTakeover(true),
		} {
			for _, c := range localCases(p) {
				s.sockets(t, fmt.Sprintf("%s compression %d client=%v", c.id, compression, client), c, client, compression, p)
			}
		}
		for i, p := range wishes() {
			for _, c := range localWishes(i) {
				s.sockets(t, fmt.Sprintf("%s client=%v", c.id, client), c, client, wsource.CompressStream, p)
			}
		}
	}
}

// sockets plays a case against a socket that echoes.
func (s *score) sockets(
	t *testing.T, name string, c protocolCase, client bool, compression wsource.Compression, p frame.Params,
) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			u := &url.URL{Scheme: "ws", Host: "server.test:80", Path: "/"}
			network := new(wstest.Network)
			listener, err := network.Listen(u.Host)
			require.NoError(t, err)
			if client {
				s.dialled(t, c, network, listener, u, compression, p)
				require.NoError(t, listener.Close())
				return
			}
			server := &wsource.Server{Options: wsource.AcceptOptions{Compression: compression, ReadLimit: 32 << 20}}
			server.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{OnNext: echoing})
			served := make(chan error, 1)
			go func() { served <- server.Serve(listener) }()
			conn, err := network.DialContext(t.Context(), "tcp", u.Host)
			require.NoError(t, err)
			reader, negotiated := shakeHands(t, conn, u, p)
			s.play(t, &tester{conn: conn, reader: reader, client: true}, c, negotiated, localScale)
			require.NoError(t, server.Shutdown(context.Background()))
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		})
	})
}

// dialled plays a case against a socket that dials.
func (s *score) dialled(
	t *testing.T, c protocolCase, network *wstest.Network, listener net.Listener, u *url.URL,
	compression wsource.Compression, p frame.Params,
) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		socket, err := wsource.Dial(context.Background(), u.String(), &wsource.DialOptions{
			Compression: compression, ReadLimit: 32 << 20,
			Transport: &http.Transport{DialContext: network.DialContext},
		})
		if assert.NoError(t, err) {
			echoing(socket)
			<-socket.Done()
		}
	}()
	conn, err := listener.Accept()
	require.NoError(t, err)
	reader, negotiated := answerHandshake(t, conn, p)
	s.play(t, &tester{conn: conn, reader: reader}, c, negotiated, localScale)
	<-done
}

// echoing has a socket send the messages that come.
func echoing(socket *wsource.Socket) {
	socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext: socket.Next, OnError: func(error) {}, OnComplete: func() {},
	})
}
