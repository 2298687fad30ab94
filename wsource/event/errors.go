package event

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rxsocket/rxsocket/wsource"
)

// Code names a failure, in an error that goes over the wire. An application has codes of
// its own for a [PublicError].
type Code string

// The codes of this package.
const (
	CodeMalformed     Code = "malformed"         // no envelope, or a malformed field
	CodeVersion       Code = "unknown_version"   // the envelope is of another version
	CodeMissingID     Code = "missing_id"        // the envelope has no id
	CodeMissingType   Code = "missing_type"      // the envelope has no type
	CodeTooLong       Code = "too_long"          // the envelope, or a field, is too long
	CodeReserved      Code = "reserved_type"     // an unknown type that begins with "rx."
	CodeBadData       Code = "bad_data"          // the data does not fit the type
	CodeUnknownType   Code = "unknown_type"      // questions of the type have no answerer
	CodeDuplicateID   Code = "duplicate_id"      // a question with this id is under way
	CodeBusy          Code = "busy"              // too many questions are under way
	CodeNoQuestion    Code = "no_such_question"  // the answer is about no question
	CodeCredit        Code = "credit_exceeded"   // more values than were asked for
	CodeOverflow      Code = "overflow"          // the answering stream cannot be slowed
	CodeInternal      Code = "internal"          // a failure that is not for the peer
	CodeTimeout       Code = "deadline_exceeded" // the answer took too long
	CodeForbidden     Code = "forbidden"         // the peer may not do it
	CodeBadTopic      Code = "bad_topic"         // a malformed topic, or a wrong wildcard
	CodeTooManyTopics Code = "too_many_topics"   // too many, of the connection or server
)

// EnvelopeError reports an event that came, or was to be sent, and is not used because of
// its form. Only that event is lost.
type EnvelopeError struct {
	Code    Code
	ID      string // ID of the event, if it is known
	Type    string // type of the event, if it is known
	Topic   string // topic of the event, if it has one
	Field   string // field with the problem, or ""
	Problem string // problem of the field, as "is missing"
}

// Error names the event, the field and the problem.
func (e *EnvelopeError) Error() string {
	field := ""
	if e.Field != "" {
		field = fmt.Sprintf("%q ", e.Field)
	}
	return fmt.Sprintf("event: %s: %s%s (id %q, type %q)", e.Code, field, e.Problem, e.ID, e.Type)
}

// DataError reports data that does not fit its target type, or a value that does not
// encode. Only that event is lost.
type DataError struct {
	Envelope *Envelope // the event
	Target   string    // the Go type
	Err      error     // error of the codec
}

// Error names the event and the type, and not the data.
func (e *DataError) Error() string {
	return fmt.Sprintf("event: data of %q (id %q) as %s: %v", e.Envelope.Type, e.Envelope.ID, e.Target, e.Err)
}

// Unwrap returns the error of the codec.
func (e *DataError) Unwrap() error { return e.Err }

// StrayError reports an event of the protocol about a question that is not under way.
type StrayError struct {
	Corr string // ID of the question
	Type string // type of the event
	// Late tells that the question was asked, and given up before: such events are on
	// their way when that happens, and neither side has failed. Only the first such event
	// about a question is reported, since a stream may have a whole window of values on
	// their way.
	Late bool
}

// Error names the question, and tells whether it was given up.
func (e *StrayError) Error() string {
	why := "nobody has asked"
	if e.Late {
		why = "the question was given up"
	}
	return fmt.Sprintf("event: %s about question %q: %s", e.Type, e.Corr, why)
}

// RemoteError is a failure that the peer reports, of a question or of an event that it
// could not use.
type RemoteError struct {
	Code    Code
	Message string
	Corr    string // ID of the question or event
	Topic   string // topic of the subscription that has failed, or ""
}

// Error has the code and the message, the beginning of each if it is long.
func (e *RemoteError) Error() string {
	return fmt.Sprintf("event: the peer reports %s: %s", beginning(string(e.Code)), beginning(e.Message))
}

// beginning returns the first MaxName bytes of text from the peer, for a log.
func beginning(text string) string {
	if len(text) <= MaxName {
		return text
	}
	return strings.ToValidUTF8(text[:MaxName], "") + "..."
}

// Is reports whether target is wsource.ErrRequestTimeout, and the code is CodeTimeout.
func (e *RemoteError) Is(target error) bool {
	return target == wsource.ErrRequestTimeout && e.Code == CodeTimeout
}

// PublicError is the error of an answer that the peer is told as it is. Any other error
// of an answer is [CodeInternal] for the peer, without its text.
type PublicError struct {
	Code    Code
	Message string
}

// Error has the code and the message.
func (e *PublicError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// AskError reports a question that got no answer.
type AskError struct {
	ID      string          // ID of the question; "" if it did not get one
	Type    string          // type of the question
	Outcome wsource.Outcome // whether it may have arrived: Unsent if it certainly has not
	// Err is the cause: wsource.ErrRequestTimeout, the end of the connection, or the
	// cause of a context.
	Err error
}

// Error names the question's type, the outcome and the cause.
func (e *AskError) Error() string {
	return fmt.Sprintf("event: question %q (id %q): outcome %s: %v", e.Type, e.ID, e.Outcome, e.Err)
}

// Unwrap returns the cause.
func (e *AskError) Unwrap() error { return e.Err }

// AnswerError reports an answer that has failed with an error that is not the peer's
// business.
type AnswerError struct {
	ID   string // ID of the question
	Type string // type of the question
	Err  error  // a *observable.PanicError if the answer has panicked
}

// Error names the question and the cause.
func (e *AnswerError) Error() string {
	return fmt.Sprintf("event: answer to %q (id %q): %v", e.Type, e.ID, e.Err)
}

// Unwrap returns the cause.
func (e *AnswerError) Unwrap() error { return e.Err }

// DeadLetterError reports a job that a [Queue] has given up.
type DeadLetterError struct {
	ID       string // ID of the job
	Type     string // type of the queue
	Attempts int    // how often a worker has got it
	Err      error  // error of the last attempt
}

// Error names the job and the cause, and not its value.
func (e *DeadLetterError) Error() string {
	return fmt.Sprintf("event: job %q of %q is given up after %d attempts: %v", e.ID, e.Type, e.Attempts, e.Err)
}

// Unwrap returns the cause.
func (e *DeadLetterError) Unwrap() error { return e.Err }

var (
	// ErrNotConnected says that Connect has not been called.
	ErrNotConnected = errors.New("Connect has not been called")
	// ErrAskInCallback says that the asking code runs on the goroutine that would read
	// the answer, and so would wait for itself. [operators.ObserveOn] before the
	// callback, or AskMany in its place, helps.
	ErrAskInCallback = errors.New("the question is asked by a callback that the answer would have to wait for")
	// ErrCancelled is the cause that ends the context of an answer which the peer does
	// not want any more.
	ErrCancelled = errors.New("the peer does not want the answer any more")
	// ErrTooManyErrors says that the peer has sent too many events that cannot be used.
	ErrTooManyErrors = errors.New("the peer sends too many events that cannot be used")
)
