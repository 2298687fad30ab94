package interop_test

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// closes are the codes and reasons with which both sides close.
var closes = []struct {
	code   wsource.StatusCode
	reason string
}{
	{wsource.StatusNormalClosure, "done"},
	{wsource.StatusGoingAway, "leaving"},
	{wsource.StatusPolicyViolation, "not so"},
	{wsource.StatusInternalError, "it broke ✓"},
	{wsource.StatusServiceRestart, "a restart"},
	{3000, "of a registry"},
	{4000, strings.Repeat("ü", wsource.MaxReason/2)},
	{4999, "the last"},
}

func closeScenarios() (all []scenario) {
	for _, end := range closes {
		all = append(all, scenario{
			name: fmt.Sprintf("closed from here with %d", end.code),
			run: func(c *contact) {
				c.connect()
				require.NoError(c, c.ours.Close(end.code, end.reason))
				told := c.take("close")
				assert.EqualValues(c, end.code, told.Code)
				assert.Equal(c, end.reason, told.Reason)
				code, _ := c.ended() // as the peer has answered
				assert.Contains(c, []wsource.StatusCode{end.code, wsource.StatusNormalClosure}, code)
			},
		})
		byPeer := scenario{
			name: fmt.Sprintf("closed from there with %d", end.code),
			run: func(c *contact) {
				c.connect()
				c.tell(command{"do": "close", "code": end.code, "reason": end.reason})
				code, reason := c.ended()
				assert.Equal(c, end.code, code)
				// A normal closure is no error, and has no reason.
				if code != wsource.StatusNormalClosure {
					assert.Equal(c, end.reason, reason)
				}
				c.take("close")
			},
		}
		if end.code != wsource.StatusNormalClosure && end.code < 3000 {
			byPeer.needs = []feature{anyCode}
		}
		all = append(all, byPeer)
	}
	return append(all,
		scenario{name: "closed from there without a code", needs: []feature{noCode}, run: func(c *contact) {
			c.connect()
			c.tell(command{"do": "close", "code": 0, "reason": ""})
			code, reason := c.ended()
			assert.Equal(c, wsource.StatusNoStatusReceived, code)
			assert.Empty(c, reason)
		}},
		scenario{name: "the answer to a close has its code", needs: []feature{hearingAnswers}, run: func(c *contact) {
			c.connect()
			c.tell(command{"do": "close", "code": 4002, "reason": "enough"})
			assert.EqualValues(c, 4002, c.take("close").Code)
		}},
		scenario{name: "a message sent before the close arrives", run: func(c *contact) {
			c.connect()
			sent := wsource.BinaryMessage(noise(100_000))
			for range 3 {
				c.send(sent)
			}
			require.NoError(c, c.ours.Close(4001, "all sent"))
			assert.EqualValues(c, 4001, c.take("close").Code)
			for range 3 {
				c.hears(sent)
			}
		}},
		scenario{name: "broken off from here", run: func(c *contact) {
			c.connect()
			c.ours.CloseNow()
			assert.EqualValues(c, wsource.StatusAbnormalClosure, c.take("close").Code)
		}},
		scenario{name: "broken off from there", needs: []feature{cutting}, run: func(c *contact) {
			c.connect()
			c.tell(command{"do": "cut"})
			code, _ := c.ended()
			assert.Equal(c, wsource.StatusAbnormalClosure, code)
		}},
	)
}
