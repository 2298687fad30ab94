//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// haproxyConfig is the configuration of a site behind haproxy, which passes an upgrade on
// by itself. It sets each header that a server believes, as a client can send them, too.
const haproxyConfig = `
global
	log stderr format raw local0 warning
	nbthread 1
	maxconn 200
	{{drain}}

defaults
	mode http
	timeout connect 10s
	timeout client 1m
	timeout server 1m
	# Behind the handshake this one counts for both sides: haproxy breaks a connection off on which nothing comes for so long.
	timeout tunnel {{idle}}

frontend site
	bind fd@3
	bind fd@4 ssl crt {{folder}}/both.pem
	http-request return status 200 content-type text/plain string {{generation}} if { path /generation }

	http-request del-header Forwarded
	option forwardfor
	http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
	http-request set-header X-Forwarded-Host %[req.hdr(host)]
	# The Host becomes that of the site, and the browser's is in X-Forwarded-Host only.
	http-request set-header Host {{host}} if { path_beg /moved/ }
	http-request replace-path /(app|moved)(/.*) \\2
	default_backend site

backend site
	server site {{host}} {{tls}}
`

// startHaproxy runs a haproxy until the test ends.
func startHaproxy(t *testing.T, site string, idle, drain time.Duration) *proxy {
	t.Helper()
	p := newProxy(t, "haproxy", site, haproxyConfig)
	var both []byte
	for _, name := range []string{"cert.pem", "key.pem"} {
		data, err := os.ReadFile(filepath.Join(p.folder, name))
		require.NoError(t, err)
		both = append(both, data...)
	}
	require.NoError(t, os.WriteFile(filepath.Join(p.folder, "both.pem"), both, 0o600))
	p.values["{{idle}}"] = fmt.Sprintf("%dms", idle.Milliseconds())
	if drain > 0 {
		p.values["{{drain}}"] = fmt.Sprintf("hard-stop-after %dms", drain.Milliseconds())
	}
	p.hangup = syscall.SIGUSR2
	p.run(nil, "-W", "-f", p.config) // its listeners, 3 and 4, are in the configuration
	return p
}
