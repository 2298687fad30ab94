//go:build !interleave

package observable

// queueLimit is how many values may wait at one gate before their producers block. What a
// callback emits into its own chain is exempt.
const queueLimit = 256

// roomEvery is how many values are delivered before their room in the queue is given to others.
const roomEvery = 64

// longService is how many runs a goroutine delivers for others before another one takes over:
// a producer among many that never rest must come back from its own Next.
const longService = 1024
