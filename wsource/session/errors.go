package session

import (
	"fmt"

	"github.com/rxsocket/rxsocket/wsource"
)

// The codes of close frames that belong to the protocol.
const (
	StatusHelloTimeout wsource.StatusCode = 4408 // no hello or resume came in time
	// StatusTakenOver says that another connection has taken the session over.
	StatusTakenOver wsource.StatusCode = 4409
	StatusExpired   wsource.StatusCode = 4410 // there is no such session
	// StatusOverflow says that the outbox of the side that closes is full.
	StatusOverflow wsource.StatusCode = 4413
)

// ExpiredError says that a session is over since the other side does not know it, or
// since no connection came within its time to live. Messages that were not acknowledged
// are undelivered.
type ExpiredError struct {
	// The last connection's end, or the server's reason for not taking the token; may be
	// nil.
	Err error
}

// Error tells the cause.
func (e *ExpiredError) Error() string { return withCause("session: the session has expired", e.Err) }

// Unwrap returns the cause.
func (e *ExpiredError) Unwrap() error { return e.Err }

// TakenOverError says that a session is over on this side since another client has shown
// its token.
type TakenOverError struct {
	Err error // the connection's end
}

// Error tells the cause.
func (e *TakenOverError) Error() string {
	return withCause("session: another connection has taken the session over", e.Err)
}

// Unwrap returns the cause.
func (e *TakenOverError) Unwrap() error { return e.Err }

// OverflowError says that a session has ended since its outbox was full and its policy is
// to fail.
type OverflowError struct {
	Messages, Bytes int  // the outbox's contents
	Remote          bool // it is the peer's outbox, whose numbers are not known
}

// Error tells how full the outbox was.
func (e *OverflowError) Error() string {
	if e.Remote {
		return "session: the peer's outbox is full"
	}
	return fmt.Sprintf("session: the outbox is full: %d messages, %d bytes", e.Messages, e.Bytes)
}

// ProtocolError says that the peer has broken the protocol. The connection is closed, the
// session waits for another one.
type ProtocolError struct {
	Problem string
	Err     error // the fault of a malformed control message
}

// Error tells the problem.
func (e *ProtocolError) Error() string { return withCause("session: "+e.Problem, e.Err) }

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

// TokenProblem is the reason why a server did not take a token.
type TokenProblem uint8

// The problems.
const (
	// TokenUnknown: no session has it. The session has expired, or the token was
	// replaced, or made up.
	TokenUnknown TokenProblem = iota
	// TokenForeign: it was given to another key, and may have been stolen.
	TokenForeign
	// TokenPosition: the session has it, but its client cannot have received so many
	// messages, or so few.
	TokenPosition
	TokenUnchecked // the Store does not tell whether a session has it
)

// String says it in words.
func (p TokenProblem) String() string {
	switch p {
	case TokenForeign:
		return "the token was given to another key"
	case TokenPosition:
		return "the client's count of messages cannot be"
	case TokenUnchecked:
		return "the session cannot be looked up"
	default:
		return "the token is unknown"
	}
}

// TokenError is the refusal of a token. The client is told that its session has expired,
// for each problem but one: after TokenUnchecked it is told to try again
// (wsource.StatusTryAgainLater).
type TokenError struct {
	Problem TokenProblem
	Key     string          // the key of the connection that has shown it
	Socket  *wsource.Socket // that connection
	Err     error           // the reason for TokenUnchecked
}

// Error tells the problem, and neither key nor token.
func (e *TokenError) Error() string { return withCause("session: refused: "+e.Problem.String(), e.Err) }

// Unwrap returns the cause.
func (e *TokenError) Unwrap() error { return e.Err }

func withCause(text string, err error) string {
	if err != nil {
		return text + ": " + err.Error()
	}
	return text
}
