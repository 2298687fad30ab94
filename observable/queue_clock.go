package observable

import "time"

// slowValue is how long downstream may take for a value that is worth no look at who waits.
const slowValue = 50 * time.Microsecond

// epoch is what the gate's clock counts from: a difference costs less than a time.
var epoch = time.Now() //nolint:gochecknoglobals // it is a constant
