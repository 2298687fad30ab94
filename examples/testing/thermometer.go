package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// The readings of the thermometer.
const (
	swing = 5.0              // degrees above and below the limit
	cycle = 16 * time.Second // from one heat to the next
	lasts = 10 * time.Second // it then breaks a connection off
)

// thermometer is a server of readings that go up and down around the limit. It breaks
// each connection off after a while, which its client has to survive.
func thermometer(every time.Duration) program.Site {
	began, server := time.Now(), new(wsource.Server)
	reading := func(int) wsource.Message {
		turns := time.Since(began).Seconds() / cycle.Seconds()
		return wsource.TextMessage(fmt.Sprintf("%.2f", Limit+swing*math.Sin(2*math.Pi*turns)))
	}
	answer := func(*wsource.Socket) observable.Observable[wsource.Message] {
		readings := operators.Map(observable.TimerEvery(0, every), reading)
		restart := observable.Throw[wsource.Message](&wsource.CloseError{Code: wsource.StatusServiceRestart})
		return operators.Concat(operators.TakeUntil(readings, observable.Timer(lasts)), restart)
	}
	return program.Site{
		Handler: server,
		Sockets: server,
		Work:    func(ctx context.Context) error { return server.Answer(ctx, answer) },
	}
}
