package natsbroker_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	wsevent "github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// busy returns a worker whose first message waits until goOn closes, and whose third ones
// end the goroutine; how many of a thousand messages were added; and the subjects of the
// messages that were handled.
func busy(goOn <-chan struct{}) (w *natsbroker.Worker, added *atomic.Int32, handled *[]string) {
	added, handled = new(atomic.Int32), new([]string)
	w = natsbroker.NewWorker(func(m *nats.Msg) {
		<-goOn
		if *handled = append(*handled, m.Subject); len(*handled)%3 == 0 {
			runtime.Goexit()
		}
	})
	go func() {
		for i := range 1000 {
			w.Add(&nats.Msg{Subject: strconv.Itoa(i)})
			added.Add(1)
		}
	}()
	synctest.Wait()
	return w, added, handled
}

// A worker handles messages in their order, also if user code ends the goroutine. Beyond
// a few messages that wait, the reader of the connection waits.
func TestWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		_, added, handled := busy(goOn)
		assert.Less(t, added.Load(), int32(100))
		close(goOn)
		synctest.Wait()
		require.Len(t, *handled, 1000)
		for i, subject := range *handled {
			require.Equal(t, strconv.Itoa(i), subject)
		}
	})
}

// A worker that is stopped handles no message any more, and holds up no reader.
func TestWorkerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		w, added, handled := busy(goOn)
		w.Stop()
		synctest.Wait()
		assert.EqualValues(t, 1000, added.Load())
		close(goOn)
		synctest.Wait()
		assert.Equal(t, []string{"0"}, *handled)
	})
}

// The cost of an event of another node includes the NATS server, which is in the process.
func BenchmarkEventOfAnotherNode(b *testing.B) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	require.NoError(b, err)
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	require.True(b, s.ReadyForConnections(patience))
	conn, err := nats.Connect(s.ClientURL())
	require.NoError(b, err)
	defer conn.Close()
	joint, err := natsbroker.NewPubSub(conn, natsbroker.PubSubConfig{})
	require.NoError(b, err)
	pubsub := wsevent.NewPubSub(&wsevent.PubSubConfig{Broker: joint})
	defer func() { assert.NoError(b, pubsub.Shutdown(context.Background())) }()
	var heard atomic.Int64
	pubsub.Subscribe(context.Background(), observable.ObserverFuncs[*wsevent.Envelope]{
		OnNext: func(*wsevent.Envelope) { heard.Add(1) },
	})
	m, err := wsevent.JSON().Encode(&wsevent.Envelope{ID: "1", Type: "price", Topic: "fruit", Data: fmt.Append(nil, 1.25)})
	require.NoError(b, err)
	sent := int64(0)
	for b.Loop() {
		require.NoError(b, conn.Publish(natsbroker.DefaultName+".p.node.fruit", m.Data))
		for sent++; sent-heard.Load() > 1000; {
			time.Sleep(100 * time.Microsecond)
		}
	}
	for heard.Load() < sent {
		time.Sleep(100 * time.Microsecond)
	}
}
