package wsource_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

type userKey struct{}

func TestContextOfASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := new(wsource.Server)
		connections := record(t, server.Connections())
		network := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
			server.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, "alice")))
		})
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), userKey{}, "here"))
		client, err := wsource.Dial(ctx, "ws://"+host, on(network, nil))
		require.NoError(t, err)
		settle()
		accepted := connections.Values()[0]
		cancel()
		settle()
		before := runtime.NumGoroutine()
		near, far := client.Context(), accepted.Context()
		assert.Equal(t, before, runtime.NumGoroutine())
		assert.Same(t, far, accepted.Context())
		assert.Equal(t, "here", near.Value(userKey{}))
		assert.Equal(t, "alice", far.Value(userKey{}))
		assert.Equal(t, "alice", accepted.Request().Context().Value(userKey{}))
		require.NoError(t, near.Err(), "the end of the handshake's context is not the socket's")
		require.NoError(t, far.Err(), "the request is over, the socket is not")
		child, stop := context.WithCancel(far)
		defer stop()

		require.NoError(t, client.Close(wsource.StatusPolicyViolation, "enough"))
		<-far.Done()
		<-child.Done()
		requireClose(t, context.Cause(far), wsource.StatusPolicyViolation)
		requireClose(t, context.Cause(child), wsource.StatusPolicyViolation)
		<-accepted.Done()
		assert.Equal(t, accepted.Err(), context.Cause(far))
		<-client.Done()
		require.Error(t, near.Err(), "Done comes after the end of the context")
	})
}

func TestContextAfterANormalEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		near := client.Context()
		client.Complete()
		<-client.Done()
		<-server.Done()
		require.ErrorIs(t, context.Cause(near), wsource.ErrClosed)
		require.ErrorIs(t, near.Err(), context.Canceled)
		late := server.Context()
		require.ErrorIs(t, context.Cause(late), wsource.ErrClosed, "it was asked for too late")
	})
}

func TestEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		ended := record(t, server.Ended())
		left, subscription := listen(t, server.Ended())
		subscription.Unsubscribe()
		send(client, "for the subscriber")
		settle()
		assert.Empty(t, ended.Values())
		got := record[wsource.Message](t, server)
		settle()
		assert.Len(t, got.Values(), 1, "it takes no message")
		client.Complete()
		require.NoError(t, ended.ExpectEnd(t))
		assert.Equal(t, []*wsource.CloseError{{Code: wsource.StatusNormalClosure}}, ended.Values())
		assert.Empty(t, left.Values())
		late := record(t, server.Ended())
		require.NoError(t, late.ExpectEnd(t))
		assert.Equal(t, ended.Values(), late.Values())
	})
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		ended := record(t, server.Ended())
		require.NoError(t, client.Close(4000, "x"))
		require.NoError(t, ended.ExpectEnd(t), "each end is a value")
		require.Len(t, ended.Values(), 1)
		assert.Equal(t, server.Err(), ended.Values()[0])
	})
}

func TestIDsAreUnique(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		seen := make(map[string]bool)
		for range 10 {
			client, server := s.pair(nil)
			for _, id := range []string{client.ID(), server.ID()} {
				assert.Regexp(t, "^[0-9a-z]{1,20}$", id)
				assert.False(t, seen[id])
				seen[id] = true
			}
			assert.Equal(t, client.ID(), client.ID())
		}
	})
}

// TestPrintingDoesNotRace prints values that other goroutines use; the race detector
// watches.
func TestPrintingDoesNotRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		client, server := s.pair(nil)
		subject := wsource.WrapSocket(client, wsource.TextCodec(), nil)
		topics := wsource.NewTopics(subject, wsource.TopicsConfig[string, string, string]{
			Subscribe: func(topic string) string { return "+" + topic }, Unsubscribe: func(topic string) string { return "-" + topic },
			Topic: func(string) (string, bool) { return "a", true },
		})
		record(t, topics.Topic("a"))
		var printing sync.WaitGroup
		printing.Go(func() {
			for range 100 {
				for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
					for _, v := range []any{client, server, subject, topics, s.server, []*wsource.Socket{client}} {
						_ = fmt.Sprintf(format, v)
					}
				}
			}
		})
		for range 100 {
			send(server, "x")
			send(client, "y")
		}
		printing.Wait()
		assert.Equal(t, "socket "+server.ID()+" client.test:1 open", fmt.Sprint(server))
		assert.Equal(t, "subject open", fmt.Sprint(subject))
		assert.Equal(t, "1 topics", fmt.Sprint(topics))
		assert.Equal(t, "server of 1 connections", fmt.Sprint(s.server))
		server.CloseNow()
		<-client.Done()
	})
}

// TestTheKeptHeaderIsBounded sends more header than a socket may keep.
func TestTheKeptHeaderIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := new(wsource.Server)
		connections := record(t, server.Connections())
		network := serveHTTP(t, server.ServeHTTP)
		header := http.Header{"Authorization": {"Bearer x"}, "Cookie": {"a=b"}}
		for i := range 10 {
			header.Set(fmt.Sprint("X-Large-", i), strings.Repeat("x", 20<<10+i))
		}
		client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, &wsource.DialOptions{Header: header}))
		require.NoError(t, err)
		settle()
		kept := connections.Values()[0].Request().Header
		assert.Equal(t, "Bearer x", kept.Get("Authorization"))
		assert.Equal(t, "a=b", kept.Get("Cookie"))
		assert.Len(t, kept.Get("X-Large-2"), 20<<10+2)
		assert.Empty(t, kept.Get("X-Large-3"))
		var size int
		for name, values := range kept {
			size += len(name) + len(strings.Join(values, ""))
		}
		assert.LessOrEqual(t, size, 64<<10)
		client.Complete()
		<-client.Done()
		time.Sleep(time.Second)
	})
}
