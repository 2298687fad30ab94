package wsource_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// shakeHandsByHand opens a connection that takes as little memory as possible.
func shakeHandsByHand(tb testing.TB, addr string, reader *bufio.Reader) net.Conn {
	tb.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(tb, err)
	_, err = io.WriteString(conn, "GET /room?user=somebody HTTP/1.1\r\nHost: "+addr+"\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"+
		"User-Agent: "+strings.Repeat("Mozilla/5.0 ", 8)+"\r\nAccept-Language: en\r\nOrigin: http://"+addr+"\r\n\r\n")
	require.NoError(tb, err)
	reader.Reset(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(tb, err)
	require.NoError(tb, response.Body.Close())
	require.Equal(tb, http.StatusSwitchingProtocols, response.StatusCode)
	return conn
}

func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// BenchmarkIdle reports the memory that an accepted connection takes while nothing
// happens on it.
func BenchmarkIdle(b *testing.B) {
	const connections = 2000
	server := &wsource.Server{MaxConnections: connections}
	accepted := make(chan struct{}, connections)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			s.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{})
			accepted <- struct{}{}
		},
	})
	listener := loopback(b)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	reader := bufio.NewReader(nil)
	for b.Loop() {
		before := memory()
		clients := make([]net.Conn, connections)
		for i := range clients {
			clients[i] = shakeHandsByHand(b, listener.Addr().String(), reader)
		}
		for range clients {
			<-accepted
		}
		b.ReportMetric(float64(memory()-before)/connections, "bytes/connection")
		for _, c := range clients {
			_ = c.Close()
		}
		for server.Len() > 0 {
			runtime.Gosched()
		}
	}
	require.NoError(b, server.Shutdown(context.Background()))
	<-served
}
