package session

import (
	"context"
	"errors"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
)

// ErrForeign is what a [Store] answers to a [Claim] to a session of another key.
var ErrForeign = errors.New("session: the session belongs to another key")

// Store hands sessions from one server to another, so that a client finds its session on each of
// them, and after a restart. A session is in one place at a time, a server or the store, and so never
// goes on twice. A server puts its sessions in when it stops, and one of them when its client comes
// to another server. A server that is killed has put nothing in: its clients are told that their
// sessions have expired.
//
// Nothing of a store is called while messages pass. Its methods are called by several goroutines
// at once. [MemoryStore] is one for the servers of one process, package natsbroker has one for
// several nodes.
type Store interface {
	// Join makes a server known by its name until leave is called. yield is called, perhaps by several
	// goroutines at once, when a client of the server shows its token elsewhere. It returns when the
	// server has put the session in, or does not have it; and ErrForeign if that is of another key.
	Join(ctx context.Context, server string, yield func(ctx context.Context, claim Claim) error) (leave func(), err error)
	// Put keeps a session for its time to live, or until it is taken.
	Put(ctx context.Context, record *Record, ttl time.Duration) error
	// Take takes out the session that is claimed. If a server has it (see ServerOf), that server is
	// told to yield it first. The result is nil if there is no such session; the error is ErrForeign
	// if it is of another key. With another error it is not known whether there is one: the client is
	// told to try again. The session's tokens stay known as those of a session that the claiming server
	// has, as the client has no newer one yet.
	Take(ctx context.Context, claim Claim) (*Record, error)
}

// Claim is that a client has shown a session's token to a server.
type Claim struct {
	TokenID string // of the token: see Record.TokenIDs
	Key     string // of the client's wsource.Admission
	Server  string // that the token was shown to
}

// Record is a session that waits for its client. All fields can be encoded.
type Record struct {
	TokenIDs []string // what its tokens are known by: from each, the token cannot be found
	ID       string   // of the session
	Key      string   // to which the tokens are bound
	Received uint64   // how many messages were delivered
	First    uint64   // position of the first of the messages that are kept
	Handed   uint64   // position of the last of them that may have been sent
	Acked    uint64   // up to where messages were acknowledged, or let go
	Messages []RecordMessage

	EndCode   wsource.StatusCode // with which the server ends the session behind the messages; 0 if it has not said so
	EndReason string

	Connections int  // that there have been
	Fresh       bool // none of them was confirmed
}

// RecordMessage is a message that is kept.
type RecordMessage struct {
	Binary bool
	Data   []byte
}
