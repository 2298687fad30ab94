package wsource_test

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// inquiry holds the outcomes of the requests of a client.
type inquiry struct {
	mu       sync.Mutex
	received map[string]int // the server's
	answered int
	unknown  int
}

// receive notes that the server has got a request.
func (q *inquiry) receive(text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.received[text]++
}

// settle notes the outcome of a request, and checks it against the requests that the
// server has got.
func (q *inquiry) settle(t *testing.T, text, answer string, err error) {
	t.Helper()
	failed, ok := errors.AsType[*wsource.RequestError](err)
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case err == nil:
		q.answered++
		assert.Equal(t, text, answer, "an answer to another request")
		assert.Equal(t, 1, q.received[text], "%.20s is answered", text)
	case assert.True(t, ok, "%v", err):
		// An unsent request goes to the next connection, so only a request that may have
		// arrived fails.
		q.unknown++
		assert.Equal(t, wsource.Unknown, failed.Outcome, "%v", err)
		assert.NotErrorIs(t, err, wsource.ErrRequestTimeout)
	}
}

// TestCutsOfRequests breaks the connections of requests: each gets its own answer, or an
// error, and none arrives twice.
func TestCutsOfRequests(t *testing.T) {
	t.Parallel()
	eachCutting(t, func(c *cutting) {
		inquiries := &inquiry{received: make(map[string]int)}
		c.begin(func(socket *wsource.Socket, _ int) {
			c.serve(socket, func(*wsource.SendError) {}, func(to *wsource.Subject[string, string], text string) {
				_, question, _ := strings.Cut(text, "|")
				inquiries.receive(question)
				to.Next(text)
			})
		})
		requests := wsource.NewRequests(c.subject, wsource.RequestsConfig[string, string]{
			SetID: func(text string, id uint64) string { return strconv.FormatUint(id, 10) + "|" + text },
			ID: func(text string) (uint64, bool) {
				head, _, _ := strings.Cut(text, "|")
				id, err := strconv.ParseUint(head, 10, 64)
				return id, err == nil
			},
		})
		ask := func(text string) error {
			answer, err := requests.Do(c.t.Context(), text)
			_, answer, _ = strings.Cut(answer, "|")
			inquiries.settle(c.t, text, answer, err)
			return err
		}
		const askers = 16
		var all sync.WaitGroup
		for asker := range askers {
			all.Go(func() {
				random := rand.New(rand.NewPCG(c.seed, uint64(asker)))
				for i := 0; !c.relay.over() && !c.t.Failed(); i++ {
					_ = ask(strconv.Itoa(asker) + " " + numbered(i, random.IntN(2000)))
				}
			})
		}
		all.Wait()
		for i := range 10 {
			if ask("at last "+strconv.Itoa(i)) == nil {
				break
			}
			require.Less(c.t, i, 9, "no request is answered any more")
		}
		c.end()
		for text, n := range inquiries.received {
			assert.Equal(c.t, 1, n, "%.20s has arrived", text)
		}
		c.t.Logf("%d requests answered, %d told as unknown", inquiries.answered, inquiries.unknown)
	})
}
