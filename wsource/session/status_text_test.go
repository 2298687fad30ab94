package session_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/session"
)

// TestStatusHidesTheBodyOfARefusal prints the line for a log.
func TestStatusHidesTheBodyOfARefusal(t *testing.T) {
	refused := &wsource.HandshakeError{URL: "ws://a", Status: 401, Body: "a secret"}
	status := session.Status{Kind: session.Failed, Err: fmt.Errorf("dial: %w", refused)}
	assert.NotContains(t, status.String(), "secret")
	assert.Contains(t, status.String(), "401")
}
