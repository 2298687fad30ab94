// Command routers serves the same echo behind each of the routers that Go programs have,
// with the middleware that they have: net/http's mux, chi, gin and echo.
//
//	go run ./examples/routers [-router mux] [-addr 127.0.0.1:9004] [-duration 5s]    -h tells the rest
//
// It builds the program in the folder program, which is a module of its own since each
// router is a library, and becomes it.
package main

import "github.com/rxsocket/rxsocket/examples/internal/launch"

func main() { launch.Main("routers") }
