//go:build !interleave

package observable

// queueLimit is the number of values that may wait at one gate before their producers
// block. Values that a callback emits into its own chain are exempt.
const queueLimit = 256

// roomEvery is the number of values delivered before their room in the queue is given to
// others: all at once goes fast. If a value takes longer than slowValue, the room of each
// is given away at once, so that the producer which comes first does not take all of it.
const roomEvery = 64
