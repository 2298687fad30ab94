//go:build !linux || 386

package conn

import "syscall"

// canTell says that tcpTaken cannot be used.
const canTell = false

// tcpTaken reports false: the system is not asked.
func tcpTaken(syscall.RawConn) (t taken, ok bool) { return taken{}, false }
