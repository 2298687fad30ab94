package interop_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scenario is a row of the table of scenarios, which each peer runs on each side.
type scenario struct {
	name   string
	only   side      // the side that the peer takes; either by default
	needs  []feature // the features that not every peer has
	config config
	run    func(c *contact)
}

// scenarios returns the table.
func scenarios() []scenario {
	return slices.Concat(
		messageScenarios(), subprotocolScenarios(), compressionScenarios(), closeScenarios(), pingScenarios(),
		topicScenarios(),
	)
}

// tally counts scenarios, over all peers and sides.
type tally struct{ peers, passed, failed, limited atomic.Int64 }

// TestPeers runs all scenarios with all peers, and each peer on both sides.
func TestPeers(t *testing.T) {
	t.Parallel()
	var total tally
	table := scenarios()
	t.Cleanup(func() {
		fmt.Printf("interop: %d scenarios, %d peers: %d passed, %d failed, %d that a peer cannot do\n",
			len(table), total.peers.Load(), total.passed.Load(), total.failed.Load(), total.limited.Load())
	})
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // most of the time is spent in waiting for the peer
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			s := startSite(t)
			process := p.run(t, s)
			if version := process.take(ctx, t, kind{0, "ready"}).Version; !p.isVersion(version) {
				t.Logf("this is %s %s; the table has %s", p.name, version, p.version)
			}
			total.peers.Add(1)
			id := 0
			for _, on := range []side{client, server} {
				if on == server && p.client != "" {
					total.limited.Add(1)
					continue
				}
				t.Run("as "+string(on), func(t *testing.T) {
					for _, one := range table {
						if id++; one.only != either && one.only != on {
							continue
						}
						total.run(t, p, one, &contact{
							process: process, site: s, id: id, side: on, beats: make(chan time.Duration, 1),
						})
					}
				})
			}
		})
	}
}

// run runs a scenario with a peer on a side, unless the peer cannot have it there.
func (total *tally) run(t *testing.T, p peer, s scenario, c *contact) {
	t.Helper()
	if reason := p.why(s, c.side); reason != "" {
		total.limited.Add(1)
		if testing.Verbose() {
			t.Logf("%s: not with this peer, %s", s.name, reason)
		}
		return
	}
	if t.Run(s.name, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c.T, c.config, c.ctx = t, &s.config, ctx
		defer c.finish()
		c.prepare()
		s.run(c)
	}) {
		total.passed.Add(1)
	} else {
		total.failed.Add(1)
	}
}

// TestTable checks the table of peers by itself: each limit keeps a scenario out, and
// peers/package.json has the versions of the table.
func TestTable(t *testing.T) {
	versions := pinned(t)
	for _, p := range peers {
		for _, l := range p.limits {
			assert.NotEmpty(t, l.reason, "%s: %s", p.name, l.feature)
			assert.True(t, slices.ContainsFunc(scenarios(), func(s scenario) bool {
				return slices.Contains(s.needs, l.feature)
			}), "%s: no scenario needs %s", p.name, l.feature)
		}
		if p.runtime == "node" {
			assert.Equal(t, p.version, versions[p.module], "peers/package.json has another version of %s", p.module)
		}
		_, err := os.Stat("peers/" + p.script)
		assert.NoError(t, err)
	}
}

// TestDocument has the table of wsource/README.md list the tested software, in its
// versions.
func TestDocument(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, text, found := strings.Cut(string(data), "\n## Works with\n")
	require.True(t, found, "the document has no such section")
	text, _, _ = strings.Cut(text, "\n## ")
	var rows, wanted []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| [") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	for _, p := range peers {
		wanted = append(wanted, p.row())
	}
	assert.Equal(t, wanted, rows, "it should be\n%s", strings.Join(wanted, "\n"))
}
