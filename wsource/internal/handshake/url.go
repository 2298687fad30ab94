package handshake

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// URLProblem returns the problem with the URL of a server, or "". It shows nothing that
// may be a secret.
func URLProblem(rawURL string) string {
	u, err := url.Parse(rawURL) // its error holds all of the URL
	switch {
	case err != nil && !strings.Contains(rawURL, "://"):
		return "cannot be parsed: its scheme, as ws://, is missing"
	case err != nil:
		return "cannot be parsed"
	case u.Scheme == "":
		return "has no scheme, as ws://"
	case !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme):
		return fmt.Sprintf("has the scheme %q, which is not that of a WebSocket server", u.Scheme)
	case u.Hostname() == "":
		return "has no host"
	}
	return portProblem(u)
}

// portProblem returns the problem with the port of a URL, or "".
func portProblem(u *url.URL) string {
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "has a port that is not between 1 and 65535: " + port
		}
	}
	return ""
}

// Redact returns the parts of a URL that may be shown. Of a URL that is not for
// WebSocket, these parts are not known.
func Redact(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) {
		return "an invalid URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// hiddenError is an error whose own text may hold a secret.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }
func (e *hiddenError) Unwrap() error { return e.err }

// hideURL returns the error of a request without the parts of its URL that may be secret.
func hideURL(err error, u *url.URL) error {
	for {
		ue, ok := errors.AsType[*url.Error](err) // it shows the whole URL
		if !ok {
			break
		}
		if err = ue.Err; err == nil {
			err = errors.New("the request failed")
		}
	}
	text := err.Error()
	shown := text
	if u.User != nil {
		shown = strings.ReplaceAll(shown, u.User.String()+"@", "")
		if password, _ := u.User.Password(); password != "" {
			shown = strings.ReplaceAll(shown, ":"+password+"@", "@")
		}
	}
	if u.RawQuery != "" {
		shown = strings.ReplaceAll(shown, "?"+u.RawQuery, "?...")
	}
	if fragment := u.EscapedFragment(); fragment != "" {
		shown = strings.ReplaceAll(shown, "#"+fragment, "")
	}
	if shown == text {
		return err
	}
	return &hiddenError{shown, err}
}
