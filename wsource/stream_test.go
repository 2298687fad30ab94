package wsource_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math/rand"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
)

// large is a reader of so many bytes, which it makes up and sums during the reads.
type large struct {
	left int64
	sum  hash.Hash
}

func (l *large) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), l.left)]
	for i := 0; i < len(p); i += 512 {
		p[i] = byte(l.left >> 9)
	}
	l.left -= int64(len(p))
	l.sum.Write(p)
	return len(p), nil
}

// TestMemoryOfALargeMessageIsFlat sends 256 MiB as one message, or, as the race detector
// is slow with the compressor, 32. Both ends together allocate far less, collected or
// not.
func TestMemoryOfALargeMessageIsFlat(t *testing.T) {
	for compression, size := range map[wsource.Compression]int64{wsource.NoCompression: 256 << 20, wsource.CompressMessages: 32 << 20} {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newSite(t, wsource.AcceptOptions{StreamLimit: size, Compression: compression}).
					pair(&wsource.DialOptions{Compression: compression})
				sent, received := &large{size, sha256.New()}, sha256.New()
				buffer := make([]byte, 32<<10)
				got := reading(server, func(m *wsource.MessageReader) {
					n, err := io.CopyBuffer(received, struct{ io.Reader }{m}, buffer)
					assert.NoError(t, err)
					assert.EqualValues(t, size, n)
				})
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				require.NoError(t, client.SendReader(t.Context(), wsource.Binary, sent))
				client.Complete()
				require.NoError(t, got.ExpectEnd(t))
				runtime.ReadMemStats(&after)
				assert.Equal(t, sent.sum.Sum(nil), received.Sum(nil))
				allocated := after.TotalAlloc - before.TotalAlloc
				t.Logf("%d KiB were allocated", allocated>>10)
				assert.Less(t, allocated, uint64(8<<20))
			})
		})
	}
}

// TestStreamsAmongOthers sends messages of both forms from several senders in both
// directions, with pings among them, and checks that each arrives whole and in its
// sender's order.
func TestStreamsAmongOthers(t *testing.T) {
	for _, compression := range compressions {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				beat := wsource.Heartbeat{Interval: time.Millisecond, Timeout: time.Minute}
				client, server := newSite(t, wsource.AcceptOptions{Compression: compression, Heartbeat: beat}).
					pair(&wsource.DialOptions{Compression: compression, Heartbeat: beat})
				got := map[*wsource.Socket]*observabletest.Recorder[wsource.Message]{
					client: record(t, readAll(server)), server: record[wsource.Message](t, client),
				}
				const senders, each = 4, 40
				var group sync.WaitGroup
				for socket := range got {
					for sender := range senders {
						group.Go(func() { sendBothForms(t, socket, sender, each) })
					}
				}
				group.Wait()
				// A socket drops its queue when the peer closes, so this waits for the
				// messages of Next.
				require.NoError(t, server.SendReader(t.Context(), wsource.Text, strings.NewReader(text(0, each))))
				client.Next(wsource.TextMessage(text(0, each)))
				client.Complete()
				for _, one := range got {
					require.NoError(t, one.ExpectEnd(t))
					next := make([]int, senders)
					for _, m := range one.Values() {
						var sender, i int
						_, err := fmt.Sscanf(m.String(), "%d %d", &sender, &i)
						require.NoError(t, err)
						require.True(t, text(sender, i) == m.String(), "a message differs from the one sent")
						require.Equal(t, next[sender], i)
						next[sender]++
					}
					require.Len(t, one.Values(), senders*each+1)
				}
			})
		})
	}
}

// text is the i-th text of a sender.
func text(sender, i int) string {
	return fmt.Sprintf("%d %d %s", sender, i, strings.Repeat("é", i*i*7%40_000))
}

// sendBothForms sends a sender's texts, whole and as readers that take their time.
func sendBothForms(t *testing.T, socket *wsource.Socket, sender, each int) {
	t.Helper()
	random := rand.New(rand.NewSource(int64(sender)))
	for i := range each {
		m := wsource.TextMessage(text(sender, i))
		switch random.Intn(3) {
		case 0:
			socket.Next(m)
		case 1:
			assert.NoError(t, socket.Send(t.Context(), m))
		default:
			whole := bytes.NewReader(m.Data)
			assert.NoError(t, socket.SendReader(t.Context(), m.Type, readerFunc(func(p []byte) (int, error) {
				if random.Intn(2) == 0 {
					time.Sleep(time.Duration(random.Intn(3_000_000)))
				}
				return whole.Read(p[:1+random.Intn(len(p))])
			})))
		}
	}
}

// ends dials a socket over TCP and returns both ends.
func ends(b *testing.B, size int64) (client, server *wsource.Socket) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	site := &wsource.Server{Options: wsource.AcceptOptions{StreamLimit: size, ReadLimit: size}}
	accepted := make(chan *wsource.Socket, 1)
	site.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { accepted <- s },
	})
	served := make(chan error, 1)
	go func() { served <- site.Serve(listener) }()
	client, err = wsource.Dial(b.Context(), "ws://"+listener.Addr().String(), nil)
	require.NoError(b, err)
	b.Cleanup(func() {
		client.CloseNow()
		assert.NoError(b, site.Shutdown(context.Background()))
		<-served
	})
	return client, <-accepted
}

// zeros is a reader of so many zeros.
type zeros int

func (z *zeros) Read(p []byte) (int, error) {
	n := min(len(p), int(*z))
	if *z -= zeros(n); n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	return n, nil
}

// BenchmarkLargeMessage compares a message that is streamed on both ends with a whole
// one.
func BenchmarkLargeMessage(b *testing.B) {
	for _, size := range []int{64 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("streamed/%dKiB", size>>10), func(b *testing.B) {
			client, server := ends(b, int64(size))
			taken := make(chan struct{}, 1)
			buffer := make([]byte, 32<<10)
			server.Readers().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.MessageReader]{
				OnNext: func(m *wsource.MessageReader) {
					for {
						if _, err := m.Read(buffer); err != nil {
							break
						}
					}
					taken <- struct{}{}
				},
			})
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				z := zeros(size)
				if err := client.SendReader(context.Background(), wsource.Binary, &z); err != nil {
					b.Fatal(err)
				}
				<-taken
			}
		})
		b.Run(fmt.Sprintf("whole/%dKiB", size>>10), func(b *testing.B) {
			client, server := ends(b, int64(size))
			taken := make(chan struct{}, 1)
			server.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
				OnNext: func(wsource.Message) { taken <- struct{}{} },
			})
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := client.Send(context.Background(), wsource.BinaryMessage(make([]byte, size))); err != nil {
					b.Fatal(err)
				}
				<-taken
			}
		})
	}
}
