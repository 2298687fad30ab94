package wsource_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Messages that were handed to the operating system, and their outcomes when the
// connection ends.

func TestWhatIsOnItsWayWhenTheConnectionBreaksIsUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		lost := record(t, subject.Undelivered())
		_, sub := listen(t, subject)
		s.accept()
		require.NoError(t, s.link().Inject(wstest.Delay(wstest.ToServer, time.Minute)))
		require.NoError(t, subject.Send(t.Context(), "a"))
		subject.Next("b")
		assert.Empty(t, fates(lost))
		_ = s.link().Inject(wstest.Reset(wstest.ToClient, 0))
		far := s.accept()
		assert.Equal(t, []string{
			"a unknown wsource: connection closed: 1006 abnormal closure: " + resetError(lost),
			"b unknown wsource: connection closed: 1006 abnormal closure: " + resetError(lost),
		}, fates(lost))
		subject.Next("c")
		assert.Equal(t, []string{"c"}, far.heard())
		sub.Unsubscribe()
	})
}

// resetError is the text of the cause in the first report.
func resetError(lost *observabletest.Recorder[*wsource.SendError]) string {
	settle()
	var ce *wsource.CloseError
	if all := lost.Values(); len(all) > 0 {
		ce, _ = errors.AsType[*wsource.CloseError](all[0].Err)
	}
	if ce == nil {
		return "no close error"
	}
	return ce.Err.Error()
}

// texter is a subject of strings.
type texter = wsource.Subject[string, string]

func TestWhatThePeerHasConfirmedIsNotReported(t *testing.T) {
	for name, test := range map[string]struct {
		wait time.Duration
		end  func(s *site, subject *texter, far far)
		lost int
	}{
		"a pong has come":   {2 * time.Second, func(_ *site, _ *texter, far far) { far.CloseNow() }, 0},
		"it is on its way":  {500 * time.Millisecond, func(_ *site, _ *texter, far far) { far.CloseNow() }, 300 % 256},
		"the peer closes":   {500 * time.Millisecond, func(_ *site, _ *texter, far far) { far.Complete() }, 300 % 256},
		"the peer restarts": {0, func(_ *site, _ *texter, far far) { far.Close(wsource.StatusServiceRestart, "") }, 300 % 256},
		"this side closes":  {0, func(_ *site, subject *texter, _ far) { subject.Complete() }, 0},
		"with a code":       {0, func(_ *site, subject *texter, _ far) { subject.Close(4000, "bye") }, 0},
		"the close frame does not arrive": {0, func(s *site, subject *texter, far far) {
			_ = s.link().Inject(wstest.Delay(wstest.ToServer, time.Second))
			subject.Complete()
			far.CloseNow()
		}, 300 % 256},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(nil)
				lost := record(t, subject.Undelivered())
				got := record(t, subject)
				far := s.accept()
				for i := range 300 { // a ping goes out at 256, and another after a second
					subject.Next(fmt.Sprint(i))
				}
				settle()
				time.Sleep(test.wait)
				test.end(s, subject, far)
				_ = got.ExpectEnd(t)
				assert.Len(t, fates(lost), test.lost)
				for _, err := range lost.Values() {
					assert.Equal(t, wsource.Unknown, err.Outcome)
				}
			})
		})
	}
}

func TestWithoutAHeartbeatWhatWasHandedOverCountsAsSent(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Dial: wsource.DialOptions{Heartbeat: noBeat}})
		lost := record(t, subject.Undelivered())
		got := record(t, subject)
		far := s.accept()
		subject.Next("a")
		time.Sleep(2 * time.Second)
		far.CloseNow()
		assert.Error(t, got.ExpectEnd(t))
		assert.Empty(t, fates(lost))
	})
}

func TestAnIdleConnectionIsNotAsked(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{
			Dial: wsource.DialOptions{Heartbeat: wsource.Heartbeat{Interval: time.Hour, Timeout: time.Hour}},
		})
		_, sub := listen(t, subject)
		s.accept()
		subject.Next("a")
		time.Sleep(2 * time.Second)
		passed := s.link().Passed(wstest.ToServer)
		time.Sleep(10 * time.Second)
		assert.Equal(t, passed, s.link().Passed(wstest.ToServer))
		subject.Next("b")
		time.Sleep(2 * time.Second)
		// A message of one byte and a ping of eight, with headers and masks.
		assert.Equal(t, passed+(6+1)+(6+8), s.link().Passed(wstest.ToServer))
		sub.Unsubscribe()
	})
}

// TestWhatIsOnItsWayIsBounded has a network that holds more than a subject remembers: the
// sender waits.
func TestWhatIsOnItsWayIsBounded(t *testing.T) { //nolint:tparallel // beside its own subtests only
	for name, breaks := range map[string]bool{"it arrives": false, "the connection breaks": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				s.network.Buffer = 64 << 20
				subject := s.subject(nil)
				lost := record(t, subject.Undelivered())
				got := record(t, subject)
				far := s.accept()
				require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
				large := strings.Repeat("x", 1<<20)
				var sent atomic.Int32
				go func() {
					for range 20 {
						subject.Next(large)
						sent.Add(1)
					}
				}()
				settle()
				assert.InDelta(t, 10, sent.Load(), 1, "8 are on their way, one waits in the outbox, and one or two with the socket")
				if breaks {
					_ = s.link().Inject(wstest.Reset(wstest.ToClient, 0))
					assert.Error(t, got.ExpectEnd(t))
					assert.InDelta(t, 9, len(lost.Values()), 1)
					subject.Discard()
					for sent.Load() < 20 {
						settle()
						subject.Discard()
					}
					return
				}
				s.link().Resume(wstest.ToServer)
				settle()
				assert.Equal(t, int32(20), sent.Load())
				assert.Len(t, far.messages.Values(), 20)
				subject.Complete()
				require.NoError(t, got.ExpectEnd(t))
				assert.Empty(t, lost.Values())
			})
		})
	}
}
