package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// loneWorks measures messages that go alone: each after the last has arrived, and after a pause in which everything comes to
// rest, so that there is nothing to be sent together with. The libraries take turns message by message.
func loneWorks(messages int) []work {
	var all []work
	for _, w := range []struct {
		name     string
		toClient bool
	}{{loneToServer, false}, {loneToClient, true}} {
		one := work{name: w.name, unit: "µs", beside: "µs, p99", together: func() ([]figure, error) {
			return loneMessages(messages, w.toClient)
		}}
		for _, l := range libraries {
			one.contenders = append(one.contenders, contender{name: l.name})
		}
		all = append(all, one)
	}
	return all
}

// pause is what lies between lone messages.
const pause = time.Millisecond

func loneMessages(n int, toClient bool) ([]figure, error) {
	type line struct {
		from    end
		arrived chan time.Time
		took    spread
	}
	lines := make([]*line, len(libraries))
	for i, l := range libraries {
		one := &line{arrived: make(chan time.Time, 1)}
		note, ignore := func(end, []byte) { one.arrived <- time.Now() }, func(end, []byte) {}
		atServer, atClient := note, ignore
		if toClient {
			atServer, atClient = ignore, note
		}
		p, err := l.connect(atServer, atClient)
		if err != nil {
			return nil, err
		}
		defer p.stop()
		if one.from = p.client; toClient {
			one.from = p.server
		}
		lines[i] = one
	}
	payload := make([]byte, 128)
	for turn := range n {
		for i := range lines { // and none always goes first
			l := lines[(turn+i)%len(lines)]
			time.Sleep(pause)
			sent := time.Now()
			l.from.send(payload)
			l.took = append(l.took, microseconds((<-l.arrived).Sub(sent)))
		}
	}
	figures := make([]figure, len(lines))
	for i, l := range lines {
		figures[i] = figure{l.took.median(), l.took.percentile(99)}
	}
	return figures, nil
}

// tailWorks measures how late a value is at the sockets it is sent to. Values go at a fixed pace, one every spacing, whatever
// the contender does with the last.
func tailWorks(s scale) []work {
	var all []work
	for _, size := range []int{128, 4 << 10} {
		one := work{name: tailWork(size, s.sockets), unit: "µs", beside: "µs, median"}
		for _, f := range fans {
			one.contenders = append(one.contenders, contender{f.name, func() (figure, error) {
				return tail(size, s.sockets, s.values, f.fan)
			}})
		}
		all = append(all, one)
	}
	return all
}

// spacing is the time from one value to the next: three times what the slowest contender needs to send one.
const spacing = 20 * time.Millisecond

func tail(size, sockets, values int, f fan) (figure, error) {
	opened := make(chan struct{}, sockets)
	handler, send := f(func() { opened <- struct{}{} })
	address, stop, err := listen(handler)
	if err != nil {
		return figure{}, err
	}
	defer stop()
	clients, err := startClients("stamps", address, sockets, size, values)
	if err != nil {
		return figure{}, err
	}
	defer clients.stop()
	if err := await(opened, sockets); err != nil {
		return figure{}, err
	}
	ticker := time.NewTicker(spacing)
	defer ticker.Stop()
	for range values {
		<-ticker.C
		payload := make([]byte, size) // a library may still be at the last one
		binary.BigEndian.PutUint64(payload, uint64(time.Now().UnixNano()))
		send(payload)
	}
	line, err := clients.line()
	if err != nil {
		return figure{}, fmt.Errorf("the clients did not get everything: %w", err)
	}
	var got figure
	_, err = fmt.Sscan(line, &got.value, &got.beside)
	return got, err
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// await waits for n signals.
func await(signals <-chan struct{}, n int) error {
	limit := time.After(patience)
	for range n {
		select {
		case <-signals:
		case <-limit:
			return errors.New("not all connections were opened")
		}
	}
	return nil
}

// readStamps is the clients' part: it reads messages of size bytes that begin with the time they were sent at, and prints
// the p99 and the median of what they took, over all messages of all connections.
func readStamps(connections []net.Conn, size, messages int) {
	var all sync.WaitGroup
	took := make([]spread, len(connections))
	for i, c := range connections {
		all.Go(func() {
			frame := make([]byte, header(size)+size)
			for range messages {
				if err := readFull(c, frame); err != nil {
					return
				}
				sent := int64(binary.BigEndian.Uint64(frame[header(size):]))
				took[i] = append(took[i], microseconds(time.Duration(time.Now().UnixNano()-sent)))
			}
		})
	}
	all.Wait()
	var every spread
	for _, t := range took {
		every = append(every, t...)
	}
	if len(every) == len(connections)*messages {
		fmt.Printf("%.2f %.2f\n", every.percentile(99), every.median())
	}
}
