package main

import (
	"encoding/binary"
	"slices"
	"testing"
)

func socketWorks() []work {
	var all []work
	for _, w := range []struct {
		name     string
		toClient bool
	}{{toServerWork, false}, {toClientWork, true}} {
		one := work{name: w.name, unit: "ns"}
		for _, l := range libraries {
			one.contenders = append(one.contenders, timed(l.name, func(b *testing.B) { oneWay(b, l, w.toClient) }))
		}
		all = append(all, one)
	}
	for _, size := range []int{128, 4 << 10, 1 << 20} {
		echo := work{name: echoWork(size), unit: "ns"}
		for _, l := range append(slices.Clip(libraries), rxsocketOwned) {
			echo.contenders = append(echo.contenders, timed(l.name, func(b *testing.B) { echoes(b, l, size) }))
		}
		all = append(all, echo)
	}
	return all
}

// oneWay sends b.N messages as fast as they are taken, and waits until all have arrived.
func oneWay(b *testing.B, l library, toClient bool) {
	arrived, n := make(chan struct{}), 0
	count := func(end, []byte) {
		if n++; n == b.N {
			close(arrived)
		}
	}
	ignore := func(end, []byte) {}
	atServer, atClient := count, ignore
	if toClient {
		atServer, atClient = ignore, count
	}
	p, err := l.connect(atServer, atClient)
	if err != nil {
		b.Fatal(err)
	}
	defer p.stop()
	from := p.client
	if toClient {
		from = p.server
	}
	payload := make([]byte, 128)
	b.ResetTimer()
	for range b.N {
		from.send(payload)
	}
	<-arrived
	b.StopTimer()
}

// echoes sends b.N messages, each after the last has come back.
func echoes(b *testing.B, l library, size int) {
	back := make(chan struct{}, 1)
	p, err := l.connect(
		func(e end, p []byte) { e.send(p) },
		func(end, []byte) { back <- struct{}{} })
	if err != nil {
		b.Fatal(err)
	}
	defer p.stop()
	payload := make([]byte, size)
	binary.BigEndian.PutUint64(payload, 1)
	b.ResetTimer()
	for range b.N {
		p.client.send(payload)
		<-back
	}
	b.StopTimer()
}
