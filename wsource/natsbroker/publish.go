package natsbroker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"runtime/debug"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// record is a said value, in JSON.
type record[M comparable, T any] struct {
	Member  M    `json:"member,omitzero"`
	Value   T    `json:"value"`
	Private bool `json:"private,omitzero"`
	To      []M  `json:"to,omitempty"`
	Except  []M  `json:"except,omitempty"`
}

// plain is the last part of the subjects of rooms without Compact.
const plain = "_"

// event returns a message's event, without its place.
func (r *room[K, M, T]) event(m *nats.Msg) (*hub.Event[K, M, T], error) {
	var said record[M, T]
	if err := json.Unmarshal(m.Data, &said); err != nil {
		return nil, err
	}
	return &hub.Event[K, M, T]{
		Kind: hub.Said, Room: r.key, Member: said.Member, Value: said.Value,
		Private: said.Private, To: said.To, Except: said.Except,
	}, nil
}

// Publish is that of hub.Broker. When it returns nil, a value said to all is stored,
// once: while the servers cannot be reached, it tries again until the Timeout. A value
// that has failed with ErrDisconnected may have been stored all the same.
//
// A private value is not stored, and a node that is cut off at that moment loses it.
// While this node is cut off, its own members hear it, and the error is ErrDisconnected
// if it is for others too.
//
// The error of a panic in Compact, in Applies or in the encoding of the value is an
// [*observable.PanicError].
func (b *Broker[K, M, T]) Publish(ctx context.Context, e *hub.Event[K, M, T]) error {
	r, err := b.use(ctx, e.Room)
	if err != nil {
		return err
	}
	defer r.release()
	return roomError(e.Room, r.publish(ctx, e))
}

// publish publishes an event. A panic of user code is its error, so that the speaker
// learns of it as with the broker of one process.
func (r *room[K, M, T]) publish(ctx context.Context, e *hub.Event[K, M, T]) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &observable.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	b := r.broker
	data, err := json.Marshal(record[M, T]{e.Member, e.Value, e.Private, e.To, e.Except})
	if err != nil {
		return err
	}
	// The headers count, too.
	if b.link.conn.IsConnected() && int64(len(data))+1024 > b.link.conn.MaxPayload() {
		return ErrTooLarge
	}
	switch {
	case e.Private:
		return r.publishPrivate(ctx, e, data)
	case b.config.Compact != nil:
		return r.publishCompact(ctx, e, data)
	default:
		_, err = r.store(ctx, plain, data)
		return err
	}
}

func (r *room[K, M, T]) publishPrivate(ctx context.Context, e *hub.Event[K, M, T], data []byte) error {
	b := r.broker
	if b.link.conn.IsConnected() {
		return b.link.do(ctx, func(context.Context) error {
			return b.link.conn.Publish(b.subject("e", r.token, plain), data)
		})
	}
	own := *e
	r.feed.steps.do(func() { r.whisper(&own) })
	if !b.presence.allHere(r.token, e.To) {
		return ErrDisconnected
	}
	return nil
}

// store has a message stored once, and returns its sequence.
func (r *room[K, M, T]) store(
	ctx context.Context, last string, data []byte, options ...jetstream.PublishOpt,
) (sequence uint64, err error) {
	options = append(options, jetstream.WithMsgID(rand.Text()), jetstream.WithRetryAttempts(0))
	subject := r.broker.subject("s", r.token, last)
	err = r.broker.link.do(ctx, func(ctx context.Context) error {
		ack, err := r.broker.link.js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: data}, options...)
		if errors.Is(err, jetstream.ErrNoStreamResponse) {
			r.feed.behind.Store(true) // the stream may be gone; it is made again
		}
		if err == nil {
			sequence = ack.Sequence
		}
		return err
	})
	return sequence, err
}

// publishCompact stores a value if it still applies after the last value with its key: if
// another node is faster, it judges again.
func (r *room[K, M, T]) publishCompact(ctx context.Context, e *hub.Event[K, M, T], data []byte) error {
	c := &r.broker.config
	key, deletes := c.Compact(e.Value)
	name, err := digest(key)
	if err != nil {
		return err
	}
	r.mu.Lock()
	before, has := r.latest[name]
	r.mu.Unlock()
	for asked := false; ; asked = true {
		applies := !deletes || has
		if applies && has && c.Applies != nil {
			applies = c.Applies(before.value, e.Value)
		}
		if !applies && asked {
			return nil
		}
		// This node may not have heard yet of the value that it would apply to.
		if !applies {
			if before, has, err = r.last(ctx, name); err != nil {
				return err
			}
			continue
		}
		options := []jetstream.PublishOpt{jetstream.WithExpectLastSequencePerSubject(before.sequence)}
		if deletes {
			options = append(options, jetstream.WithMsgTTL(c.History.Age+attempt))
		}
		_, err := r.store(ctx, name, data, options...)
		if !wrongLast(err) {
			return err
		}
		if before, has, err = r.last(ctx, name); err != nil {
			return err
		}
	}
}

// last asks the servers for the last value of a key, and reports whether it has one that
// is not deleted.
func (r *room[K, M, T]) last(ctx context.Context, name string) (before latest[T], has bool, err error) {
	err = r.broker.link.do(ctx, func(ctx context.Context) error {
		m, err := r.broker.link.lastOf(ctx, r.feed.stream, r.broker.subject("s", r.token, name))
		if err != nil || m == nil {
			before, has = latest[T]{}, false
			return err
		}
		var said record[M, T]
		if err := json.Unmarshal(m.Data, &said); err != nil {
			return err
		}
		_, deleted := r.broker.config.Compact(said.Value)
		before, has = latest[T]{m.Sequence, said.Value}, !deleted
		return nil
	})
	return before, has, err
}
