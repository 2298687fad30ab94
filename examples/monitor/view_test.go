package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var testOffer = &offer{Host: "host", Metrics: []metric{
	{Name: "cpu", Title: "Processors", Unit: inPercent, Series: []string{"busy", "system"}, Max: 100},
	{Name: "heap", Title: "Go heap", Unit: inBytes, Series: []string{"objects"}},
}}

func testEvents() []event {
	now := settings{Interval: interval(time.Second), Metrics: []string{"cpu", "heap"}, Offer: testOffer}
	first := &sample{Values: map[string]map[string]float64{"cpu": {"busy": 50, "system": 0}, "heap": {"objects": 1024}}}
	second := &sample{Values: map[string]map[string]float64{"cpu": {"busy": 100, "system": 25}, "heap": {"objects": 2048}}}
	return []event{{reply: reply{Settings: &now}}, {reply: reply{Sample: first}}, {reply: reply{Sample: second}}}
}

func TestViewWritesLines(t *testing.T) {
	var out strings.Builder
	v := &view{out: &out}
	v.show(testEvents())
	v.show([]event{{lost: errors.New("the cable is out")}, {reply: reply{Error: "too fast"}}})
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{
		"watching cpu, heap on host every 1s",
		"cpu busy 50.0 %, system 0.0 % | heap 1.0 KiB",
		"cpu busy 100.0 %, system 25.0 % | heap 2.0 KiB",
		"connection lost, trying again: the cable is out",
		"refused: too fast",
		"",
	} {
		_, line, _ := strings.Cut(lines[i], "  ") // after the time
		assert.Equal(t, want, line)
	}
}

func TestViewDrawsInPlace(t *testing.T) {
	strip := strings.NewReplacer(bold, "", dim, "", plain, "", "\x1b[K", "", "\x1b[?7l", "", "\x1b[?7h", "").Replace
	var out strings.Builder
	v := &view{out: &out, live: true}
	v.show(testEvents()[:2])
	assert.Equal(t, ""+
		"host every 1s\n"+
		"Processors     busy            50.0 %  ▅\n"+
		"               system           0.0 %  ▁\n"+
		"Go heap        objects        1.0 KiB  █\n"+
		"\x1b[J", strip(out.String()))

	out.Reset()
	v.show([]event{testEvents()[2], {lost: errors.New("the cable is out")}})
	assert.Equal(t, ""+
		"\x1b[4Ahost every 1s\n"+
		"Processors     busy           100.0 %  ▅█\n"+
		"               system          25.0 %  ▁▃\n"+
		"Go heap        objects        2.0 KiB  ▅█\n"+
		"connection lost, trying again: the cable is out\n"+
		"\x1b[J", strip(out.String()))

	// Fewer metrics make fewer rows; the row that stays keeps its past.
	fewer := settings{Interval: interval(time.Second), Metrics: []string{"heap"}, Offer: testOffer}
	out.Reset()
	v.show(append([]event{{reply: reply{Settings: &fewer}}}, testEvents()[2]))
	assert.Equal(t, "\x1b[5Ahost every 1s\nGo heap        objects        2.0 KiB  ▅██\n\x1b[J", strip(out.String()))
}

func TestViewKeepsABoundedPast(t *testing.T) {
	v := &view{out: new(strings.Builder), live: true}
	v.show(testEvents())
	for range 3 * sparks {
		v.show(testEvents()[1:])
	}
	assert.Len(t, v.rows[0].past, sparks)
}

func TestUnitsAreWritten(t *testing.T) {
	for want, got := range map[string]string{
		"12.3 %":     inPercent.format(12.345),
		"0 B":        inBytes.format(0),
		"1023 B/s":   inBytesPerSecond.format(1023.4),
		"1.0 KiB":    inBytes.format(1024),
		"1.5 MiB/s":  inBytesPerSecond.format(1.5 * (1 << 20)),
		"2048.0 PiB": inBytes.format(1 << 61),
		"17":         aNumber.format(17),
	} {
		assert.Equal(t, want, got)
	}
}
