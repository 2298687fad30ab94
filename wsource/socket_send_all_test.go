package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

func ExampleSendAll() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	lines := operators.Map(observable.Of("to", "read", "quickly"), wsource.TextMessage)
	fmt.Println(wsource.SendAll(context.Background(), socket, lines))
	fmt.Println(socket.State())
	socket.CloseNow()
	// Output:
	// <nil>
	// open
}

// countedTexts returns texts of the numbers from 0 on, each after a millisecond.
func countedTexts(count int) observable.Observable[wsource.Message] {
	return operators.Map(operators.Take(observable.Interval(time.Millisecond), count), func(i int) wsource.Message {
		return wsource.TextMessage(fmt.Sprint(i))
	})
}

func TestSendAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		got := record[wsource.Message](t, server)
		require.NoError(t, wsource.SendAll(t.Context(), client, countedTexts(100)))
		assert.Equal(t, wsource.Open, client.State(), "it stays open")
		require.NoError(t, wsource.SendAll(t.Context(), client, observable.Empty[wsource.Message]()))
		synctest.Wait()
		values := got.Values()
		require.Len(t, values, 100)
		for i, m := range values {
			require.Equal(t, fmt.Sprint(i), string(m.Data))
		}
		client.CloseNow()
	})
}

// TestSendAllFails ends at the first failure, and unsubscribes from its source.
func TestSendAllFails(t *testing.T) {
	errDisk := errors.New("disk is full")
	for _, test := range []struct {
		name  string
		src   observable.Observable[wsource.Message]
		end   func(client *wsource.Socket, cancel context.CancelCauseFunc) // after 20 ms
		check func(t *testing.T, err error)
	}{
		{
			"by the source", operators.Concat(countedTexts(3), observable.Throw[wsource.Message](errDisk)), nil,
			func(t *testing.T, err error) { require.Equal(t, errDisk, err) },
		},
		{
			"by the context", countedTexts(1000),
			func(_ *wsource.Socket, cancel context.CancelCauseFunc) { cancel(errDisk) },
			func(t *testing.T, err error) { require.ErrorIs(t, err, errDisk) },
		},
		{
			"by the context of a quiet source", observable.Never[wsource.Message](),
			func(_ *wsource.Socket, cancel context.CancelCauseFunc) { cancel(errDisk) },
			func(t *testing.T, err error) { require.Equal(t, errDisk, err) },
		},
		{
			"by a message", observable.Of(wsource.Message{Type: wsource.Text, Data: []byte{0xff}}), nil,
			func(t *testing.T, err error) {
				require.ErrorIs(t, err, wsource.ErrInvalidUTF8)
				requireSend(t, err, wsource.Unsent)
			},
		},
		{
			"by the end of the socket", countedTexts(1000),
			func(client *wsource.Socket, _ context.CancelCauseFunc) { client.CloseNow() },
			func(t *testing.T, err error) { require.ErrorIs(t, err, wsource.ErrClosed) },
		},
		{
			"by the end of the socket of a quiet source", observable.Never[wsource.Message](),
			func(client *wsource.Socket, _ context.CancelCauseFunc) { client.CloseNow() },
			func(t *testing.T, err error) { require.ErrorIs(t, err, wsource.ErrClosed) },
		},
		{
			"by a normal closure", observable.Never[wsource.Message](),
			func(client *wsource.Socket, _ context.CancelCauseFunc) { client.Complete() },
			func(t *testing.T, err error) { require.Equal(t, wsource.ErrClosed, err) },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, _ := newSite(t, wsource.AcceptOptions{}).pair(nil)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if test.end != nil {
					time.AfterFunc(20*time.Millisecond, func() { test.end(client, cancel) })
				}
				torn := 0
				test.check(t, wsource.SendAll(ctx, client, operators.Finalize(test.src, func() { torn++ })))
				assert.Equal(t, 1, torn)
				client.CloseNow()
			})
		})
	}
}

func TestSendAllChecksItsArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newSite(t, wsource.AcceptOptions{}).pair(nil)
		defer client.CloseNow()
		var none context.Context
		require.EqualError(t, wsource.SendAll(none, client, countedTexts(1)), "wsource.SendAll: argument ctx is nil")
		require.EqualError(t, wsource.SendAll(t.Context(), nil, countedTexts(1)), "wsource.SendAll: argument socket is nil")
		require.EqualError(t, wsource.SendAll(t.Context(), client, nil), "wsource.SendAll: argument src is nil")
	})
}
