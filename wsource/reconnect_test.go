package wsource_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestCloseActionByCode(t *testing.T) {
	want := map[wsource.StatusCode]wsource.Action{
		1000: wsource.CompleteStream, 1005: wsource.CompleteStream,
		1001: wsource.RetryConnect, 1006: wsource.RetryConnect, 1011: wsource.RetryConnect,
		1012: wsource.RetryConnect, 1013: wsource.RetryConnect, 1014: wsource.RetryConnect,
		1002: wsource.FailStream, 1003: wsource.FailStream, 1007: wsource.FailStream, 1008: wsource.FailStream,
		1009: wsource.FailStream, 1010: wsource.FailStream, 1015: wsource.FailStream,
		3000: wsource.FailStream, 4999: wsource.FailStream,
	}
	for code, action := range want {
		assert.Equal(t, action, wsource.CloseAction(&wsource.CloseError{Code: code}), "%v", code)
		assert.Equal(t, action, wsource.CloseAction(fmt.Errorf("wrapped: %w", &wsource.CloseError{Code: code})), "%v", code)
	}
	assert.Equal(t, wsource.CompleteStream, wsource.CloseAction(nil))
}

func TestCloseActionByRefusal(t *testing.T) {
	for status, action := range map[int]wsource.Action{
		0:   wsource.RetryConnect, // not reached
		101: wsource.FailStream,   // a server that speaks another protocol
		200: wsource.FailStream, 301: wsource.FailStream,
		400: wsource.FailStream, 401: wsource.FailStream, 403: wsource.FailStream, 404: wsource.FailStream,
		408: wsource.RetryConnect, 410: wsource.FailStream, 425: wsource.RetryConnect, 426: wsource.FailStream,
		429: wsource.RetryConnect,
		500: wsource.RetryConnect, 502: wsource.RetryConnect, 503: wsource.RetryConnect, 504: wsource.RetryConnect,
	} {
		assert.Equal(t, action, wsource.CloseAction(&wsource.HandshakeError{Status: status}), "%d", status)
	}
}

func TestCloseActionOfOtherErrors(t *testing.T) {
	assert.Equal(t, wsource.FailStream, wsource.CloseAction(errors.New("nothing known")))
	assert.Equal(t, wsource.FailStream, wsource.CloseAction(&observable.PanicError{Value: "oops"}))
	assert.Equal(t, wsource.FailStream, wsource.CloseAction(wsource.ErrClosed))
	assert.Equal(t, wsource.RetryConnect, wsource.CloseAction(fmt.Errorf("token: %w", &net.OpError{Op: "dial", Err: errors.New("refused")})))
	_, unparsed := url.Parse("http://a b") //nolint:staticcheck // the case of the test
	assert.Equal(t, wsource.FailStream, wsource.CloseAction(fmt.Errorf("token: %w", unparsed)))
	assert.Equal(t, wsource.RetryConnect, wsource.CloseAction(&url.Error{Op: "Get", URL: "http://token", Err: io.EOF}))
	assert.Equal(t, wsource.FailStream, wsource.CloseAction(&wsource.HandshakeError{Err: &tls.CertificateVerificationError{}}))
	assert.Equal(t, wsource.FailStream, wsource.CloseAction(&wsource.HandshakeError{Err: wsource.ErrTooManyRedirects}))
	_, err := wsource.Dial(t.Context(), "ws://%zz", nil)
	assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
}

// TestTheOuterEndCounts has the end of one connection as the cause of another's.
func TestTheOuterEndCounts(t *testing.T) {
	refused := func(status int, cause error) error {
		return &wsource.HandshakeError{Status: status, Header: http.Header{"Retry-After": {"7"}}, Err: cause}
	}
	closed := func(code wsource.StatusCode, cause error) error { return &wsource.CloseError{Code: code, Err: cause} }
	for name, test := range map[string]struct {
		err                  error
		action, withClosures wsource.Action
		after                time.Duration
	}{
		"closed because of a refusal": {
			closed(1011, refused(403, nil)), wsource.RetryConnect, wsource.RetryConnect, 0,
		},
		"closed for good because of one that passes": {
			closed(1008, refused(503, nil)), wsource.FailStream, wsource.FailStream, 0,
		},
		"not dialled because of a closure": {
			refused(0, closed(1000, nil)), wsource.RetryConnect, wsource.RetryConnect, 7 * time.Second,
		},
		"refused because of a closure": {
			fmt.Errorf("wrapped: %w", refused(401, closed(4001, nil))), wsource.FailStream, wsource.FailStream, 7 * time.Second,
		},
	} {
		assert.Equal(t, test.action, wsource.CloseAction(test.err), name)
		assert.Equal(t, test.withClosures, wsource.RetryClosures(test.err), name)
		assert.Equal(t, test.after, wsource.RetryAfter(test.err), name)
	}
}

func TestActionNames(t *testing.T) {
	assert.Equal(t, "fail complete retry fail",
		fmt.Sprint(wsource.FailStream, " ", wsource.CompleteStream, " ", wsource.RetryConnect, " ", wsource.Action(9)))
	assert.Equal(t, "idle connecting open closing backoff closed closed",
		fmt.Sprint(wsource.LinkIdle, " ", wsource.LinkConnecting, " ", wsource.LinkOpen, " ", wsource.LinkClosing, " ",
			wsource.LinkBackoff, " ", wsource.LinkClosed, " ", wsource.LinkState(9)))
}

// refusing is a transport that answers with statuses, and then passes handshakes on.
type refusing struct {
	http.RoundTripper
	answers []http.Response
}

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	if len(r.answers) == 0 {
		return r.RoundTripper.RoundTrip(req)
	}
	answer := r.answers[0]
	r.answers = r.answers[1:]
	answer.Body = http.NoBody
	return &answer, nil
}

func TestRefusalsAreRetriedOrNot(t *testing.T) {
	header := func(retryAfter string) http.Header { return http.Header{"Retry-After": {retryAfter}} }
	for name, test := range map[string]struct {
		answer http.Response
		least  time.Duration // time before the next attempt; negative: there is none
	}{
		"401":                    {http.Response{StatusCode: http.StatusUnauthorized}, -1},
		"403":                    {http.Response{StatusCode: http.StatusForbidden}, -1},
		"404":                    {http.Response{StatusCode: http.StatusNotFound}, -1},
		"404 with a Retry-After": {http.Response{StatusCode: http.StatusNotFound, Header: header("1")}, -1},
		"503":                    {http.Response{StatusCode: http.StatusServiceUnavailable}, 0},
		"503 for 90 s":           {http.Response{StatusCode: http.StatusServiceUnavailable, Header: header("90")}, 90 * time.Second},
		"429 for 0 s":            {http.Response{StatusCode: http.StatusTooManyRequests, Header: header("0")}, 0},
		"429 without sense":      {http.Response{StatusCode: http.StatusTooManyRequests, Header: header("soon")}, 0},
		"429 in the past":        {http.Response{StatusCode: http.StatusTooManyRequests, Header: header("Sat, 01 Jan 2000 00:00:00 GMT")}, 0},
		"429 until a date": {
			// The clock of a bubble begins with the year 2000.
			http.Response{StatusCode: http.StatusTooManyRequests, Header: header("Sat, 01 Jan 2000 00:10:00 GMT")}, 10*time.Minute - time.Second,
		},
		"503 for ever": {
			http.Response{StatusCode: http.StatusServiceUnavailable, Header: header("99999999999999999")}, 24 * time.Hour,
		},
		"503 for longer": {
			http.Response{StatusCode: http.StatusServiceUnavailable, Header: header("99999999999999999999")}, 24 * time.Hour,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				start := time.Now()
				transport := &refusing{s.network.HTTPClient().Transport, []http.Response{test.answer}}
				subject := s.subject(&wsource.SubjectConfig[string]{
					Dial: wsource.DialOptions{Transport: transport}, Reconnect: steady(),
				})
				status := record(t, subject.Status())
				got, sub := listen(t, subject)
				if test.least < 0 {
					requireHandshake(t, got.ExpectEnd(t), test.answer.StatusCode)
					assert.Equal(t, []wsource.LinkState{wsource.LinkIdle, wsource.LinkConnecting, wsource.LinkClosed}, states(status.Values()))
					return
				}
				s.accept()
				took := time.Since(start)
				assert.GreaterOrEqual(t, took, test.least)
				// Up to a second each for the date and the policy, and the time to settle.
				assert.Less(t, took, test.least+2*time.Second+10*time.Millisecond)
				backoff := status.Values()[2]
				requireHandshake(t, backoff.Err, test.answer.StatusCode)
				assert.Equal(t, wsource.LinkBackoff, backoff.State)
				sub.Unsubscribe()
			})
		})
	}
}

func TestTheTableCanBeOverridden(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		table := map[wsource.StatusCode]wsource.Action{
			4000: wsource.RetryConnect, 4001: wsource.CompleteStream, 1000: wsource.RetryConnect, 1012: wsource.FailStream,
		}
		subject := s.subject(&wsource.SubjectConfig[string]{
			Reconnect: steady(),
			OnEnd: func(err error) wsource.Action {
				if action, ok := table[wsource.CloseStatus(err)]; ok {
					return action
				}
				return wsource.CloseAction(err)
			},
		})
		got := record(t, subject)
		require.NoError(t, s.accept().Close(4000, ""))
		s.accept().Complete()
		require.NoError(t, s.accept().Close(wsource.StatusGoingAway, ""))
		require.NoError(t, s.accept().Close(4001, "done"))
		require.NoError(t, got.ExpectEnd(t))
		got = record(t, subject)
		require.NoError(t, s.accept().Close(wsource.StatusServiceRestart, ""))
		requireClose(t, got.ExpectEnd(t), wsource.StatusServiceRestart)
	})
}

func TestANormalClosureCanBeAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{
			OnEnd: func(error) wsource.Action { return wsource.FailStream },
		})
		got := record(t, subject)
		s.accept().Complete()
		requireClose(t, got.ExpectEnd(t), wsource.StatusNormalClosure)
	})
}

func TestAPanicInTheTableFailsTheStream(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{
			Reconnect: steady(),
			OnEnd:     func(error) wsource.Action { panic("no idea") },
		})
		got := record(t, subject)
		s.accept().Complete()
		var pe *observable.PanicError
		require.ErrorAs(t, got.ExpectEnd(t), &pe)
	})
}

func TestRetryOperatorsRedial(t *testing.T) {
	for name, retry := range map[string]func(observable.Observable[string]) observable.Observable[string]{
		"Retry": func(o observable.Observable[string]) observable.Observable[string] { return operators.Retry(o, 3) },
		"RetryBackoff": func(o observable.Observable[string]) observable.Observable[string] {
			return operators.RetryBackoff(o, backoff.Config{Retries: 3})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(nil)
				// Two subscribers: one that redials before the other has heard of the end
				// must not get the old connection.
				one, sub1 := listen(t, retry(subject))
				two, sub2 := listen(t, retry(subject))
				for i := range 3 {
					far := s.accept()
					assert.Equal(t, i+1, s.network.Dials())
					time.Sleep(time.Second) // so that both are back
					far.say("value")
					settle()
					far.CloseNow()
				}
				s.accept()
				time.Sleep(time.Second)
				assert.Equal(t, []string{"value", "value", "value"}, one.Values())
				assert.Equal(t, []string{"value", "value", "value"}, two.Values())
				sub1.Unsubscribe()
				sub2.Unsubscribe()
			})
		})
	}
}

func TestRetryAfterAMessageThatDoesNotDecode(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := newSubject(s, wsource.JSON[int, int](), nil)
		one, sub1 := listen(t, operators.Retry(subject, 1))
		two, sub2 := listen(t, operators.Retry(subject, 1))
		far := s.accept()
		far.say("nonsense")
		end := requireClose(t, far.wait(), wsource.StatusInvalidPayload)
		assert.Equal(t, "a message cannot be decoded", end.Reason)
		s.accept().say("7")
		settle()
		assert.Equal(t, []int{7}, one.Values())
		assert.Equal(t, []int{7}, two.Values())
		sub1.Unsubscribe()
		sub2.Unsubscribe()
	})
}

func TestNoRetryWhileNobodyIsSubscribed(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		_, sub := listen(t, subject)
		s.accept()
		s.outage()
		time.Sleep(10 * time.Second)
		dials := s.network.Dials()
		assert.Greater(t, dials, 5)
		status := record(t, subject.Status())
		sub.Unsubscribe() // in the delay; that ends at once
		time.Sleep(time.Hour)
		assert.Equal(t, dials, s.network.Dials())
		assert.Equal(t, []wsource.LinkState{wsource.LinkBackoff, wsource.LinkClosed}, states(status.Values()))
	})
}

func TestSubscribingAgainInTheDelayDialsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: &backoff.Config{Base: time.Hour, Max: time.Hour}})
		_, sub := listen(t, subject)
		s.accept()
		s.outage()()
		sub.Unsubscribe()
		start := time.Now()
		_, sub = listen(t, subject)
		s.accept()
		assert.Less(t, time.Since(start), time.Second)
		sub.Unsubscribe()
	})
}

func TestUnsubscribingStopsADialThatIsUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		require.NoError(t, s.network.OnEveryDial(wstest.Stall(wstest.ToServer, 0)))
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		_, sub := listen(t, subject)
		settle()
		assert.Len(t, s.network.Links(), 1)
		sub.Unsubscribe()
		settle()
		s.link().Resume(wstest.ToServer)
		// The server has answered before it knew that the client had left.
		if s.dialled() {
			requireClose(t, s.accept().wait(), wsource.StatusAbnormalClosure)
		}
		time.Sleep(time.Hour)
		assert.Equal(t, 1, s.network.Dials())
	})
}
