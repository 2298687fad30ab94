//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// starter runs a proxy in front of a site until the test ends. idle is how long a
// connection may be silent; drain is how long connections go on that a reload has left
// with the old processes, 0 for any time.
type starter func(t *testing.T, site string, idle, drain time.Duration) *proxy

// starters are the proxies of the tests.
var starters = map[string]starter{"nginx": startNginx, "haproxy": startHaproxy}

// forEachProxy runs a test for each of the proxies. Without the program the test is
// skipped, except where that is forbidden.
func forEachProxy(t *testing.T, test func(t *testing.T, start starter)) {
	t.Helper()
	for name, start := range starters {
		t.Run(name, func(t *testing.T) {
			find(t, name)
			test(t, start)
		})
	}
}

// find returns the program of a proxy.
func find(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name) // not every PATH has it
	}
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("no %s to test with: %v", name, err)
	default:
		t.Skipf("no %s to test with (Debian package: %s): %v", name, name, err)
	}
	return ""
}

// proxy is a process in front of a site. The site is below /app/ there, and below /moved/
// with its own Host.
type proxy struct {
	plain, secure string // the addresses, of http and https
	visitor       visitor

	t              *testing.T
	path           string
	folder, config string
	text           string            // the configuration
	values         map[string]string // values of the names between braces in it
	generation     int               // number of the configuration, at /generation
	hangup         syscall.Signal    // has it read the configuration again
	files          []*os.File        // the listeners
	command        *exec.Cmd
}

// newProxy returns a proxy that does not run yet. It gets its listeners from here, so
// that connections wait for it from the beginning.
func newProxy(t *testing.T, name, site, text string) *proxy {
	t.Helper()
	target, err := url.Parse(site)
	require.NoError(t, err)
	p := &proxy{t: t, path: find(t, name), folder: t.TempDir(), text: text}
	p.config = filepath.Join(p.folder, name+".conf")
	p.visitor = trusting(writeCertificate(t, p.folder))
	p.plain, p.secure = p.listen(), p.listen()
	p.values = map[string]string{
		"{{folder}}": p.folder, "{{plain}}": p.plain, "{{secure}}": p.secure,
		"{{site}}": site, "{{host}}": target.Host, "{{tls}}": "", "{{drain}}": "",
	}
	if target.Scheme == "https" {
		p.values["{{tls}}"] = "ssl verify none"
	}
	return p
}

// listen opens a listener for the process, and returns its address.
func (p *proxy) listen() (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(p.t, err)
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	require.NoError(p.t, err)
	p.files = append(p.files, file)
	return l.Addr().String()
}

// configure writes the configuration.
func (p *proxy) configure() {
	p.generation++
	p.values["{{generation}}"] = strconv.Itoa(p.generation)
	var pairs []string
	for name, value := range p.values {
		pairs = append(pairs, name, value)
	}
	text := strings.NewReplacer(pairs...).Replace(p.text)
	require.NoError(p.t, os.WriteFile(p.config, []byte(text), 0o600))
}

// run starts the process until the test ends.
func (p *proxy) run(environment []string, args ...string) {
	p.configure()
	p.command = exec.Command(p.path, args...)
	p.command.WaitDelay = patience
	p.command.Env = append(os.Environ(), environment...)
	p.command.ExtraFiles = p.files
	said := new(bytes.Buffer)
	p.command.Stderr = said
	require.NoError(p.t, p.command.Start())
	for _, file := range p.files {
		// Start has them block, and of two workers that see the same connection one would
		// wait for another.
		require.NoError(p.t, syscall.SetNonblock(int(file.Fd()), true))
		require.NoError(p.t, file.Close())
	}
	p.t.Cleanup(func() {
		_ = p.command.Process.Signal(os.Interrupt) // or its worker would stay
		_ = p.command.Wait()                       // it was told to end
		if p.t.Failed() {
			p.t.Logf("%s said:\n%s", p.path, said)
		}
	})
}

// reload has the proxy read its configuration again, and waits until new connections come
// to new processes.
func (p *proxy) reload() {
	p.configure()
	client := &http.Client{Transport: p.visitor.transport(p.t)}
	wanted := strconv.Itoa(p.generation)
	var asked time.Time
	require.Eventually(p.t, func() bool {
		defer client.CloseIdleConnections() // the next connection is to be new
		// A haproxy that has just begun takes no notice.
		if time.Since(asked) > time.Second {
			asked = time.Now()
			_ = p.command.Process.Signal(p.hangup)
		}
		response, err := client.Get("http://" + p.plain + "/generation")
		if err != nil {
			return false // no process accepts in between
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return err == nil && string(text) == wanted
	}, patience, 10*time.Millisecond)
}

// writeCertificate writes a certificate for 127.0.0.1 and its key into a folder, and
// returns it.
func writeCertificate(t *testing.T, folder string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600))
	}
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return certificate
}

// believing returns options that believe the proxies on the loopback address of the
// tests' proxies.
func believing() wsource.AcceptOptions {
	options := compressed
	options.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	return options
}

func TestBehindProxies(t *testing.T) {
	forEachProxy(t, func(t *testing.T, start starter) {
		forEachRouter(t, func(t *testing.T, build router) {
			s := startSite(t, build, believing(), false)
			p := start(t, s.URL, time.Minute, 0)
			exercise(t, p.visitor, s, "http://"+p.plain+"/app")
			exercise(t, p.visitor, s, "https://"+p.secure+"/app")
			assert.Empty(t, s.faults.String())
		})
	})
}

// TestBehindProxiesWithTLSInside has proxies speak TLS to the site, too.
func TestBehindProxiesWithTLSInside(t *testing.T) {
	forEachProxy(t, func(t *testing.T, start starter) {
		s := startSite(t, newMux, believing(), true)
		p := start(t, s.URL, time.Minute, 0)
		exercise(t, p.visitor, s, "https://"+p.secure+"/app")
	})
}

// TestProxiesAreBelieved has a client that pretends to come from elsewhere, and pages of
// the site and of others.
func TestProxiesAreBelieved(t *testing.T) {
	forEachProxy(t, func(t *testing.T, start starter) {
		s := startSite(t, newMux, believing(), false)
		p := start(t, s.URL, time.Minute, 0)
		v := p.visitor
		v.from = "127.0.0.2" // the site does not believe it
		lies := http.Header{
			"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"bank.example"},
			"Forwarded": {"for=203.0.113.9;proto=https;host=bank.example"},
		}
		for _, path := range []string{"/app", "/moved"} {
			for _, page := range []string{"http://" + p.plain, "https://" + p.secure} {
				header := lies.Clone()
				header.Set("Origin", page)
				v.must(t, page+path+livePath, wsource.DialOptions{Header: header})
				accepted := <-s.sockets
				host, _, err := net.SplitHostPort(accepted.RemoteAddr().String())
				require.NoError(t, err)
				scheme, address, _ := strings.Cut(page, "://")
				assert.Equal(t, "127.0.0.2", host)
				assert.Equal(t, address, accepted.Request().Host)
				assert.Equal(t, scheme == "https", accepted.Request().TLS != nil)
				assert.Equal(t, livePath, accepted.Request().URL.Path, "the prefix is the proxy's")

				header.Set("Origin", "https://bank.example")
				_, err = v.dial(t, page+path+livePath, wsource.DialOptions{Header: header})
				requireRefusal(t, err, http.StatusForbidden)
			}
		}
		_, err := v.dial(t, "https://"+p.secure+"/app"+livePath, wsource.DialOptions{Header: origin("http://%s", p.secure)})
		requireRefusal(t, err, http.StatusForbidden) // the same host, but without TLS
	})
}

// TestProxiesAreNotBelieved has a site that lists none of them.
func TestProxiesAreNotBelieved(t *testing.T) {
	forEachProxy(t, func(t *testing.T, start starter) {
		options := compressed
		// This proxy is elsewhere.
		options.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		s := startSite(t, newMux, options, false)
		p := start(t, s.URL, time.Minute, 0)
		v := p.visitor
		v.from = "127.0.0.2"
		page := origin("https://%s", p.secure)

		v.must(t, "https://"+p.secure+"/app"+livePath, wsource.DialOptions{Header: page})
		accepted := <-s.sockets
		host, _, err := net.SplitHostPort(accepted.RemoteAddr().String())
		require.NoError(t, err)
		assert.Equal(t, "127.0.0.1", host, "the proxy's")
		assert.Nil(t, accepted.Request().TLS)

		_, err = v.dial(t, "https://"+p.secure+"/moved"+livePath, wsource.DialOptions{Header: page})
		requireRefusal(t, err, http.StatusForbidden) // the Host is the site's
		require.ErrorContains(t, err, strings.TrimPrefix(s.URL, "http://"), "and the error says which")
	})
}

// TestIdleBehindProxies has one socket whose heartbeat keeps it alive, and then a silent
// one.
func TestIdleBehindProxies(t *testing.T) {
	forEachProxy(t, func(t *testing.T, start starter) {
		options := compressed
		options.Heartbeat = wsource.Heartbeat{Off: true}
		s := startSite(t, newMux, options, false)
		// A busy machine finds time for a ping in it.
		p := start(t, s.URL, 2*time.Second, 0)
		url := "https://" + p.secure + "/app" + livePath
		beating := p.visitor.must(t, url, wsource.DialOptions{Heartbeat: wsource.Heartbeat{Interval: 50 * time.Millisecond}})
		idle := p.visitor.must(t, url, wsource.DialOptions{Heartbeat: options.Heartbeat})
		<-s.sockets
		code, _ := over(t, <-s.sockets)
		assert.Equal(t, wsource.StatusAbnormalClosure, code, "a proxy says no goodbye")
		code, _ = over(t, idle)
		assert.Equal(t, wsource.StatusAbnormalClosure, code)
		echoed(t, beating, wsource.TextMessage("as alive as ever"))
	})
}

// TestReloadBehindProxies reloads a proxy below an open socket, which stays while others
// come.
func TestReloadBehindProxies(t *testing.T) {
	forEachProxy(t, func(t *testing.T, start starter) {
		s := startSite(t, newMux, compressed, false)
		p := start(t, s.URL, time.Minute, 0)
		url := "https://" + p.secure + "/app" + livePath
		old := p.visitor.must(t, url, wsource.DialOptions{})
		echoed(t, old, wsource.TextMessage("before"))
		for range 2 {
			p.reload()
			echoed(t, old, wsource.TextMessage("still here"))
			echoed(t, p.visitor.must(t, url, wsource.DialOptions{}), wsource.TextMessage("new"))
		}
	})
}

// TestReloadThatCutsBehindProxies has a proxy whose old processes end soon after a
// reload, with their connections: a Subject comes back.
func TestReloadThatCutsBehindProxies(t *testing.T) {
	forEachProxy(t, func(t *testing.T, start starter) {
		s := startSite(t, newMux, compressed, false)
		p := start(t, s.URL, time.Minute, 100*time.Millisecond)
		subject := wsource.NewSubject("https://"+p.secure+"/app"+livePath, wsource.TextCodec(), &wsource.SubjectConfig[string]{
			Dial:      wsource.DialOptions{Transport: p.visitor.transport(t)},
			Reconnect: &backoff.Config{Base: 10 * time.Millisecond},
		})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		echoes := make(chan string, 10)
		listening := subject.Subscribe(ctx, observable.ObserverFuncs[string]{OnNext: func(text string) { echoes <- text }})
		exchange := func(text string) {
			require.NoError(t, subject.Send(ctx, text))
			select {
			case got := <-echoes:
				require.Equal(t, text, got)
			case <-ctx.Done():
				require.Fail(t, "no echo comes")
			}
		}
		exchange("before")
		first := <-s.sockets
		p.reload()
		code, _ := over(t, first)
		assert.Equal(t, wsource.StatusAbnormalClosure, code, "a proxy says no goodbye")
		<-s.sockets // the subject is back
		exchange("behind it")
		require.NoError(t, subject.Shutdown(ctx))
		<-listening.Done()
	})
}
