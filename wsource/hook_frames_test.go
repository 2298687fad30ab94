package wsource_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// frames returns the messages, frames and bytes of each event of one kind.
func (d *diary) frames(kind wsource.EventKind) (told []string) {
	for _, e := range d.of(kind) {
		told = append(told, fmt.Sprint(e.Messages, " ", e.Frames, " ", e.Bytes))
	}
	return told
}

func TestHookCountsFrames(t *testing.T) {
	for _, compression := range compressions {
		for _, readers := range []bool{false, true} {
			t.Run(fmt.Sprint("compression ", compression, ", readers ", readers), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					out, in := new(diary), new(diary)
					site := newSite(t, wsource.AcceptOptions{Hook: in, Heartbeat: noBeat, Compression: compression})
					client, server := site.pair(&wsource.DialOptions{Hook: out, Heartbeat: noBeat, Compression: compression})
					if readers {
						// The rest is dropped.
						reading(server, func(m *wsource.MessageReader) { _, _ = io.CopyN(io.Discard, m, 3) })
					} else {
						record(t, server)
					}
					thousand := strings.Repeat("0123456789", 100)
					require.NoError(t, client.Send(t.Context(), wsource.TextMessage("four")))
					require.NoError(t, client.Send(t.Context(), wsource.TextMessage(thousand)))
					parts := io.MultiReader(strings.NewReader("four"), bytes.NewReader([]byte(thousand)), strings.NewReader("and"))
					require.NoError(t, client.SendReader(t.Context(), wsource.Text, parts))
					require.NoError(t, client.Send(t.Context(), wsource.TextMessage("")))
					client.Complete()
					<-server.Done()
					settle()
					// The last fragment of a stream is empty.
					want := []string{"1 1 4", "1 1 1000", "1 4 1007", "1 1 0"}
					assert.Equal(t, want, out.frames(wsource.EventSent))
					assert.Equal(t, want, in.frames(wsource.EventReceived))
				})
			})
		}
	}
}

// A batch has as many frames as messages, and control frames between fragments do not
// count for the message.
func TestHookCountsFramesOfBatchesAndAmongPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		site := newSite(t, wsource.AcceptOptions{Hook: d, Heartbeat: noBeat})
		p, server := site.rawClient("")
		record(t, server)
		ping := frame{fin: true, opcode: opPing, payload: []byte("?")}
		p.write(frame{opcode: opText, payload: []byte("ab")}, ping, frame{opcode: opContinuation}, ping,
			frame{fin: true, opcode: opContinuation, payload: []byte("c")}, ping, textFrame("whole"),
			frame{opcode: opText}, frame{fin: true, opcode: opContinuation})
		settle()
		assert.Equal(t, []string{"1 3 3", "1 1 5", "1 2 0"}, d.frames(wsource.EventReceived))
		for range 100 {
			server.Next(wsource.TextMessage("x"))
		}
		settle()
		assert.Less(t, len(d.of(wsource.EventSent)), 100)
		for _, e := range d.of(wsource.EventSent) {
			assert.Equal(t, e.Messages, e.Frames)
		}
		server.CloseNow()
	})
}
