//go:build unix

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// nginxConfig is the configuration of a site behind nginx, and of one that has too
// little. The site is below /app/ there. It sets each header that a server believes, as a
// client can send them, too.
const nginxConfig = `
daemon off;
worker_processes 1;
pid {{folder}}/pid;
error_log stderr warn;
{{drain}}
events {}
http {
	access_log off;
	client_body_temp_path {{folder}}/body;
	proxy_temp_path {{folder}}/proxy;
	fastcgi_temp_path {{folder}}/fastcgi;
	uwsgi_temp_path {{folder}}/uwsgi;
	scgi_temp_path {{folder}}/scgi;

	map $http_upgrade $connection_upgrade {
		default upgrade;
		''      close;
	}
	proxy_http_version 1.1;

	server {
		listen {{plain}};
		listen {{secure}} ssl;
		ssl_certificate {{folder}}/cert.pem;
		ssl_certificate_key {{folder}}/key.pem;

		# As it should be. A location that sets a header has none of those that are set around it. nginx breaks a connection off on which nothing comes for proxy_read_timeout, 60 s by default.
		location /app/ {
			proxy_pass {{site}}/;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;
			proxy_set_header Host $http_host;
			proxy_set_header Forwarded "";
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_set_header X-Forwarded-Host $http_host;
			proxy_read_timeout {{idle}};
		}
		# The Host becomes that of the site, and the browser's is in X-Forwarded-Host only.
		location /moved/ {
			proxy_pass {{site}}/;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;
			proxy_set_header Forwarded "";
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_set_header X-Forwarded-Host $http_host;
		}
		# The Upgrade stays behind, as with nginx's defaults.
		location /forgotten/ {
			proxy_pass {{site}}/;
		}
		location = /generation {
			return 200 "{{generation}}";
		}
	}
}
`

// startNginx runs an nginx until the test ends.
func startNginx(t *testing.T, site string, idle, drain time.Duration) *proxy {
	t.Helper()
	p := newProxy(t, "nginx", site, nginxConfig)
	p.values["{{idle}}"] = fmt.Sprintf("%dms", idle.Milliseconds())
	if drain > 0 {
		p.values["{{drain}}"] = fmt.Sprintf("worker_shutdown_timeout %dms;", drain.Milliseconds())
	}
	p.hangup = syscall.SIGHUP
	// Its listeners are 3 and 4.
	p.run([]string{"NGINX=3;4;"}, "-p", p.folder, "-c", p.config, "-e", "stderr")
	return p
}

// TestDocumentsNameTestedLines compares the lines for nginx in the documents with the
// configuration that the tests run.
func TestDocumentsNameTestedLines(t *testing.T) {
	line := regexp.MustCompile(`(?m)^ +(proxy_(?:set_header|http_version) [^;]*;|default upgrade;|'' +close;)`)
	for _, name := range []string{"../README.md", "../../../wsource/DEPLOYMENT.md"} {
		document, err := os.ReadFile(filepath.FromSlash(name))
		require.NoError(t, err)
		lines := line.FindAllStringSubmatch(string(document), -1)
		require.Greater(t, len(lines), 7, name)
		for _, l := range lines {
			require.Contains(t, nginxConfig, l[1], name)
		}
	}
}

// TestForgottenBehindNginx has a location without the lines that an upgrade needs.
func TestForgottenBehindNginx(t *testing.T) {
	find(t, "nginx")
	s := startSite(t, newMux, believing(), false)
	p := startNginx(t, s.URL, time.Minute, 0)
	_, err := p.visitor.dial(t, "http://"+p.plain+"/forgotten"+livePath, wsource.DialOptions{})
	requireRefusal(t, err, http.StatusUpgradeRequired)
	require.ErrorContains(t, err, "it needs the headers Upgrade: websocket and Connection: Upgrade")
}
