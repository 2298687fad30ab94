package session

import (
	"fmt"

	"github.com/rxsocket/rxsocket/wsource"
)

// The codes of close frames that belong to the protocol.
const (
	StatusHelloTimeout wsource.StatusCode = 4408 // no hello or resume came in time
	StatusTakenOver    wsource.StatusCode = 4409 // another connection has taken the session over
	StatusExpired      wsource.StatusCode = 4410 // there is no such session
	StatusOverflow     wsource.StatusCode = 4413 // the outbox of the side that closes is full
)

// ExpiredError says that a session is over since the other side does not know it, or since no
// connection came within its time to live. What was not acknowledged is undelivered.
type ExpiredError struct {
	Err error // how the last connection ended, or why the server did not take the token; may be nil
}

// Error tells the cause.
func (e *ExpiredError) Error() string { return withCause("session: the session has expired", e.Err) }

// Unwrap returns the cause.
func (e *ExpiredError) Unwrap() error { return e.Err }

// TakenOverError says that a session is over on this side since another client has shown its
// token.
type TakenOverError struct {
	Err error // how the connection ended
}

// Error tells the cause.
func (e *TakenOverError) Error() string {
	return withCause("session: another connection has taken the session over", e.Err)
}

// Unwrap returns the cause.
func (e *TakenOverError) Unwrap() error { return e.Err }

// OverflowError says that a session has ended since its outbox was full and its policy is to
// fail.
type OverflowError struct {
	Messages, Bytes int  // that the outbox had
	Remote          bool // it is the peer's, of which the numbers are not known
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
	Err     error // of a control message that is malformed
}

// Error tells the problem.
func (e *ProtocolError) Error() string { return withCause("session: "+e.Problem, e.Err) }

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

// TokenProblem says why a server did not take a token.
type TokenProblem uint8

// The problems.
const (
	TokenUnknown   TokenProblem = iota // no session has it: that has expired, or the token was replaced, or made up
	TokenForeign                       // it was given to another key: it may have been stolen
	TokenPosition                      // the session has it, but its client cannot have received so many messages, or so few
	TokenUnchecked                     // the Store does not tell whether a session has it
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

// TokenError is the refusal of a token. The client is told that its session has expired, whatever
// the problem is; but after TokenUnchecked it is told to try again (wsource.StatusTryAgainLater).
type TokenError struct {
	Problem TokenProblem
	Key     string          // of the connection that has shown it
	Socket  *wsource.Socket // that connection
	Err     error           // why it is TokenUnchecked
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
