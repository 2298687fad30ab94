// Command orders is a shop of several programs: Alice places orders, Bob confirms those
// that are valid, three workers ship them, and a dashboard shows it all. Every order is
// shipped exactly once, even if any of them are killed.
//
//	go run ./examples/orders [-orders N]    all of it in one process; -h tells the rest
//
// It builds the program in the folder program, which is a module of its own since NATS is
// a library, and becomes it.
package main

import "github.com/rxsocket/rxsocket/examples/internal/launch"

func main() { launch.Main("orders") }
