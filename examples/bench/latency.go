package main

import (
	"errors"
	"time"
)

// loneWorks measures messages that go alone: each after the last has arrived, and after a
// pause in which everything comes to rest, so that no other is sent together with it. The
// libraries take turns message by message.
func loneWorks(messages int) []work {
	var all []work
	for _, w := range []struct {
		name     string
		toClient bool
	}{{loneToServer, false}, {loneToClient, true}} {
		one := work{name: w.name, unit: "µs at p50", beside: "µs at p99", together: func() ([]figure, error) {
			return loneMessages(messages, w.toClient)
		}}
		for _, l := range libraries {
			one.contenders = append(one.contenders, contender{name: l.name})
		}
		all = append(all, one)
	}
	return all
}

// pause is the time between lone messages.
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
		for i := range lines { // so that none always goes first
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
