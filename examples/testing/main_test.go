package main

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
)

// The program itself runs on the wall clock, as it is a process with a server of its own.
func TestRun(t *testing.T) {
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"-addr", "127.0.0.1:0", "-every", "20ms"}, out)
	})
	p.Until(t, `(?m)^after \d+s: too hot$`)
}

func TestRunRefuses(t *testing.T) {
	err := run(t.Context(), []string{"-every", "0s"}, io.Discard)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "-every is 0s")
}
