package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	"github.com/olahol/melody"
	"github.com/rxsocket/rxsocket/wsource"
)

// compressors are the contenders of compressed broadcasts: each message by itself (RFC
// 7692, without context takeover), which all of them have.
var compressors = []struct {
	name string
	fan  fan
}{
	{"rxsocket: a room of a hub", func(opened func()) (http.Handler, func([]byte)) {
		return hubFanWith(wsource.AcceptOptions{Compression: wsource.CompressMessages}, opened)
	}},
	{gwsFanName, func(opened func()) (http.Handler, func([]byte)) {
		return gwsFanWith(&gws.ServerOption{PermessageDeflate: gws.PermessageDeflate{Enabled: true}}, opened)
	}},
	{"olahol/melody: BroadcastBinary", func(opened func()) (http.Handler, func([]byte)) {
		return melodyFanWith(func(m *melody.Melody) { m.Upgrader.EnableCompression = true }, opened)
	}},
	{"gorilla/websocket: PreparedMessage", func(opened func()) (http.Handler, func([]byte)) {
		return gorillaFanWith(websocket.Upgrader{EnableCompression: true}, opened)
	}},
	{"coder/websocket: Write", func(opened func()) (http.Handler, func([]byte)) {
		return coderFanWith(&coder.AcceptOptions{CompressionMode: coder.CompressionNoContextTakeover}, opened)
	}},
}

// compressedWork measures a value of text that compresses well, to many sockets. Both we
// and gws send values below 512 bytes as they are, so that there is no row for 128.
func compressedWork(size, sockets int) work {
	w := work{name: compressedName(size, sockets), unit: "ns"}
	for _, c := range compressors {
		w.contenders = append(w.contenders, contender{c.name, func() (figure, error) {
			return withBroadcast("frames", size, sockets, func(sockets int) (*broadcaster, error) {
				b, err := inProcess(c.fan)(sockets)
				if err == nil {
					// Its extent is one frame.
					b.publish, b.extent = quoted(b.send), func(int) int { return 1 }
				}
				return b, err
			}, (*broadcast).rate)
		}})
	}
	return w
}

func compressedName(size, n int) string {
	return fmt.Sprintf("one value of %d bytes, compressed, to %d sockets, per message", size, n)
}

// quoted sends n values that look like the ticks of a market, each with another time.
func quoted(send func(p []byte)) func(n, size int) error {
	return func(n, size int) error {
		for range n {
			var text []byte
			for i := 0; len(text) < size; i++ {
				text = fmt.Appendf(text, `{"symbol":"RX%03d","price":%d.25,"time":%d},`, i, 100+i, time.Now().UnixNano())
			}
			send(text[:size])
		}
		return nil
	}
}

// framesOf returns a function that reads the next frame of a server and counts it. A
// frame that is not compressed is an error.
func framesOf(c net.Conn) reading {
	reader := bufio.NewReaderSize(c, 32<<10)
	return func() (int64, []byte, error) {
		var head [8]byte
		if _, err := io.ReadFull(reader, head[:2]); err != nil {
			return 0, nil, err
		}
		const compressed = 0x40
		if head[0]&compressed == 0 {
			return 0, nil, fmt.Errorf("a frame is not compressed")
		}
		size := int(head[1])
		switch size {
		case 126:
			_, err := io.ReadFull(reader, head[6:])
			if err != nil {
				return 0, nil, err
			}
			size = int(binary.BigEndian.Uint16(head[6:]))
		case 127:
			_, err := io.ReadFull(reader, head[:])
			if err != nil {
				return 0, nil, err
			}
			size = int(binary.BigEndian.Uint64(head[:]))
		}
		_, err := reader.Discard(size)
		return 1, nil, err
	}
}
