package wsource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
)

// DefaultRefusalStatus is the status of a [RefusalError] that names none.
const DefaultRefusalStatus = http.StatusForbidden

// Admission is what [AcceptOptions].Authorize grants to a client. The zero value lets it in and says nothing of it.
type Admission struct {
	// Key names whom the connection belongs to, as a user's ID. It is the socket's [Socket.Key], what
	// [Server.SocketsOf] finds, and what Server.MaxPerKey counts by. An empty key is not counted.
	Key string
	// Context has the values of [Socket.Context]: one that is derived from the request's context. Its end is
	// not the socket's. Default: the request's context.
	Context context.Context //nolint:containedctx // it is handed over, not kept
	// Options are those of this connection, in place of all of those it was authorized by: they begin as a copy of the
	// server's, where only some are to differ. Of their fields, Origins, Proxies, Forwarded and Authorize are not
	// looked at; without a Hook, that of the others stays.
	Options *AcceptOptions
	// Until is the end of the admission: the socket is then closed with [StatusAuthorizationExpired],
	// unless [Socket.Renew] was called before. The zero time is no end.
	Until time.Time
}

// RefusalError is the refusal of a handshake, as [AcceptOptions].Authorize returns it: what the client is answered.
type RefusalError struct {
	// Status is the HTTP status of the answer, from 400 to 599. Default, and in place of any other:
	// DefaultRefusalStatus.
	Status int
	// Header is added to the answer, as a WWW-Authenticate for a 401.
	Header http.Header
	// Body is the text of the answer. Default: the text of the status.
	Body string
	// RetryAfter is how long the client should wait before it tries again; it is told whole seconds, rounded up.
	// Default: the client is not told, except with 503, where that is a second.
	RetryAfter time.Duration
	// Err is the cause, for logs. The client is not told.
	Err error
}

// Error tells the status and the cause.
func (e *RefusalError) Error() string {
	text := fmt.Sprintf("wsource: refused with %d %s", e.status(), http.StatusText(e.status()))
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *RefusalError) Unwrap() error { return e.Err }

func (e *RefusalError) status() int {
	if e.Status < http.StatusBadRequest || e.Status > 599 {
		return DefaultRefusalStatus
	}
	return e.Status
}

// answer returns the headers of the answer, and its text.
func (e *RefusalError) answer() (header http.Header, text string) {
	header = e.Header.Clone()
	if e.RetryAfter > 0 {
		if header == nil {
			header = make(http.Header)
		}
		header.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	return header, cmp.Or(e.Body, http.StatusText(e.status()))
}

// refusalStatus returns the status that a failed authorization is answered with.
func refusalStatus(err error) int {
	if refusal, ok := errors.AsType[*RefusalError](err); ok {
		return refusal.status()
	}
	return http.StatusInternalServerError
}

// authorize asks Authorize, and returns the request and the options for the connection.
func authorize(
	w http.ResponseWriter, r *http.Request, opts *AcceptOptions,
) (*http.Request, *AcceptOptions, Admission, error) {
	if opts.Authorize == nil {
		return r, opts, Admission{}, handshake.CheckOpen(w, r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), DefaultHandshakeTimeout)
	defer cancel()
	admission, err := opts.Authorize(r.WithContext(ctx))
	if over := handshake.CheckOpen(w, r); over != nil {
		err = errors.Join(over, err)
	}
	if err != nil {
		return r, opts, Admission{}, err
	}
	if admission.Context != nil {
		r = r.WithContext(context.WithoutCancel(admission.Context))
	}
	if admission.Options != nil {
		own := *admission.Options
		if problem := own.problem(); problem != "" {
			return r, opts, Admission{}, argument("Accept", "Admission.Options", problem)
		}
		if own.Hook == nil {
			own.Hook = opts.Hook
		}
		opts = &own
	}
	return r, opts, admission, nil
}

// Key returns what the [Admission] of the connection names as its owner, or "".
func (s *Socket) Key() string { return s.key }

// Renew sets the time at which the socket is closed with [StatusAuthorizationExpired], in place of the Until of its
// [Admission], as when the client has shown a new token; at once, if that time has passed. The zero time
// is no end. The error is ErrClosed if the socket is over.
func (s *Socket) Renew(until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.State() == Closed {
		return ErrClosed
	}
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	if !until.IsZero() {
		s.expiry = time.AfterFunc(time.Until(until), func() {
			s.startClose(&CloseError{Code: StatusAuthorizationExpired, Reason: "the authorization has expired"})
		})
	}
	return nil
}
