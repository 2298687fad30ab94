package wsource_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
)

func TestReaderAfterItsCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := lenient
		options.Heartbeat = noBeat
		p, server := newSite(t, options).rawClient("")
		var readers []*wsource.MessageReader
		strays := make(chan error, 10)
		got := reading(server, func(m *wsource.MessageReader) {
			readers = append(readers, m)
			for range 2 { // while another goroutine drops the rest
				go func() {
					_, err := io.Copy(io.Discard, m)
					strays <- err
				}()
			}
			settle()
		})
		p.write(frame{opcode: opText, payload: []byte("one")})
		time.Sleep(time.Minute) // a stray is in Read
		p.write(frame{opcode: opContinuation, payload: []byte("two")})
		p.write(frame{opcode: opContinuation, fin: true, payload: []byte("three")}, textFrame("next"))
		settle()
		p.write(closeFrame(1000, ""))
		require.NoError(t, got.ExpectEnd(t))
		assert.Len(t, got.Values(), 2)
		for range 4 {
			if err := <-strays; err != nil {
				require.ErrorIs(t, err, wsource.ErrReaderOver)
			}
		}
		for _, m := range readers {
			_, err := m.Read(make([]byte, 1))
			require.ErrorIs(t, err, wsource.ErrReaderOver)
		}
	})
}

func TestReaderCallbackThatPanicsOrExits(t *testing.T) {
	for _, options := range []wsource.AcceptOptions{lenient, {}} {
		for name, test := range map[string]struct {
			do func()
			is error
		}{
			"panic":          {func() { panic(io.ErrNoProgress) }, io.ErrNoProgress},
			"runtime.Goexit": {runtime.Goexit, observable.ErrGoexit},
		} {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprint(name, " limit ", options.StreamLimit, " late ", late), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						client, server := newSite(t, options).pair(nil)
						if late {
							send(client, "message")
							settle()
						}
						var m *wsource.MessageReader
						got := reading(server, func(reader *wsource.MessageReader) {
							m = reader
							_, err := m.Read(make([]byte, 3))
							assert.NoError(t, err)
							test.do()
						})
						if !late {
							send(client, "message")
						}
						require.ErrorIs(t, got.ExpectEnd(t), test.is)
						settle() // until the subscription is over
						if name == "panic" {
							requireClose(t, client.Err(), wsource.StatusInternalError)
							_, err := m.Read(make([]byte, 1))
							require.ErrorIs(t, err, wsource.ErrReaderOver)
							return
						}
						send(client, "next")
						next, err := observable.FirstValue(t.Context(), readAll(server))
						require.NoError(t, err)
						assert.Equal(t, "next", next.String())
						_, err = m.Read(make([]byte, 1))
						require.ErrorIs(t, err, wsource.ErrReaderOver)
					})
				})
			}
		}
	}
}

func TestCloseWhileAReaderIsBusy(t *testing.T) {
	for name, test := range map[string]struct {
		step time.Duration // between reads
		err  error
	}{
		"slow":  {900 * time.Millisecond, nil},
		"stuck": {3 * time.Second, wsource.ErrReaderOver},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := lenient
				options.CloseTimeout = time.Minute
				p, server := newSite(t, options).rawClient("")
				result := make(chan error, 1)
				got := reading(server, func(m *wsource.MessageReader) {
					for p := make([]byte, 100_000); ; time.Sleep(test.step) {
						if _, err := io.ReadFull(m, p); err != nil {
							result <- err
							return
						}
					}
				})
				go sendThenClose(p)
				settle()
				start := time.Now()
				server.Complete()
				<-server.Done()
				require.NoError(t, server.Err())
				took := time.Since(start)
				if err := <-result; test.err != nil {
					require.ErrorIs(t, err, test.err)
					assert.Less(t, took, 3*time.Second, "nobody waits for it")
				} else {
					require.ErrorIs(t, err, io.ErrUnexpectedEOF, "that is ReadFull's end")
					assert.Greater(t, took, 5*time.Second)
				}
				require.NoError(t, got.ExpectEnd(t))
			})
		})
	}
}

// sendThenClose sends a message of 1 MiB in two fragments, as far as there is room, and
// then answers the close frame.
func sendThenClose(p *peer) {
	p.write(frame{opcode: opBinary, payload: make([]byte, 1<<19)},
		frame{opcode: opContinuation, fin: true, payload: make([]byte, 1<<19)})
	p.readClose()
	p.write(closeFrame(1000, ""))
}

func TestCloseWithAMessageThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := newSite(t, lenient).rawClient("")
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			sendThenClose(p)
		}()
		settle()
		server.Complete()
		<-server.Done()
		require.NoError(t, server.Err())
		<-answered
	})
}

func TestUnsubscribeInMidMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, lenient).pair(nil)
		var all []byte
		ctx, cancel := context.WithCancelCause(t.Context())
		got := observabletest.NewRecorder[*wsource.MessageReader]().OnNext(func(m *wsource.MessageReader) {
			cancel(io.ErrNoProgress)
			settle() // the end of a context is seen on another goroutine
			all, _ = io.ReadAll(m)
		})
		server.Readers().Subscribe(ctx, got)
		send(client, "message", "next")
		settle()
		require.ErrorIs(t, got.ExpectEnd(t), io.ErrNoProgress)
		assert.Equal(t, "message", string(all), "the callback may read on")
		m, err := observable.FirstValue(t.Context(), observable.Observable[wsource.Message](server))
		require.NoError(t, err)
		assert.Equal(t, "next", m.String())
	})
}

func TestHooksOfStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent, received := make(chan wsource.Event, 10), make(chan wsource.Event, 10)
		only := func(kinds ...wsource.EventKind) func(chan wsource.Event) wsource.Hook {
			return func(events chan wsource.Event) wsource.Hook {
				return wsource.HookFunc(func(e wsource.Event) {
					for _, kind := range kinds {
						if e.Kind == kind {
							events <- e
						}
					}
				})
			}
		}
		options := lenient
		options.Hook = only(wsource.EventReceived)(received)
		client, server := newSite(t, options).pair(&wsource.DialOptions{
			Hook: only(wsource.EventSent, wsource.EventDropped)(sent),
		})
		reading(server, func(*wsource.MessageReader) {})
		require.NoError(t, client.SendReader(t.Context(), wsource.Binary, bytes.NewReader(make([]byte, 100_000))))
		e := <-sent
		const frames = 5 // of 32 KiB at most, and an empty one
		assert.Equal(t, wsource.Event{Kind: wsource.EventSent, Socket: client, Messages: 1, Frames: frames, Bytes: 100_000}, e)
		e = <-received
		assert.Equal(t, wsource.Event{Kind: wsource.EventReceived, Socket: server, Messages: 1, Frames: frames, Bytes: 100_000}, e)
		err := client.SendReader(t.Context(), wsource.Binary, pieces(func() (int, error) { return 0, errors.New("no") }))
		e = <-sent
		assert.Equal(t, wsource.Event{Kind: wsource.EventDropped, Socket: client, Messages: 1, Err: err}, e)
	})
}

func TestStreamLimitThatCannotBe(t *testing.T) {
	var argument *observable.ArgumentError
	_, err := wsource.Dial(t.Context(), "ws://"+host, &wsource.DialOptions{StreamLimit: -1})
	require.ErrorAs(t, err, &argument)
	assert.Contains(t, argument.Error(), "StreamLimit")
}
