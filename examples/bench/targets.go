package main

import (
	"fmt"
	"strings"
)

// measure is the part of a row that a target bounds.
type measure uint8

const (
	ratio  measure = iota // of the contender to rxsocket, at least
	value                 // at most
	beside                // the figure beside it, at most
)

// target is the bound for one contender's row in a work. An empty contender stands for
// each peer.
type target struct {
	work, contender string
	of              measure
	bound           float64
}

// The works that have a target and a name that does not stand for itself.
const (
	chainWork     = "Map, Map, Filter, Map, Map over ints, per item"
	subscribeWork = "subscribe to that chain over one item, and complete"
	mergeWork     = "Merge of 8 concurrent producers, per item"
	inTurnWork    = "Merge of 8 producers that emit in turn, per item"
	combineWork   = "CombineLatest of 4, per item"
	shareWork     = "Share to 16 observers, per item"
	switchWork    = "SwitchMap over inner observables, per inner"
	debounceWork  = "DebounceTime at full speed, per item"
	bufferWork    = "BufferTime at full speed, per item"
	rxSocketWork  = "the RxGo face: a socket's messages through one Filter and one Map, per message"
	rxMemoryWork  = "the RxGo face: messages in memory through one Filter and one Map, per message"
	receiveWork   = "allocations for a received 128-byte message"
	toServerWork  = "one-way 128-byte messages over loopback, client to server, per message"
	toClientWork  = "one-way 128-byte messages over loopback, server to client, per message"
	loneToServer  = "a lone 128-byte message, client to server"
	loneToClient  = "a lone 128-byte message, server to client"
)

// targets is all targets, in one place.
var targets = []target{
	{chainWork, "rxsocket", beside, 0},
	{chainWork, "hand-written", ratio, 1 / 1.15}, // rxsocket takes at most 1.15 times as long
	{chainWork, "samber/ro", ratio, 10},
	{chainWork, "RxGo", ratio, 40},
	{chainWork, "RxJS", ratio, 1.5},
	{subscribeWork, "rxsocket", value, 14},
	{mergeWork, "", ratio, 1},
	{inTurnWork, "", ratio, 1},
	{combineWork, "", ratio, 1},
	{shareWork, "", ratio, 1},
	{switchWork, "", ratio, 1},
	{debounceWork, "rxsocket", value, 1000}, // a million items in a second
	{debounceWork, "", ratio, 1},
	{bufferWork, "rxsocket", value, 1000},
	{bufferWork, "", ratio, 1},
	{rxSocketWork, "RxGo, FromChannel, fed by coder/websocket", ratio, 1},
	{rxMemoryWork, "RxGo, FromChannel, messages in memory", ratio, 1},
	{receiveWork, "rxsocket, as owned bytes", value, 1},
	{receiveWork, "rxsocket, as borrowed bytes", value, 0},
	{receiveWork, "rxsocket, decoded in place", value, 0},
	{toServerWork, "coder/websocket", ratio, 3},
	{toServerWork, "gorilla/websocket", ratio, 3},
	{toServerWork, "lxzan/gws", ratio, 3},
	{toClientWork, "coder/websocket", ratio, 3},
	{toClientWork, "gorilla/websocket", ratio, 3},
	{toClientWork, "lxzan/gws", ratio, 3},
	{loneToServer, "", ratio, 0.98},
	{loneToClient, "", ratio, 0.98},
	{echoWork(128), "", ratio, 0.98},
	{echoWork(4 << 10), "", ratio, 0.98},
	{echoWork(1 << 20), "", ratio, 0.98},
	{idleWork(full.idle), "rxsocket", value, 5 << 10},
	{broadcastWork(128, full.sockets), "", ratio, 1},
	{broadcastWork(4<<10, full.sockets), "", ratio, 1},
	{compressedName(4<<10, full.sockets), "", ratio, 1},
	{tailWork(128, full.sockets), gwsFanName, ratio, 1},
	{tailWork(4<<10, full.sockets), gwsFanName, ratio, 1},
	{clusterWork(128, full.sockets), centrifugeNodes, ratio, 1},
	{clusterTailWork(128, full.sockets), centrifugeNodes, ratio, 1},
	{connectWork(full.idle), "", ratio, 1},
	{memberWork(full.idle), "rxsocket: hub", value, 9 << 10},
	{stallWork(full.sockets), noneStalls, ratio, 1 / 1.1},
}

func echoWork(size int) string { return fmt.Sprintf("echo round trip of %d bytes", size) }

func idleWork(n int) string {
	return fmt.Sprintf("server memory per idle connection, %d of them, heap and stack", n)
}

func broadcastWork(size, n int) string {
	return fmt.Sprintf("one value of %d bytes to %d sockets, per message", size, n)
}

func clusterWork(size, n int) string {
	return fmt.Sprintf("one value of %d bytes to %d sockets on %d nodes through NATS, per message", size, n, inCluster)
}

func clusterTailWork(size, n int) string {
	return fmt.Sprintf("one value of %d bytes to %d sockets on %d nodes through NATS, p99 latency of a message", size, n, inCluster)
}

func connectWork(n int) string {
	return fmt.Sprintf("a connection opened, of %d that come 8 at a time", n)
}

func memberWork(n int) string {
	return fmt.Sprintf("server memory per socket in a room of %d with presence, %d of them, heap and stack", inRoom, n)
}

func stallWork(n int) string {
	return fmt.Sprintf("one value of 128 bytes to a room of %d sockets, of which %d stall, p99 latency of a message at the others", n, n/5)
}

func recoveryWork(n int) string {
	return fmt.Sprintf("%d sockets cut at once: until each is back and has the %d messages that it missed", n, cutOff)
}

func tailWork(size, n int) string {
	return fmt.Sprintf("one value of %d bytes to %d sockets, p99 latency of a message", size, n)
}

// for reports whether the target is about a row, the one at index i, of a work.
func (t target) holdsFor(w work, i int, r row) bool {
	switch {
	case t.work != w.name:
		return false
	case t.contender == "":
		return i > 0 && !strings.HasPrefix(r.name, "rxsocket")
	default:
		return t.contender == r.name
	}
}

// verdict is a target and the measured figure.
type verdict struct {
	work, contender string
	want, got       string
	met             bool
	missing         bool // without a measured figure
}

func (v verdict) String() string {
	switch {
	case v.missing:
		return "not measured"
	case v.met:
		return "met"
	default:
		return "**not met**"
	}
}

// judge compares a row with a target. The median counts, with the digits that are shown.
func (t target) judge(w work, r row) verdict {
	v := verdict{work: w.name, contender: r.name, missing: r.err != nil}
	switch t.of {
	case ratio:
		got := r.ratios.median()
		v.want, v.got, v.met = "ratio >= "+number(t.bound), number(got), got >= t.bound
	case value:
		got := r.values.median()
		v.want, v.got = fmt.Sprintf("<= %g %s", t.bound, w.unit), number(got)+" "+w.unit
		v.met = got < t.bound+0.005
	case beside:
		got := r.besides.median()
		v.want, v.got = fmt.Sprintf("<= %g %s", t.bound, w.second()), number(got)+" "+w.second()
		v.met = len(r.besides) > 0 && got < t.bound+0.005
	}
	if v.missing {
		v.got = ""
	}
	return v
}

// verdicts judges all rows of a work; the verdicts at index i are about row i.
func (w work) verdicts(rows []row) [][]verdict {
	all := make([][]verdict, len(rows))
	for i, r := range rows {
		for _, t := range targets {
			if t.holdsFor(w, i, r) {
				all[i] = append(all[i], t.judge(w, r))
			}
		}
	}
	return all
}
