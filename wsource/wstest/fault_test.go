package wstest_test

import (
	"fmt"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// ends returns the ends of a dialled connection, the sender of a direction first.
func ends(t *testing.T, network *wstest.Network, direction wstest.Direction) (sender, receiver *wstest.Conn) {
	t.Helper()
	client, server := dial(t, network)
	if direction == wstest.ToServer {
		return client, server
	}
	return server, client
}

func TestCutAtEveryOffset(t *testing.T) {
	const text = "to be, or not to be"
	for _, direction := range []wstest.Direction{wstest.ToServer, wstest.ToClient} {
		for after := range len(text) + 1 {
			for _, breaks := range []struct {
				fault         wstest.Fault
				read, written error
			}{
				{wstest.Cut(direction, after), io.EOF, syscall.EPIPE},
				{wstest.Reset(direction, after), syscall.ECONNRESET, syscall.ECONNRESET},
			} {
				t.Run(breaks.fault.String(), func(t *testing.T) {
					network := new(wstest.Network)
					require.NoError(t, network.OnDial(1, breaks.fault))
					sender, receiver := ends(t, network, direction)
					if after > 0 {
						write(t, receiver, "that is the question")
						write(t, sender, text)
					}
					assert.Equal(t, after, sender.Link().Passed(direction))

					read(t, receiver, text[:after])
					require.ErrorIs(t, readError(t, receiver), breaks.read)
					require.ErrorIs(t, writeError(t, receiver), breaks.written)
					if after > 0 {
						read(t, sender, "that is the question")
					}
					require.ErrorIs(t, readError(t, sender), breaks.read)
					require.ErrorIs(t, writeError(t, sender), breaks.written)
					assert.Equal(t, after, sender.Link().Passed(direction))
					assert.Len(t, network.Links(), 1, "both ends are still held")
				})
			}
		}
	}
}

func TestCutOfALiveConnectionCountsFromTheNextByte(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	write(t, client, "before")
	inject(t, client.Link(), wstest.Cut(wstest.ToServer, 3))
	write(t, client, "ab")
	write(t, client, "cdef")
	read(t, server, "beforeabc")
	assert.Equal(t, io.EOF, readError(t, server))
	require.ErrorIs(t, writeError(t, client), syscall.EPIPE)
}

func TestCutTakesThePlaceOfAnEarlierOne(t *testing.T) {
	client, server := dial(t, new(wstest.Network))
	inject(t, client.Link(), wstest.Cut(wstest.ToServer, 3), wstest.Reset(wstest.ToServer, 5))
	write(t, client, "abcdef")
	read(t, server, "abcde")
	require.ErrorIs(t, readError(t, server), syscall.ECONNRESET)
}

func TestCutWhoseWordIsHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &wstest.Network{Buffer: 10}
		client, server := dial(t, network)
		inject(t, client.Link(), wstest.Stall(wstest.ToClient, 0), wstest.Cut(wstest.ToServer, 2))
		write(t, client, "abcd")
		write(t, client, "efghij")
		read(t, server, "ab")
		assert.Equal(t, io.EOF, readError(t, server))

		// The client has not heard of the cut: its writes go on until its buffer is full.
		require.NoError(t, client.SetWriteDeadline(time.Now().Add(time.Hour)))
		n, err := client.Write([]byte("klmno"))
		assert.Equal(t, 2, n)
		assertTimeout(t, err)
		require.NoError(t, client.SetWriteDeadline(time.Time{}))

		failed := make(chan error)
		go func() {
			_, err := client.Write([]byte("p"))
			failed <- err
		}()
		synctest.Wait()
		client.Link().Resume(wstest.ToClient)
		require.ErrorIs(t, <-failed, syscall.EPIPE)
		assert.Equal(t, 2, client.Link().Passed(wstest.ToServer))
	})
}

func TestCorrupt(t *testing.T) {
	network := new(wstest.Network)
	require.NoError(t, network.OnDial(1,
		wstest.Corrupt(wstest.ToServer, 0, ' '),
		wstest.Corrupt(wstest.ToServer, 4, 0x01),
		wstest.Corrupt(wstest.ToServer, 4, 0x02),
		wstest.Corrupt(wstest.ToClient, 2, ' '),
	))
	client, server := dial(t, network)
	write(t, client, "abc")
	read(t, server, "Abc")
	write(t, client, "d")
	write(t, client, "ddd")
	read(t, server, "dgdd")
	write(t, server, "xyz")
	read(t, client, "xyZ")

	inject(t, client.Link(), wstest.Corrupt(wstest.ToServer, 1, ' '))
	write(t, client, "efg")
	read(t, server, "eFg")
}

func TestFaultThatCannotBe(t *testing.T) {
	client, server := wstest.Pipe()
	defer client.Close()
	defer server.Close()
	network := new(wstest.Network)
	for _, test := range []struct {
		fault wstest.Fault
		text  string
	}{
		{wstest.Fault{}, "wstest: no fault: the zero Fault does nothing"},
		{wstest.Cut(wstest.ToServer, -1), "wstest: cut to server after -1 bytes: the offset is negative"},
		{wstest.Reset(wstest.ToClient, -2), "wstest: reset to client after -2 bytes: the offset is negative"},
		{wstest.Stall(wstest.ToServer, -3), "wstest: stall to server after -3 bytes: the offset is negative"},
		{wstest.Delay(wstest.ToClient, -time.Second), "wstest: delay to client by -1s: the delay is negative"},
		{wstest.Throttle(wstest.ToServer, -9), "wstest: throttle to server to -9 bytes per second: the rate is negative"},
		{
			wstest.Corrupt(wstest.ToServer, -1, 1),
			"wstest: corrupt to server after -1 bytes with mask 0x01: the offset is negative",
		},
		{
			wstest.Corrupt(wstest.ToServer, 7, 0),
			"wstest: corrupt to server after 7 bytes with mask 0x00: the mask changes nothing",
		},
	} {
		for where, err := range map[string]error{
			"Inject":      client.Link().Inject(wstest.Cut(wstest.ToServer, 0), test.fault),
			"OnDial":      network.OnDial(1, wstest.Refuse(), test.fault),
			"OnEveryDial": network.OnEveryDial(wstest.Refuse(), test.fault),
		} {
			require.EqualError(t, err, test.text, where)
			var faultErr *wstest.FaultError
			require.ErrorAs(t, err, &faultErr)
			assert.Equal(t, test.fault, faultErr.Fault)
		}
	}
	require.EqualError(t, client.Link().Inject(wstest.Cut(wstest.ToServer, 0), wstest.Refuse()),
		"wstest: refuse: the connection is made already")

	// None of the faults beside them was set.
	write(t, client, "still whole")
	read(t, server, "still whole")
	dial(t, network)
}

func TestOffsetsThatNeverCome(t *testing.T) {
	const huge = int(^uint(0) >> 1)
	client, server := dial(t, new(wstest.Network))
	write(t, client, "abc")
	inject(t, client.Link(), wstest.Cut(wstest.ToServer, huge), wstest.Stall(wstest.ToServer, huge),
		wstest.Corrupt(wstest.ToServer, huge, 1))
	write(t, client, "def")
	read(t, server, "abcdef")
}

func TestDirectionString(t *testing.T) {
	assert.Equal(t, "to server, to client", fmt.Sprintf("%v, %v", wstest.ToServer, wstest.ToClient))
}
