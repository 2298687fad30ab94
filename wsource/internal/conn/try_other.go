//go:build !unix

package conn

import (
	"errors"
	"net"
	"syscall"
)

// canTry says that writeNow cannot be used: a write may always have to wait here.
const canTry = false

func writeNow(net.Conn, syscall.Conn, []byte) (int, error) { return 0, errors.ErrUnsupported }
