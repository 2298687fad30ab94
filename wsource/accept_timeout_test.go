package wsource_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// impatientWriter is the writer of a middleware that limits the time and answers in the
// handler's place, as gin's do: the handler's bytes wait, and a Hijack goes to the
// connection.
type impatientWriter struct {
	http.ResponseWriter
	http.Hijacker
	header http.Header
}

func (w *impatientWriter) Header() http.Header         { return w.header }
func (w *impatientWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *impatientWriter) WriteHeader(int)             {}

// impatient runs a handler on another goroutine, and answers with 408 after patience.
func impatient(handler http.HandlerFunc, patience time.Duration, handlers *sync.WaitGroup) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		done := make(chan struct{})
		own := &impatientWriter{w, w.(http.Hijacker), make(http.Header)}
		handlers.Go(func() {
			defer close(done)
			handler(own, r)
		})
		select {
		case <-done:
		case <-time.After(patience):
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}
}

// TestHijackOfARequestThatIsOver has a middleware hide the end of the request, too:
// net/http panics then.
func TestHijackOfARequestThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var handlers sync.WaitGroup
		var err error
		network := serveHTTP(t, impatient(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			_, err = wsource.Accept(w, r.WithContext(context.WithoutCancel(r.Context())), nil)
		}, time.Second, &handlers))
		requireHandshake(t, dialError(t, network, "ws://"+host, nil), http.StatusRequestTimeout)
		handlers.Wait()
		he := requireHandshake(t, err, 0)
		assert.Contains(t, he.Error(), "*wsource_test.impatientWriter")
		assert.Contains(t, he.Error(), "serve this path outside of it", "the cure")
	})
}

// TestMiddlewareThatAnswersInBetween has a handshake take longer than a middleware
// allows, and the middleware answers meanwhile. The refusal names the middleware's writer
// and the remedy. Nothing is written to the finished response, and nothing is left.
func TestMiddlewareThatAnswersInBetween(t *testing.T) {
	const patience = 5 * time.Second
	authorize := func(s *wsource.Server, takes time.Duration, result error) {
		s.Options.Authorize = func(*http.Request) (wsource.Admission, error) {
			time.Sleep(takes)
			return wsource.Admission{}, result
		}
		s.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{})
	}
	for name, test := range map[string]struct {
		begin    func(s *wsource.Server)
		accepted bool
	}{
		"Authorize in time":          {func(s *wsource.Server) { authorize(s, time.Second, nil) }, true},
		"Authorize too late":         {func(s *wsource.Server) { authorize(s, 2*patience, nil) }, false},
		"Authorize refuses too late": {func(s *wsource.Server) { authorize(s, 2*patience, errHandler) }, false},
		"a request that is never decided": {func(s *wsource.Server) {
			s.Requests().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Request]{})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &wsource.Server{MaxConnections: 1}
				refused := record(t, server.Refusals())
				test.begin(server)
				var handlers sync.WaitGroup
				network := serveHTTP(t, impatient(server.ServeHTTP, patience, &handlers))
				client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
				handlers.Wait()
				if test.accepted {
					require.NoError(t, err)
					assert.Empty(t, refused.Values())
				} else {
					requireHandshake(t, err, http.StatusRequestTimeout)
					require.Len(t, refused.Values(), 1)
					he := requireHandshake(t, refused.Values()[0], 0)
					assert.Contains(t, he.Error(), "*wsource_test.impatientWriter")
					assert.Contains(t, he.Error(), "serve this path outside of it", "the cure")
					require.NoError(t, server.Ready())
				}
				require.NoError(t, server.Shutdown(context.Background()))
				if test.accepted {
					<-client.Done()
				}
			})
		})
	}
}
