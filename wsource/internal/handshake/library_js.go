package handshake

import (
	"context"
	"errors"
	"net/http"
)

// A browser makes the handshakes of a client by itself, and there are no servers in it:
// nothing calls these functions.

func libraryAccept(*hijackWriter, *http.Request, []string) (string, error) {
	return "", errors.ErrUnsupported
}

func libraryDial(context.Context, string, *client) (string, error) {
	return "", errors.ErrUnsupported
}
