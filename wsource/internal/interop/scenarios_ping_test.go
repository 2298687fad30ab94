package interop_test

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// often is a heartbeat that pings as soon as nothing comes for a moment.
var often = wsource.Heartbeat{Interval: 10 * time.Millisecond, Timeout: patience}

// beat waits until three pings are answered.
func (c *contact) beat() {
	for range 3 {
		select {
		case rtt := <-c.beats:
			assert.Positive(c, rtt)
		case <-c.ctx.Done():
			require.Fail(c, "no ping is answered")
		}
	}
}

func pingScenarios() []scenario {
	return []scenario{
		{
			name: "pings from here", config: config{heartbeat: often},
			run: func(c *contact) {
				c.connect()
				c.beat()
				c.exchange(wsource.TextMessage("hello"))
			},
		},
		{
			name: "pings from there, twenty at once", needs: []feature{pings},
			run: func(c *contact) {
				c.connect()
				c.ping(20)
				c.exchange(wsource.TextMessage("hello"))
			},
		},
		{
			name: "pings from both, beside large messages", needs: []feature{pings},
			config: config{heartbeat: often},
			run: func(c *contact) {
				c.connect()
				sent := largeText()
				received := c.meanwhile(1)
				c.say(sent)
				c.send(sent)
				c.ping(20)
				c.same(sent, received()[0])
				c.hears(sent)
				c.beat()
			},
		},
	}
}

// ping has the peer send pings without a wait between them, and waits for the answer to
// the last one. RFC 6455, section 5.5.3, lets older ones go unanswered.
func (c *contact) ping(n int) {
	var texts []string
	for i := range n {
		texts = append(texts, fmt.Sprintf("%02d", i))
	}
	c.tell(command{"do": "ping", "texts": texts})
	for before := ""; before != texts[n-1]; {
		pong := c.take("pong").Data
		require.Contains(c, texts, pong)
		require.Greater(c, pong, before, "the answers come in order")
		before = pong
	}
}
