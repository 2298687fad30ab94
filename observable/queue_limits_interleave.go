//go:build interleave

package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// The limits are so low that small programs reach them: see queue_limits.go.
const (
	queueLimit = 2
	roomEvery  = 1
)

func init() {
	// A run that has failed leaves its waits behind.
	interleave.BeforeRun(func() { waits = waitGraph{} })
}
