package observable

import "time"

// slowValue is the time that downstream may take for a value before the gate looks at the
// producers that wait.
const slowValue = 50 * time.Microsecond

// epoch is the zero of the gate's clock: a difference costs less than a time.
var epoch = time.Now() //nolint:gochecknoglobals // it is a constant
