package natsbroker

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The headers that a server gives a message of a stream (NATS ADR-31).
const (
	headerSequence = "Nats-Sequence"
	headerTime     = "Nats-Time-Stamp"
	// The sequence of the message before in the same answer.
	headerLast    = "Nats-Last-Sequence"
	headerPending = "Nats-Num-Pending"
	headerStatus  = "Status"
)

// The most messages and bytes that are asked for at a time.
const (
	fetchBatch = 256
	fetchBytes = 256 << 10
)

// stored is a message of a stream.
type stored struct {
	*nats.Msg
	sequence uint64
	at       time.Time
	late     bool // it was stored before the end of a sync that it has waited for
}

// storedOf reads the headers of a message, and reports whether it is of a stream.
func storedOf(m *nats.Msg) (stored, bool) {
	if m.Header == nil {
		return stored{}, false
	}
	sequence, err := strconv.ParseUint(m.Header.Get(headerSequence), 10, 64)
	if err != nil {
		return stored{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get(headerTime))
	if err != nil {
		return stored{}, false
	}
	return stored{Msg: m, sequence: sequence, at: at}, true
}

// fetch returns some messages of a stream from a sequence on, and whether there are more.
// It needs no consumer on the server: see NATS ADR-31 on batches of direct gets. It waits
// as long as messages come. With an error it returns the messages that have come before.
func (l *link) fetch(ctx context.Context, stream, filter string, from uint64) (batch []stored, more bool, err error) {
	request, err := json.Marshal(struct {
		Sequence uint64 `json:"seq"`
		Next     string `json:"next_by_subj"` //nolint:tagliatelle // the server's name
		Batch    int    `json:"batch"`
		MaxBytes int    `json:"max_bytes"` //nolint:tagliatelle // likewise
	}{from, filter, fetchBatch, fetchBytes})
	if err != nil {
		return nil, false, err
	}
	inbox := l.conn.NewRespInbox()
	sub, err := l.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, false, err
	}
	defer sub.Unsubscribe() //nolint:errcheck // it is over with the connection anyway
	if err := l.conn.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, request); err != nil {
		return nil, false, err
	}
	batch = make([]stored, 0, 16)
	last := "0"
	for {
		m, err := nextOf(ctx, sub)
		if err != nil {
			return batch, true, err
		}
		switch status := m.Header.Get(headerStatus); {
		case status == "404":
			return batch, false, nil
		case status != "" && status != "204":
			return batch, true, fmt.Errorf("stream %s: status %s: %w", stream, status, nats.ErrNoResponders)
		case m.Header.Get(headerLast) != last:
			return batch, true, nats.ErrDisconnected // the messages in between are lost
		case status == "204":
			return batch, m.Header.Get(headerPending) != "0", nil
		}
		s, ok := storedOf(m)
		if !ok {
			return batch, true, fmt.Errorf("an answer on stream %s has no sequence", stream)
		}
		batch = append(batch, s)
		last = m.Header.Get(headerSequence)
	}
}

// nextOf waits for the next message of an answer.
func nextOf(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	return sub.NextMsgWithContext(ctx)
}

// gone reports whether a stream no longer has a sequence.
func (l *link) gone(ctx context.Context, stream string, sequence uint64) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	m, err := l.ask(ctx, stream, fmt.Appendf(nil, `{"seq":%d}`, sequence))
	return m == nil, err
}

// lastOf returns the last message of a subject, nil if there is none.
func (l *link) lastOf(ctx context.Context, stream, subject string) (*answered, error) {
	return l.ask(ctx, stream, fmt.Appendf(nil, `{"last_by_subj":%q}`, subject))
}

// answered is a message as the leader of a stream knows it.
type answered struct {
	Sequence uint64 `json:"seq"`
	Data     []byte `json:"data"`
}

// ask asks the leader of a stream for a message, which is nil if there is none.
func (l *link) ask(ctx context.Context, stream string, request []byte) (*answered, error) {
	m, err := l.conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+stream, request)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Message *answered           `json:"message"`
		Error   *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return nil, err
	}
	if answer.Error != nil && answer.Error.ErrorCode != jetstream.JSErrCodeMessageNotFound {
		return nil, answer.Error
	}
	return answer.Message, nil
}
