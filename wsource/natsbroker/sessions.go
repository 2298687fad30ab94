package natsbroker

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/session"
)

// SessionsConfig is the make of a [Sessions]. All nodes must have the same Name and
// Replicas. The zero value is the default.
type SessionsConfig struct {
	// Name tells these sessions from others on the same servers: see Config. Default:
	// DefaultName.
	Name string
	// Replicas is how many servers of a cluster keep each session. Default: 1.
	Replicas int
	// Timeout is the time for which an operation goes on trying while the servers cannot
	// be reached. Default: DefaultTimeout.
	Timeout time.Duration
}

// Sessions is a session.Store for several nodes. A key-value bucket has the sessions that
// no node has, and nodes ask each other for the others. [NewSessions] makes one.
//
// A node that stops puts its sessions into the bucket, so they survive its restart. The
// sessions of a node that is killed are lost. While the servers cannot be reached,
// clients that come back to their node go on; clients that come to another node are told
// to try again.
type Sessions struct {
	config SessionsConfig
	link   link

	mu sync.Mutex
	// The time since when each server of sessions has not been there.
	absent map[string]time.Time
}

// NewSessions returns a store on a connection, which is to try for ever to come back
// (nats.MaxReconnects(-1)) and stays the caller's. The error is as with [New].
func NewSessions(ctx context.Context, conn *nats.Conn, config SessionsConfig) (*Sessions, error) {
	config.Name = cmp.Or(config.Name, DefaultName)
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	config.Replicas = cmp.Or(config.Replicas, 1)
	if p := problemOf(config.Name, config.Replicas, config.Timeout); p != "" {
		return nil, &observable.ArgumentError{Func: "natsbroker.NewSessions", Argument: "config", Problem: p}
	}
	if err := checkArguments(ctx, conn, "NewSessions"); err != nil {
		return nil, err
	}
	s := &Sessions{config: config, absent: make(map[string]time.Time)}
	if err := s.link.init(conn, config.Timeout); err != nil {
		return nil, err
	}
	if err := s.link.do(ctx, s.ensure); err != nil {
		return nil, fmt.Errorf("natsbroker: %w", err)
	}
	return s, nil
}

func (s *Sessions) bucket() string { return s.config.Name + "_sessions" }
func (s *Sessions) stream() string { return "KV_" + s.bucket() }

// subject returns the subject of a key of the bucket: t is for tokens, h for heads, p for
// parts.
func (s *Sessions) subject(kind, key string) string {
	return "$KV." + s.bucket() + "." + kind + "." + key
}

// ensure makes the bucket if there is none.
func (s *Sessions) ensure(ctx context.Context) error {
	_, err := s.link.js.KeyValue(ctx, s.bucket())
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		_, err = s.link.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: s.bucket(), History: 1, Replicas: s.config.Replicas, Storage: jetstream.FileStorage,
			LimitMarkerTTL: markerAge,
		})
	}
	return err
}

// tokenEntry is the entry of a token.
type tokenEntry struct {
	Session string `json:"session"`
}

// head is the entry of a session: the session itself, or the server that has taken it.
type head struct {
	Tokens []string `json:"tokens"` // the IDs of the tokens that are good for it
	Key    string   `json:"key"`
	TTL    int64    `json:"ttl"` // in nanoseconds

	Body  []byte `json:"body,omitempty"` // the record, in JSON, if it is small
	Parts int    `json:"parts,omitzero"` // otherwise the number of its parts
	Nonce string `json:"nonce"`          // names the parts, or the taking

	Server string `json:"server,omitempty"` // the server that has taken it
}

// partBytes is the size of the parts of a record, well below the most that servers take.
const partBytes = 256 << 10

// Put implements session.Store.
func (s *Sessions) Put(ctx context.Context, record *session.Record, ttl time.Duration) error {
	body, err := json.Marshal(record)
	if err != nil {
		return err
	}
	h := head{Tokens: record.TokenIDs, Key: record.Key, TTL: int64(ttl), Nonce: rand.Text()}
	if len(body) <= partBytes {
		h.Body = body
	} else {
		for part := range slices.Chunk(body, partBytes) {
			if err := s.put(ctx, s.part(record.ID, &h, h.Parts), part, ttl); err != nil {
				return err
			}
			h.Parts++
		}
	}
	// As long as another server may have taken the session: see Take.
	for _, id := range record.TokenIDs {
		if err := s.putJSON(ctx, s.subject("t", id), tokenEntry{record.ID}, 3*ttl); err != nil {
			return err
		}
	}
	return s.putJSON(ctx, s.subject("h", record.ID), h, ttl)
}

// part returns the subject of a part of a session.
func (s *Sessions) part(id string, h *head, n int) string {
	return s.subject("p", fmt.Sprint(id, ".", h.Nonce, ".", n))
}

func (s *Sessions) putJSON(
	ctx context.Context, subject string, value any, ttl time.Duration, options ...jetstream.PublishOpt,
) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.put(ctx, subject, data, ttl, options...)
}

// put has the bucket keep a value for a time. It may be put twice.
func (s *Sessions) put(
	ctx context.Context, subject string, data []byte, ttl time.Duration, options ...jetstream.PublishOpt,
) error {
	options = append(options, jetstream.WithRetryAttempts(0), jetstream.WithMsgTTL(max(time.Second, ttl.Round(time.Second))))
	return s.link.do(ctx, func(ctx context.Context) error {
		_, err := s.link.js.PublishMsg(ctx, &nats.Msg{Subject: subject, Data: data}, options...)
		// The servers have come back with nothing.
		if errors.Is(err, jetstream.ErrNoStreamResponse) {
			_ = s.ensure(ctx) // otherwise the next time
		}
		return err
	})
}

// get reads an entry in JSON, from the leader. The sequence is 0 if there is none.
func (s *Sessions) get(ctx context.Context, subject string, value any) (sequence uint64, err error) {
	err = s.link.do(ctx, func(ctx context.Context) error {
		sequence = 0
		m, err := s.link.lastOf(ctx, s.stream(), subject)
		switch {
		case streamNotFound(err):
			return nil
		case err != nil || m == nil || len(m.Data) == 0:
			return err
		}
		sequence = m.Sequence
		return json.Unmarshal(m.Data, value)
	})
	return sequence, err
}

// Take implements session.Store.
func (s *Sessions) Take(ctx context.Context, claim session.Claim) (*session.Record, error) {
	nonce := rand.Text()
	asked := []string{claim.Server}
	for {
		record, server, err := s.find(ctx, claim, nonce)
		if record != nil || err != nil || server == "" || slices.Contains(asked, server) {
			return record, err
		}
		asked = append(asked, server)
		if err := s.ask(ctx, server, claim); err != nil {
			return nil, err
		}
	}
}

// find takes a session out of the bucket, or returns the server that may have it.
func (s *Sessions) find(ctx context.Context, claim session.Claim, nonce string) (*session.Record, string, error) {
	owner := session.ServerOf(claim.TokenID)
	if owner == "" {
		return nil, "", nil
	}
	for {
		var entry tokenEntry
		if sequence, err := s.get(ctx, s.subject("t", claim.TokenID), &entry); err != nil || sequence == 0 {
			return nil, owner, err
		}
		var h head
		sequence, err := s.get(ctx, s.subject("h", entry.Session), &h)
		switch {
		case err != nil:
			return nil, "", err
		case sequence == 0: // the session is expired, or being put
			return nil, owner, nil
		case h.Server != "":
			return nil, h.Server, nil
		case !slices.Contains(h.Tokens, claim.TokenID):
			return nil, "", nil // the token was replaced
		case h.Key != claim.Key:
			return nil, "", session.ErrForeign
		}
		record, err := s.record(ctx, entry.Session, &h)
		if err != nil || record == nil {
			return nil, "", err
		}
		taken := head{Tokens: h.Tokens, Key: h.Key, TTL: h.TTL, Nonce: nonce, Server: claim.Server}
		err = s.putJSON(ctx, s.subject("h", entry.Session), taken, 2*time.Duration(h.TTL),
			jetstream.WithExpectLastSequencePerSubject(sequence))
		if wrongLast(err) { // another server was faster, or the answer was lost
			var now head
			if _, err = s.get(ctx, s.subject("h", entry.Session), &now); err == nil && now.Nonce != nonce {
				continue
			}
		}
		if err != nil {
			return nil, "", err
		}
		return record, "", nil
	}
}

// record returns the session itself; nil if some of its parts are gone.
func (s *Sessions) record(ctx context.Context, id string, h *head) (*session.Record, error) {
	body := bytes.NewBuffer(h.Body)
	for n := range h.Parts {
		missing := false
		err := s.link.do(ctx, func(ctx context.Context) error {
			m, err := s.link.lastOf(ctx, s.stream(), s.part(id, h, n))
			if missing = m == nil; !missing && err == nil {
				body.Write(m.Data)
			}
			return err
		})
		if err != nil || missing {
			return nil, err
		}
	}
	record := new(session.Record)
	return record, json.Unmarshal(body.Bytes(), record)
}
