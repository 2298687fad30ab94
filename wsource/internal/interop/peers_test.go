package interop_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// feature is an ability that a scenario needs and a peer may lack.
type feature string

// The features that some peer lacks.
const (
	fragments      feature = "messages in fragments"
	pings          feature = "pings"
	anyCode        feature = "close codes below 3000 but 1000"
	noCode         feature = "a close without a code"
	cutting        feature = "a connection broken off"
	hearingAnswers feature = "to tell the code with which a close is answered"
	leadingMark    feature = "a text that begins with U+FEFF"
	withoutDeflate feature = "to leave compression out"
	deflate        feature = "compression"
	deflateServer  feature = "compression: server_no_context_takeover"
	deflateClient  feature = "compression: client_no_context_takeover"
	windowServer   feature = "compression: server_max_window_bits"
	windowClient   feature = "compression: client_max_window_bits"
	multiplex      feature = "multiplex"
	goingWithout   feature = "to go on without a subprotocol in common"
)

// side is the side that a peer takes.
type side string

const (
	client side = "client"
	server side = "server"
	either side = ""
)

// limit is a feature that a peer lacks, on a side or on either, and the reason.
type limit struct {
	side    side
	feature feature
	reason  string
}

// peer is a row of the table: other people's software.
type peer struct {
	name    string
	runtime string // its environment: node, python or chromium
	script  string // in the folder peers
	module  string // the npm or the Python package
	version string // the version of the module, or of its environment
	client  string // the reason why it is a client only; "" if it is a server, too
	link    string
	note    string // a note for users
	limits  []limit
}

// byW3C are the limits of the interface of the W3C.
func byW3C(more ...limit) []limit {
	return append([]limit{
		{either, fragments, "the interface has no fragments"},
		{either, anyCode, "the interface closes with 1000 and 3000 to 4999 only"},
		{either, goingWithout, strict},
		{either, cutting, "the interface has a close with its handshake only"},
		{either, withoutDeflate, noChoice},
		{either, deflateServer, noChoice},
		{either, deflateClient, noChoice},
		{either, windowServer, noChoice},
		{either, windowClient, noChoice},
	}, more...)
}

const (
	w3c         = "the WebSocket of the W3C is a client"
	strict      = "the client fails without one of its subprotocols"
	noMultiplex = "multiplex is RxJS's"
	noDeflate   = "the package has no compression"
	noChoice    = "the program has no say in compression"
)

var peers = []peer{
	{
		name: "ws", runtime: "node", script: "ws.mjs", module: "ws", version: "8.23.0",
		link: "https://www.npmjs.com/package/ws",
		limits: []limit{
			{either, multiplex, noMultiplex},
			{client, goingWithout, strict},
		},
	},
	{
		name: "websocket", runtime: "node", script: "websocket.mjs", module: "websocket", version: "1.0.35",
		link: "https://www.npmjs.com/package/websocket",
		note: "no compression; as a server it takes frames of 64 KiB by default (`maxReceivedFrameSize`); " +
			"it answers every close with 1000",
		limits: []limit{
			{either, multiplex, noMultiplex},
			{either, deflate, noDeflate},
			{either, fragments, "the package cuts messages of over 16 KiB by itself, as in the scenario of 1 MiB"},
			{either, noCode, "the package sends 1000 for no code"},
			{client, goingWithout, strict},
		},
	},
	{
		name: "undici", runtime: "node", script: "undici.mjs", module: "undici", version: "7.30.2",
		link: "https://www.npmjs.com/package/undici",
		note: "the `WebSocket` of Node.js from 22 on; it reads compressed messages and sends none; " +
			"it drops a U+FEFF that begins a text",
		client: w3c,
		limits: byW3C(
			limit{either, multiplex, noMultiplex},
			limit{either, leadingMark, "the package drops it"},
		),
	},
	{
		name: "RxJS webSocket", runtime: "node", script: "rxjs.mjs", module: "rxjs", version: "7.8.2",
		link:   "https://www.npmjs.com/package/rxjs",
		note:   "tested over ws; `multiplex` against a server of `wsource`",
		client: w3c,
		limits: byW3C(
			limit{either, pings, "webSocket has no pings"},
		),
	},
	{
		name: "Chromium", runtime: "chromium", script: "chromium.mjs", version: "156",
		link:   "https://packages.debian.org/chromium",
		client: w3c,
		limits: byW3C(
			limit{either, pings, "a page has no pings"},
			limit{either, multiplex, noMultiplex},
		),
	},
	{
		name: "websockets", runtime: "python", script: "py_websockets.py", module: "websockets", version: "10.4",
		link: "https://packages.debian.org/python3-websockets",
		note: "Python",
		limits: []limit{
			{either, multiplex, noMultiplex},
			{either, noCode, "the package sends 1000 for no code"},
		},
	},
	{
		name: "aiohttp", runtime: "python", script: "py_aiohttp.py", module: "aiohttp", version: "3.8.4",
		link: "https://packages.debian.org/python3-aiohttp",
		note: "Python; it answers every close with 1000; " +
			"its own close beside a `receive` does not wait for the answer",
		limits: []limit{
			{either, multiplex, noMultiplex},
			{either, fragments, "the package does not send any"},
			{either, hearingAnswers, "a close beside a receive does not wait for the answer"},
			{either, noCode, "the package sends 1000 for no code"},
		},
	},
}

// row is the peer's row in the table of wsource/README.md.
func (p peer) row() string {
	server := "yes"
	if p.client != "" {
		server = "-"
	}
	return fmt.Sprintf("| [%s](%s) | %s | yes | %s | %s |", p.name, p.link, p.version, server, p.note)
}

// why returns the reason why the peer cannot have a scenario on that side, or "".
func (p peer) why(s scenario, on side) string {
	for _, need := range s.needs {
		for _, l := range p.limits {
			if l.feature == need && (l.side == either || l.side == on) {
				return l.reason
			}
		}
	}
	return ""
}

// run starts the peer. Without its environment the test is skipped, or fails where it
// must not be.
func (p peer) run(t *testing.T, s *site) *process {
	t.Helper()
	switch p.runtime {
	case "node":
		node, err := exec.LookPath("node")
		if err != nil {
			browsertest.Missing(t, "Node.js", err)
		}
		if _, err := os.Stat("peers/node_modules/" + p.module + "/package.json"); err != nil {
			browsertest.Missing(t, "npm --prefix peers install", err)
		}
		return start(t, p.name, node, p.script)
	case "python":
		return start(t, p.name, findPython(t, p.module), p.script)
	default:
		return startChromium(t, s)
	}
}

// findPython returns a Python that has the module: the one of the path, or else the
// system's own.
func findPython(t *testing.T, module string) string {
	t.Helper()
	var err error
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if err = exec.Command(name, "-c", "import "+module).Run(); err == nil {
			return name
		}
	}
	browsertest.Missing(t, "Python with "+module+" (Debian package: python3-"+module+")", err)
	return ""
}

// pinned returns the versions of the npm packages that are installed for the peers.
func pinned(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("peers/package.json")
	require.NoError(t, err)
	var manifest struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	require.NoError(t, json.Unmarshal(data, &manifest))
	return manifest.Dependencies
}

// isVersion reports whether a peer's version is the one of its row.
func (p peer) isVersion(version string) bool {
	return version == p.version || strings.HasPrefix(version, p.version+".")
}
