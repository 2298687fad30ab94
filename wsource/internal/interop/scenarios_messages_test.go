package interop_test

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// mebibyte is the most that a message may have by default, here and with most peers.
const mebibyte = 1 << 20

// largeText returns a text of a mebibyte, whose letters take two bytes, three and four.
func largeText() wsource.Message {
	const letters = "é✓😀"
	text := strings.Repeat(letters, unit/len(letters))
	text += strings.Repeat(".", unit-len(text))
	return wsource.TextMessage(strings.Repeat(text, mebibyte/unit))
}

// largeBinary returns a mebibyte, a part of which hardly repeats.
func largeBinary() wsource.Message {
	return wsource.BinaryMessage(bytes.Repeat(noise(unit), mebibyte/unit))
}

// noise returns bytes that hardly repeat.
func noise(n int) []byte {
	data := make([]byte, n)
	state := uint32(1)
	for i := range data {
		state = state*1664525 + 1013904223
		data[i] = byte(state >> 24)
	}
	return data
}

// every returns each byte once.
func every() (data []byte) {
	for b := range 256 {
		data = append(data, byte(b))
	}
	return data
}

func messageScenarios() []scenario {
	exchanging := func(messages ...wsource.Message) func(c *contact) {
		return func(c *contact) {
			c.connect()
			c.exchange(messages...)
		}
	}
	return []scenario{
		{name: "text", run: exchanging(wsource.TextMessage("hello"), wsource.TextMessage("hello again"))},
		{name: "unicode", run: exchanging(
			wsource.TextMessage("grüß dich, Κόσμε, \u4e16\u754c, 😀👩‍👩‍👧"),
			wsource.TextMessage("\x00 \u007f \u0080 \u07ff \u0800 \ud7ff \ue000 \ufffd \uffff \U00010000 \U0010ffff"),
			wsource.TextMessage("e\u0301 is not é; \u2028 ends no line, \" and \\ stay as they are"),
			wsource.TextMessage("a mark \ufeff inside"),
		)},
		{name: "a text that begins with U+FEFF", needs: []feature{leadingMark}, run: exchanging(wsource.TextMessage("\ufefftext"))},
		{name: "empty", run: exchanging(wsource.TextMessage(""), wsource.BinaryMessage([]byte{}), wsource.TextMessage(""))},
		{name: "binary", run: exchanging(wsource.BinaryMessage(every()), wsource.BinaryMessage([]byte{0}))},
		{name: "lengths around those that frames tell in other ways", run: func(c *contact) {
			c.connect()
			for _, n := range []int{125, 126, 127, 1<<16 - 1, 1 << 16} {
				c.exchange(wsource.BinaryMessage(bytes.Repeat([]byte{7}, n)))
			}
		}},
		{name: "1 MiB", run: exchanging(largeText(), largeBinary())},
		{name: "1 MiB both ways at once", run: largeAtOnce},
		{name: "10,000 in order, both ways at once", run: inOrder},
		{name: "fragments from here", run: func(c *contact) {
			c.connect()
			text := strings.Repeat("in pieces ✓ ", 20_000)
			require.NoError(c, c.ours.SendReader(c.ctx, wsource.Text, strings.NewReader(text)))
			c.hears(wsource.TextMessage(text))
		}},
		{name: "fragments from there", needs: []feature{fragments}, run: func(c *contact) {
			c.connect()
			c.tell(command{"do": "parts", "parts": []string{"in ", "", "pieces ", "✓"}})
			c.same(wsource.TextMessage("in pieces ✓"), c.received())
		}},
	}
}

// largeAtOnce has both sides send more than connections hold before either is done.
func largeAtOnce(c *contact) {
	c.connect()
	plain := wsource.TextMessage(strings.Repeat("0123456789abcdef", mebibyte/16))
	c.exchange(plain, plain, plain, plain)
}

// inOrder has both sides count.
func inOrder(c *contact) {
	c.connect()
	const n = 10_000
	received := c.meanwhile(n)
	c.tell(command{"do": "count", "to": n})
	for i := range n {
		c.send(wsource.TextMessage(strconv.Itoa(i)))
	}
	for i, m := range received() {
		require.Equal(c, strconv.Itoa(i), m.String())
		require.Equal(c, strconv.Itoa(i), c.take("message").Data)
	}
}

func subprotocolScenarios() []scenario {
	choosing := func(chosen string) func(c *contact) {
		return func(c *contact) {
			c.connect()
			assert.Equal(c, chosen, c.ours.Subprotocol())
			assert.Equal(c, chosen, c.open.Protocol)
			c.exchange(wsource.TextMessage("hello"))
		}
	}
	return []scenario{
		{
			name:   "a subprotocol",
			config: config{protocols: []string{"unknown", "chat.v2"}, served: []string{"chat.v2", "chat.v1"}},
			run:    choosing("chat.v2"),
		},
		{name: "no subprotocol is asked for", config: config{served: []string{"chat.v1"}}, run: choosing("")},
		{
			name: "no subprotocol in common", needs: []feature{goingWithout},
			config: config{protocols: []string{"unknown"}, served: []string{"chat.v1"}},
			run:    choosing(""),
		},
	}
}
