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
	headerStatus   = "Status"
)

// fetchBatch is how many messages are asked for at a time.
const fetchBatch = 256

// stored is a message of a stream.
type stored struct {
	*nats.Msg
	sequence uint64
	at       time.Time
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
	return stored{m, sequence, at}, true
}

// fetch returns the messages of a stream between two sequences, both included, as far as it
// has them. It needs no consumer on the server: see NATS ADR-31 on batches of direct gets.
func (l *link) fetch(ctx context.Context, stream, filter string, from, to uint64) ([]stored, error) {
	var all []stored
	for from <= to {
		batch, more, err := l.fetchSome(ctx, stream, filter, from)
		if err != nil {
			return nil, err
		}
		for _, m := range batch {
			if m.sequence > to {
				return all, nil
			}
			all = append(all, m)
			from = m.sequence + 1
		}
		if from > to {
			break
		}
		if more && len(batch) > 0 {
			continue
		}
		// A replica that answers may be behind the leader, which has the last word.
		gone, err := l.gone(ctx, stream, to)
		if err != nil {
			return nil, err
		}
		if gone {
			break
		}
	}
	return all, nil
}

// fetchSome returns some messages from a sequence on, and whether there are more.
func (l *link) fetchSome(ctx context.Context, stream, filter string, from uint64) ([]stored, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	request, err := json.Marshal(struct {
		Sequence uint64 `json:"seq"`
		Next     string `json:"next_by_subj"` //nolint:tagliatelle // the server's name
		Batch    int    `json:"batch"`
	}{from, filter, fetchBatch})
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
	batch := make([]stored, 0, 16)
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, false, err
		}
		switch status := m.Header.Get(headerStatus); status {
		case "":
			s, ok := storedOf(m)
			if !ok {
				return nil, false, fmt.Errorf("an answer on stream %s has no sequence", stream)
			}
			batch = append(batch, s)
		case "204":
			return batch, m.Header.Get("Nats-Num-Pending") != "0", nil
		case "404":
			return batch, false, nil
		default:
			return nil, false, fmt.Errorf("stream %s: status %s: %w", stream, status, nats.ErrNoResponders)
		}
	}
}

// gone reports whether a stream has a sequence no more.
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
