package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const stat = `cpu  100 20 30 400 50 6 7 8 90 9
cpu0 50 10 15 200 25 3 3 4 45 4
intr 12345 0 0
ctxt 987
`

const meminfo = `MemTotal:       24684096 kB
MemFree:        22780972 kB
MemAvailable:   24162376 kB
Buffers:           62632 kB
HugePages_Total:       0
`

const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 363877473  538573    0    0    0     0          0         0 363877473  538573    0    0    0     0       0          0
  eth0: 285811014   16311    0    0    0     0          0         0  1489813   14052    0    0    0     0       0          0
wlan0:1000 1 0 0 0 0 0 0 2000 2 0 0 0 0 0 0
`

func TestProcIsParsed(t *testing.T) {
	c, err := parseStat(stat)
	require.NoError(t, err)
	assert.Equal(t, cpuTimes{busy: 171, system: 43, total: 621}, c, "guest times are not counted twice")
	c, err = parseStat("cpu  1 2 3 4")
	require.NoError(t, err, "as an old kernel has it")
	assert.Equal(t, cpuTimes{busy: 6, system: 3, total: 10}, c)

	m, err := parseMeminfo(meminfo)
	require.NoError(t, err)
	assert.Equal(t, memoryUse{used: (24684096 - 24162376) * 1024, total: 24684096 * 1024}, m)

	n, err := parseNetDev(netDev)
	require.NoError(t, err)
	assert.Equal(t, traffic{received: 285811014 + 1000, sent: 1489813 + 2000}, n, "without the loopback")
	n, err = parseNetDev("")
	require.NoError(t, err)
	assert.Equal(t, traffic{}, n)
}

func TestProcThatIsNotAsItShouldBe(t *testing.T) {
	for text, want := range map[string]string{
		"":                     `/proc/stat begins with ""`,
		"cpu0 1 2 3 4":         "/proc/stat begins with",
		"cpu 1 2 3":            "/proc/stat begins with",
		"cpu 1 2 x 4":          `parsing "x"`,
		"cpu 1 2 -3 4 5 6 7 8": `parsing "-3"`,
	} {
		_, err := parseStat(text)
		require.ErrorContains(t, err, want)
	}
	for text, want := range map[string]string{
		"MemTotal: 1 kB":                       "has no MemAvailable:",
		"MemAvailable: 1 kB":                   "has no MemTotal:",
		"MemTotal: 1 kB\nMemAvailable: lots":   "/proc/meminfo: MemAvailable:",
		"MemTotal:\nMemAvailable: 1 kB":        "has no MemTotal:",
		"MemTotal: 9e9 kB\nMemAvailable: 1 kB": "/proc/meminfo: MemTotal:",
	} {
		_, err := parseMeminfo(text)
		require.ErrorContains(t, err, want)
	}
	for text, want := range map[string]string{
		"eth0: 1 2 3":                   "has 3 figures",
		"eth0: x 2 3 4 5 6 7 8 9":       `parsing "x"`,
		"eth0: 1 2 3 4 5 6 7 8 y 10 11": `parsing "y"`,
	} {
		_, err := parseNetDev(text)
		require.ErrorContains(t, err, want)
	}
}

func TestThisMachineIsRead(t *testing.T) {
	s := readSystem()
	require.NotNil(t, s.cpu)
	require.NotNil(t, s.memory)
	require.NotNil(t, s.traffic)
	assert.Greater(t, s.cpu.total, s.cpu.busy)
	assert.Greater(t, s.memory.total, s.memory.used)
	assert.Nil(t, readProc("/proc/none", parseStat))
	assert.Nil(t, readProc("/proc/meminfo", parseStat))
}
