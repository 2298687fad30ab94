package browser

// Listeners returns how many functions JavaScript can call.
func Listeners() int64 { return listeners.Load() }
