package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// tokenBytes is how many bytes a token has. All are random; the first serverBytes are the
// same in each token of a server that shares a [Store].
const (
	tokenBytes  = 24
	serverBytes = 6
)

// newServerName returns a name for a server, which begins its tokens.
func newServerName() string { return randomText(serverBytes) }

// newToken returns a token that nobody can guess. It begins with server, which may be "".
func newToken(server string) string {
	return server + randomText(tokenBytes-base64.RawURLEncoding.DecodedLen(len(server)))
}

func randomText(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// wellFormed reports whether a text can be a token.
func wellFormed(token string) bool {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return false
	}
	return !strings.ContainsFunc(token, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// serverName is the part of a token that names the server that has given it.
type serverName [8]byte

// digest is a server's record of a token. So neither its memory nor a store has tokens,
// and the time of a look-up tells nothing of them.
type digest struct {
	server serverName
	sum    [sha256.Size]byte
}

func digestOf(token string) digest {
	d := digest{sum: sha256.Sum256([]byte(token))}
	copy(d.server[:], token)
	return d
}

// id returns the ID by which a [Store] knows a token: the server that has given it, and a
// digest.
func (d digest) id() string {
	return string(d.server[:]) + base64.RawURLEncoding.EncodeToString(d.sum[:])
}

// digestOfID returns the digest that has an ID, and false if none can have it.
func digestOfID(id string) (d digest, ok bool) {
	if len(id) < len(d.server) {
		return d, false
	}
	sum, err := base64.RawURLEncoding.DecodeString(id[len(d.server):])
	if err != nil || len(sum) != len(d.sum) {
		return d, false
	}
	copy(d.server[:], id)
	copy(d.sum[:], sum)
	return d, true
}

// ServerOf returns the name of the server that has given the token with this ID, as it
// was given to [Store.Join]; "" if the ID is malformed.
func ServerOf(tokenID string) string {
	d, ok := digestOfID(tokenID)
	if !ok {
		return ""
	}
	return string(d.server[:])
}

// newID returns the ID of a session.
func newID() string { return randomText(16) }
