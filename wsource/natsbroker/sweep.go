package natsbroker

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// sweepEvery is how often a node looks for the streams of rooms that are over.
const sweepEvery = time.Minute

// sweep deletes the streams of rooms that keep nothing, in which nothing was said for a
// time, and that no node follows. A node that begins to follow one at that moment finds
// out that the stream is gone, and makes it again.
func (b *Broker[K, M, T]) sweep(ctx context.Context, quiet time.Duration) {
	var over []string
	list := b.link.js.ListStreams(ctx, jetstream.WithStreamListSubject(b.config.Name+".s.>"))
	for info := range list.Info() {
		since := info.Created
		if info.State.LastTime.After(since) {
			since = info.State.LastTime
		}
		if info.State.Msgs == 0 && time.Since(since) > quiet {
			over = append(over, info.Config.Name)
		}
	}
	for _, stream := range over {
		room := strings.TrimPrefix(stream, b.config.Name+"_")
		_, err := b.link.conn.RequestWithContext(ctx, b.subject("e", room, plain), nil)
		if errors.Is(err, nats.ErrNoResponders) {
			_ = b.link.js.DeleteStream(ctx, stream) // otherwise the next time
		}
	}
}
