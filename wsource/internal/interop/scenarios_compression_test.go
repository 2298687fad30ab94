package interop_test

import (
	"strings"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource"
)

// configurations are the peer's kinds of compression.
var configurations = []struct {
	name    string
	needs   []feature
	deflate map[string]any
}{
	{"none", []feature{withoutDeflate}, nil},
	{"the default", []feature{deflate}, map[string]any{}},
	{
		"no context of the server's", []feature{deflate, deflateServer},
		map[string]any{"server_no_context_takeover": true},
	},
	{
		"no context of the client's", []feature{deflate, deflateClient},
		map[string]any{"client_no_context_takeover": true},
	},
	{
		"no context", []feature{deflate, deflateServer, deflateClient},
		map[string]any{"server_no_context_takeover": true, "client_no_context_takeover": true},
	},
	{
		"a window of the server's", []feature{deflate, windowServer},
		map[string]any{"server_max_window_bits": 9},
	},
	{
		"a window of the client's", []feature{deflate, windowClient},
		map[string]any{"client_max_window_bits": 9},
	},
	{
		"everything", []feature{deflate, deflateServer, deflateClient, windowServer, windowClient},
		map[string]any{
			"server_no_context_takeover": true, "client_no_context_takeover": true,
			"server_max_window_bits": 10, "client_max_window_bits": 12,
		},
	},
}

// compressionScenarios combine each configuration of the peer with each of this side.
func compressionScenarios() (all []scenario) {
	for ours, name := range []string{
		wsource.NoCompression: "none", wsource.CompressMessages: "messages", wsource.CompressStream: "stream",
	} {
		ours := wsource.Compression(ours)
		for _, theirs := range configurations {
			if ours == wsource.NoCompression && len(theirs.needs) > 1 && theirs.name != "everything" {
				continue // this side knows nothing of parameters
			}
			all = append(all, scenario{
				name:   "compression here: " + name + ", there: " + theirs.name,
				needs:  theirs.needs,
				config: config{compression: ours, deflate: theirs.deflate},
				run: func(c *contact) {
					c.connect()
					agreed := ours != wsource.NoCompression && theirs.deflate != nil
					assert.Equal(c, agreed, c.open.Compressed)
					if c.side == server {
						assert.Equal(c, agreed, c.ours.ResponseHeader().Get("Sec-WebSocket-Extensions") != "")
					}
					c.exchange(compressible()...)
				},
			})
		}
	}
	return all
}

// compressible are messages for which compression and its context make a difference: each
// repeats parts of earlier ones, also further back than a small window.
func compressible() (messages []wsource.Message) {
	for _, n := range []int{0, 1, 20, 100, 1000, 20} {
		messages = append(messages, wsource.TextMessage(strings.Repeat("the same again ✓ ", n)))
	}
	for _, n := range []int{1000, 1000, 10_000} {
		messages = append(messages, wsource.BinaryMessage(noise(n)))
	}
	return messages
}
