package frame_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// params are Params of compression: takeover and window of the server, then of the
// client.
func params(serverTakeover bool, serverBits int, clientTakeover bool, clientBits int) frame.Params {
	return frame.Params{
		Enabled: true,
		Server:  frame.Direction{Takeover: serverTakeover, WindowBits: serverBits},
		Client:  frame.Direction{Takeover: clientTakeover, WindowBits: clientBits},
	}
}

func TestOffers(t *testing.T) {
	assert.Empty(t, frame.Params{}.Offer())
	assert.Equal(t, "permessage-deflate; client_max_window_bits", frame.WithTakeover(true).Offer())
	assert.Equal(t, "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
		frame.WithTakeover(false).Offer())
	assert.Equal(t, "permessage-deflate; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10",
		params(true, 9, false, 10).Offer())
}

func TestAnswersOfAServer(t *testing.T) {
	all, none := frame.WithTakeover(true), frame.WithTakeover(false)
	for offer, test := range map[string]struct {
		wish   frame.Params
		answer string
		params frame.Params
	}{
		"permessage-deflate":                          {all, "permessage-deflate", all},
		"permessage-deflate ; client_max_window_bits": {all, "permessage-deflate", all},
		"permessage-deflate;server_no_context_takeover": {
			all, "permessage-deflate; server_no_context_takeover", params(false, 15, true, 15),
		},
		"permessage-deflate; client_no_context_takeover; server_max_window_bits=\"10\"; client_max_window_bits=12": {
			all, "permessage-deflate; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=12",
			params(true, 10, false, 12),
		},
		"permessage-deflate; server_max_window_bits=15; client_max_window_bits": {
			params(true, 9, true, 8), "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8", params(true, 9, true, 8),
		},
		"permessage-deflate; x-no-window": {none, "", frame.Params{}},
		"x-other, permessage-deflate; unknown, permessage-deflate; server_max_window_bits=8, permessage-deflate": {
			none, "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8",
			params(false, 8, false, 15),
		},
		"permessage-deflate; a=\"x,permessage-deflate; server_max_window_bits=9\", permessage-deflate": {all, "permessage-deflate", all},
		`=; a="\",permessage-deflate,\""`: {all, "", frame.Params{}},
		", ,permessage-deflate,":          {all, "permessage-deflate", all},
		"permessage-deflate; server_no_context_takeover; client_no_context_takeover ": {
			frame.Params{}, "", frame.Params{},
		},
	} {
		t.Run(offer, func(t *testing.T) {
			got, answer := test.wish.Answer([]string{offer})
			assert.Equal(t, test.answer, answer)
			assert.Equal(t, test.params, got)
		})
	}
	got, answer := all.Answer([]string{"x-other", "permessage-deflate; client_max_window_bits=9"})
	assert.Equal(t, "permessage-deflate; client_max_window_bits=9", answer)
	assert.Equal(t, params(true, 15, true, 9), got)
	_, answer = all.Answer(nil)
	assert.Empty(t, answer)
}

// invalid parameters, in an offer and in an answer alike.
func invalid() []string {
	return []string{
		"server_no_context_takeover=1", "client_no_context_takeover=\"\"", "server_max_window_bits", "server_max_window_bits=",
		"server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=08", "server_max_window_bits=+9",
		"server_max_window_bits=1e1", "client_max_window_bits=7", "client_max_window_bits=16", "client_max_window_bits=\"",
		"client_max_window_bits=\"1 0\"", "client_max_window_bits=\"10\\", "server_max_window_bits=99999999999999999999",
		"server_no_context_takeover; server_no_context_takeover", "server_max_window_bits=9; server_max_window_bits=9",
		"unknown", "unknown=1", "Server_No_Context_Takeover", "", "=9", "server_no_context_takeover x", ";server_no_context_takeover",
	}
}

func TestInvalidOffersAreDeclined(t *testing.T) {
	for _, param := range invalid() {
		offer := "permessage-deflate; " + param
		_, answer := frame.WithTakeover(true).Answer([]string{offer})
		assert.Empty(t, answer, offer)
		_, err := frame.WithTakeover(true).Check([]string{offer})
		require.Error(t, err, offer)
		assert.True(t, strings.HasPrefix(err.Error(), "frame: the server chose extensions that were not offered"), err.Error())
	}
}

func TestAnswersThatAClientChecks(t *testing.T) {
	wish, small := frame.WithTakeover(true), params(true, 10, true, 11)
	for i, test := range []struct {
		wish   frame.Params
		answer []string
		params frame.Params
		ok     bool
	}{
		{wish, nil, frame.Params{}, true},
		{frame.Params{}, nil, frame.Params{}, true},
		{frame.Params{}, []string{"permessage-deflate"}, frame.Params{}, false},
		{wish, []string{"permessage-deflate"}, wish, true},
		{wish, []string{"x-other"}, frame.Params{}, false},
		{wish, []string{"permessage-deflate, permessage-deflate"}, frame.Params{}, false},
		{wish, []string{"permessage-deflate", "x-other"}, frame.Params{}, false},
		// It did not give the promise that was asked for, so the context is kept.
		{frame.WithTakeover(false), []string{"permessage-deflate"}, params(true, 15, false, 15), true},
		{
			frame.WithTakeover(false), []string{"permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
			frame.WithTakeover(false), true,
		},
		{wish, []string{"permessage-deflate; server_no_context_takeover; server_max_window_bits=9"}, params(false, 9, true, 15), true},
		{wish, []string{"permessage-deflate; client_no_context_takeover; client_max_window_bits=9"}, params(true, 15, false, 9), true},
		{wish, []string{"permessage-deflate; client_max_window_bits"}, frame.Params{}, false},
		{small, []string{"permessage-deflate; server_max_window_bits=11"}, frame.Params{}, false},
		{small, []string{"permessage-deflate; client_max_window_bits=12"}, frame.Params{}, false},
		{small, []string{"permessage-deflate; server_max_window_bits=10; client_max_window_bits=11"}, small, true},
		{small, []string{"permessage-deflate"}, params(true, 15, true, 11), true},
	} {
		got, err := test.wish.Check(test.answer)
		assert.Equal(t, test.ok, err == nil, "%d: %v", i, err)
		assert.Equal(t, test.params, got, "%d", i)
	}
}

// TestBothSidesAgree negotiates between every two wishes.
func TestBothSidesAgree(t *testing.T) {
	var wishes []frame.Params
	for i := range 16 {
		bits := []int{15, 8, 11}
		wishes = append(wishes, params(i&1 != 0, bits[i%3], i&2 != 0, bits[i/3%3]))
	}
	for _, client := range wishes {
		for _, server := range wishes {
			chosen, answer := server.Answer([]string{client.Offer()})
			require.True(t, chosen.Enabled)
			got, err := client.Check([]string{answer})
			require.NoError(t, err)
			require.Equal(t, chosen, got, fmt.Sprint(client, server))
		}
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, param := range invalid() {
		f.Add("permessage-deflate; "+param, true)
	}
	f.Add(frame.WithTakeover(false).Offer()+", x; a=\"b,\\\"c\"", false)
	f.Fuzz(func(t *testing.T, header string, takeover bool) {
		wish := frame.WithTakeover(takeover)
		chosen, answer := wish.Answer([]string{header})
		require.Equal(t, chosen.Enabled, answer != "")
		if answer != "" {
			require.Contains(t, header, "permessage-deflate")
			_, second := chosen.Answer([]string{answer})
			require.Equal(t, answer, second, "an answer is an offer, and may be answered so")
		}
		got, err := wish.Check([]string{header})
		if err == nil && got.Enabled {
			require.GreaterOrEqual(t, got.Client.WindowBits, 8)
			require.LessOrEqual(t, got.Server.WindowBits, 15)
		} else {
			require.Equal(t, frame.Params{}, got)
		}
	})
}
