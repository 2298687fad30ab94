package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// readSystem reads the machine's figures from /proc. It leaves out figures that it cannot
// read, or that have another form.
func readSystem() system {
	return system{
		cpu:     readProc("/proc/stat", parseStat),
		memory:  readProc("/proc/meminfo", parseMeminfo),
		traffic: readProc("/proc/net/dev", parseNetDev),
	}
}

func readProc[T any](name string, parse func(text string) (T, error)) *T {
	text, err := os.ReadFile(name) //nolint:gosec // the names are those above
	if err != nil {
		return nil
	}
	v, err := parse(string(text))
	if err != nil {
		return nil
	}
	return &v
}

// The order of the times in /proc/stat (proc_stat(5)). The guest times behind them are in
// the first two already.
const (
	user = iota
	nice
	kernel
	idle
	iowait
	irq
	softirq
	steal
	timesInStat
)

// parseStat reads the first line of /proc/stat: the times of all processors together.
func parseStat(text string) (cpuTimes, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 5 || fields[0] != "cpu" {
		return cpuTimes{}, fmt.Errorf("/proc/stat begins with %q", line)
	}
	var times [timesInStat]float64
	for i := range min(len(times), len(fields)-1) {
		v, err := strconv.ParseUint(fields[i+1], 10, 64)
		if err != nil {
			return cpuTimes{}, fmt.Errorf("/proc/stat: %w", err)
		}
		times[i] = float64(v)
	}
	c := cpuTimes{system: times[kernel] + times[irq] + times[softirq]}
	c.busy = times[user] + times[nice] + c.system + times[steal]
	c.total = c.busy + times[idle] + times[iowait]
	return c, nil
}

// parseMeminfo reads /proc/meminfo. Memory is used if only swapping could free it.
func parseMeminfo(text string) (memoryUse, error) {
	total, err := kilobytes(text, "MemTotal:")
	if err != nil {
		return memoryUse{}, err
	}
	free, err := kilobytes(text, "MemAvailable:")
	if err != nil {
		return memoryUse{}, err
	}
	return memoryUse{used: total - free, total: total}, nil
}

// kilobytes returns the value of a line of /proc/meminfo, in bytes.
func kilobytes(text, name string) (float64, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != name {
			continue
		}
		v, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/meminfo: %s %w", name, err)
		}
		return float64(v) * 1024, nil
	}
	return 0, fmt.Errorf("/proc/meminfo has no %s", name)
}

// parseNetDev adds up the bytes of all interfaces in /proc/net/dev but the loopback, over
// which no byte leaves the machine. A line is a name, a colon, eight figures of data
// received and eight of data sent, the bytes first.
func parseNetDev(text string) (traffic, error) {
	var sum traffic
	for line := range strings.Lines(text) {
		name, rest, isInterface := strings.Cut(line, ":")
		if !isInterface || strings.TrimSpace(name) == "lo" {
			continue // it may also be one of the two lines of headings
		}
		fields := strings.Fields(rest)
		if len(fields) < 9 {
			return traffic{}, fmt.Errorf("/proc/net/dev: %q has %d figures", line, len(fields))
		}
		received, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			return traffic{}, fmt.Errorf("/proc/net/dev: %w", err)
		}
		sent, err := strconv.ParseUint(fields[8], 10, 64)
		if err != nil {
			return traffic{}, fmt.Errorf("/proc/net/dev: %w", err)
		}
		sum.received += float64(received)
		sum.sent += float64(sent)
	}
	return sum, nil
}
