//go:build !interleave

package observable

// queueLimit is how many values may wait at one gate before their producers block. What a
// callback emits into its own chain is exempt.
const queueLimit = 256

// roomEvery is how many values are delivered before their room in the queue is given to others: all
// at once goes fast. If a value takes longer than slowValue, each one's room is given away at once, so
// that the producer which comes first does not take all of it.
const roomEvery = 64
