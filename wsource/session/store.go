package session

import (
	"context"
	"errors"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
)

// ErrForeign is a [Store]'s answer to a [Claim] to a session of another key.
var ErrForeign = errors.New("session: the session belongs to another key")

// Store hands sessions from one server to another, so that a client finds its session on
// each of them, and after a restart. A session is in one place at a time, a server or the
// store, and so never goes on twice. A server puts its sessions in when it stops, and a
// single one when its client comes to another server. First it waits for a callback that
// runs, for at most three seconds. A server that is killed has put nothing in: its
// clients are told that their sessions have expired.
//
// No function of a store is called while messages pass. Several goroutines call its
// methods at once. [MemoryStore] is one for the servers of one process, package
// natsbroker has one for several nodes.
type Store interface {
	// Join makes a server known by its name until leave is called. It calls yield,
	// perhaps on several goroutines at once, when a client of the server shows its token
	// elsewhere. Yield returns when the server has put the session in, or does not have
	// it; it returns ErrForeign if the session is of another key.
	Join(ctx context.Context, server string, yield func(ctx context.Context, claim Claim) error) (leave func(), err error)
	// Put keeps a session for its time to live, or until it is taken. It returns when ctx
	// ends: a server that stops waits for it, and gives all its sessions 20 seconds.
	Put(ctx context.Context, record *Record, ttl time.Duration) error
	// Take takes out the session that is claimed. If a server has it (see ServerOf), that
	// server is told to yield it first. The result is nil if there is no such session;
	// the error is ErrForeign if it is of another key. Another error means that it is not
	// known whether there is one: the client is told to try again. The session's tokens
	// stay known as those of a session that the claiming server has, as the client has no
	// newer one yet.
	Take(ctx context.Context, claim Claim) (*Record, error)
}

// Claim says that a client has shown a session's token to a server.
type Claim struct {
	TokenID string // the token's: see Record.TokenIDs
	Key     string // the key of the client's wsource.Admission
	Server  string // the server that the token was shown to
}

// Record is a session that waits for its client. All fields can be encoded.
type Record struct {
	TokenIDs []string // the IDs of its tokens: a token cannot be found from its ID
	ID       string   // the session's
	Key      string   // the key to which the tokens are bound
	Received uint64   // the number of messages that were delivered
	First    uint64   // the position of the first of the messages that are kept
	Handed   uint64   // the position of the last of them that may have been sent
	Acked    uint64   // the position up to which messages were acknowledged, or let go
	Messages []RecordMessage

	// The code with which the server ends the session behind the messages; 0 if it has
	// not said so.
	EndCode   wsource.StatusCode
	EndReason string

	Connections int  // the number of connections so far
	Fresh       bool // none of them was confirmed
}

// RecordMessage is a message that is kept.
type RecordMessage struct {
	Binary bool
	Data   []byte
}
