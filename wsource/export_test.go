package wsource

// What the tests look at from outside.
var Redact = redact
