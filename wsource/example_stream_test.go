package wsource_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// hashes is a server on this machine that answers each message with its SHA-256, however
// large it is.
func hashes() (url string, stop func()) {
	server := &wsource.Server{Options: wsource.AcceptOptions{StreamLimit: 1 << 30}}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			sums := operators.TryMap(s.Readers(), func(m *wsource.MessageReader) (wsource.Message, error) {
				sum := sha256.New()
				n, err := io.Copy(sum, m)
				return wsource.TextMessage(fmt.Sprintf("%d bytes, %x", n, sum.Sum(nil)[:8])), err
			})
			sums.Subscribe(context.Background(), s)
		},
	})
	h := httptest.NewServer(server)
	return "ws" + strings.TrimPrefix(h.URL, "http"), func() {
		_ = server.Shutdown(context.Background())
		h.Close()
	}
}

// A large file is sent and hashed on the other end, with 32 KiB of it in memory.
func ExampleSocket_SendReader() {
	url, stop := hashes()
	defer stop()
	ctx := context.Background()
	socket, err := wsource.Dial(ctx, url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.Complete()

	file := io.LimitReader(endless('x'), 10<<20) // or a file
	if err := socket.SendReader(ctx, wsource.Binary, file); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := observable.FirstValue(ctx, socket)
	fmt.Println(answer, err)

	sum := sha256.New()
	_, _ = io.Copy(sum, io.LimitReader(endless('x'), 10<<20))
	fmt.Printf("%x\n", sum.Sum(nil)[:8])

	// Output:
	// 10485760 bytes, 462a12a876c0364e <nil>
	// 462a12a876c0364e
}

// endless is a reader of one byte, again and again.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// A message that is a long JSON array becomes a stream of its elements, decoded one by
// one as they arrive.
func ExampleSocket_Readers() {
	type row struct{ N int }
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			go func() { // it lives as long as the reader
				_ = s.SendReader(context.Background(), wsource.Text, strings.NewReader(`[{"n":1}, {"n":2}, {"n":3}]`))
				s.Complete()
			}()
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()
	ctx := context.Background()
	socket, err := wsource.Dial(ctx, h.URL, &wsource.DialOptions{StreamLimit: 1 << 30})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := operators.ConcatMap(socket.Readers(), func(m *wsource.MessageReader) observable.Observable[row] {
		return observable.New(func(_ context.Context, out observable.Observer[row]) func() {
			d := json.NewDecoder(m)
			_, err := d.Token() // the bracket
			for err == nil && d.More() {
				var r row
				if err = d.Decode(&r); err == nil {
					out.Next(r)
				}
			}
			if err != nil {
				out.Error(err)
			} else {
				out.Complete()
			}
			return nil
		})
	})
	err = observable.ForEach(ctx, rows, func(r row) { fmt.Println(r.N) })
	fmt.Println(err)
	_ = server.Shutdown(ctx)

	// Output:
	// 1
	// 2
	// 3
	// <nil>
}
