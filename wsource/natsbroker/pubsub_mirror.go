package natsbroker

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// ensure makes the stream of the retained events, if there is none.
func (p *PubSub) ensure(ctx context.Context) (*jetstream.StreamInfo, error) {
	stream, err := p.link.js.Stream(ctx, p.feed.stream)
	if streamNotFound(err) {
		stream, err = p.link.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: p.feed.stream, Subjects: []string{p.feed.filter}, Replicas: p.config.Replicas, Storage: jetstream.FileStorage,
			RePublish:   &jetstream.RePublish{Source: p.feed.filter, Destination: p.feed.live},
			AllowDirect: true, MaxMsgsPerSubject: 1, MaxMsgs: int64(p.retain), MaxBytes: -1,
		})
	}
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil
}

// from returns the sequence where a sync begins: older messages have not changed.
func (p *PubSub) from(_ *jetstream.StreamInfo, fresh bool, applied uint64) uint64 {
	if fresh {
		return 1
	}
	return applied + 1
}

// synced takes the messages that a sync has fetched. Events that the stream has lost are
// not told by this node any more.
func (p *PubSub) synced(_ *jetstream.StreamInfo, fresh bool, messages []stored) {
	if fresh {
		p.mu.Lock()
		for _, t := range p.topics {
			t.kept = nil
		}
		p.mu.Unlock()
	}
	for _, m := range messages {
		p.take(m)
	}
}

// take takes the next retained event.
func (p *PubSub) take(m stored) {
	e, err := event.JSON().Decode(wsource.Text, m.Data)
	if err != nil {
		unheard(fmt.Errorf("natsbroker: a retained event: %w", err))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.topic(e.Topic)
	t.kept, t.at, t.sequence = e, time.Now(), m.sequence
}

// aside has nothing to do: all messages are of the stream.
func (p *PubSub) aside(*nats.Msg) {}
