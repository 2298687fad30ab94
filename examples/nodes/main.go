// Command nodes is one of several nodes of a chat with one room, which are connected by
// NATS.
//
//	go run ./examples/nodes [-nats nats://127.0.0.1:4222] [-addr 127.0.0.1:9005] [-duration 1m]
//
// It builds the program in the folder program, which is a module of its own since NATS is
// a library, and becomes it.
package main

import "github.com/rxsocket/rxsocket/examples/internal/launch"

func main() { launch.Main("nodes") }
