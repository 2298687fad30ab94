package wsource_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

func TestWhatABrowserCannotDo(t *testing.T) {
	_, err := wsource.Dial(t.Context(), "ws://server.test", nil)
	require.ErrorIs(t, requireHandshake(t, err, 0), errors.ErrUnsupported)
	assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
	_, err = wsource.Accept(httptest.NewRecorder(), handshakeRequest(), nil)
	require.ErrorIs(t, requireHandshake(t, err, 501), errors.ErrUnsupported)
}
