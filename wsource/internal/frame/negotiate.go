package frame

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ExtensionsHeader is the name of the header that negotiates extensions (RFC 6455,
// section 9.1).
const ExtensionsHeader = "Sec-WebSocket-Extensions"

// The extension permessage-deflate and its parameters (RFC 7692, section 7.1).
const (
	extensionName    = "permessage-deflate"
	serverNoTakeover = "server_no_context_takeover"
	clientNoTakeover = "client_no_context_takeover"
	serverWindow     = "server_max_window_bits"
	clientWindow     = "client_max_window_bits"
	minWindowBits    = 8
	maxWindowBits    = 15
)

// Params is the compression of a connection's messages: a side's wish, and the outcome of
// the negotiation. The zero value is no compression.
type Params struct {
	Enabled bool      // permessage-deflate is wished, or agreed on
	Server  Direction // for messages that the server sends
	Client  Direction // for messages that the client sends
}

// Direction is the compression of one side's messages.
type Direction struct {
	Takeover bool // messages refer to earlier ones: context takeover
	// The base-2 logarithm of how many bytes they refer back, from 8 to 15.
	WindowBits int
}

// WithTakeover returns the Params of compression with windows of 15 bits, with or without
// context takeover.
func WithTakeover(takeover bool) Params {
	d := Direction{Takeover: takeover, WindowBits: maxWindowBits}
	return Params{Enabled: true, Server: d, Client: d}
}

// Outgoing returns the direction in which a side sends.
func (p Params) Outgoing(client bool) Direction {
	if client {
		return p.Client
	}
	return p.Server
}

// incoming returns the direction from which a side receives.
func (p Params) incoming(client bool) Direction { return p.Outgoing(!client) }

// Offer returns the value of the extensions header with which a client offers
// compression, "" if p is not enabled. It lets the server choose the client's window:
// [Deflater] can keep to that.
func (p Params) Offer() string {
	if !p.Enabled {
		return ""
	}
	offer := p.format(true)
	if p.Client.WindowBits == maxWindowBits {
		offer += "; " + clientWindow
	}
	return offer
}

// format writes the parameters of p; the client's window only if told to.
func (p Params) format(window bool) string {
	s := extensionName
	if !p.Server.Takeover {
		s += "; " + serverNoTakeover
	}
	if !p.Client.Takeover {
		s += "; " + clientNoTakeover
	}
	if p.Server.WindowBits < maxWindowBits {
		s += "; " + serverWindow + "=" + strconv.Itoa(p.Server.WindowBits)
	}
	if window && p.Client.WindowBits < maxWindowBits {
		s += "; " + clientWindow + "=" + strconv.Itoa(p.Client.WindowBits)
	}
	return s
}

// Answer returns the answer of a server that wishes p to the extensions headers of a
// request: the Params of the connection, and the value of its own extensions header. It
// takes the first offer that is valid. Both are empty if there is none, or p is not
// enabled.
//
// A side's messages refer to earlier ones only if both sides wish it, and no further than
// the smaller of the windows. A client that does not offer to choose its window keeps 15
// bits.
func (p Params) Answer(headers []string) (Params, string) {
	if !p.Enabled {
		return Params{}, ""
	}
	for _, e := range parseExtensions(headers) {
		offer, err := e.params(false)
		if err != nil {
			continue
		}
		chosen := Params{
			Enabled: true,
			Server: Direction{
				Takeover:   p.Server.Takeover && !offer.serverNoTakeover,
				WindowBits: min(p.Server.WindowBits, offer.serverBits),
			},
			Client: Direction{Takeover: p.Client.Takeover && !offer.clientNoTakeover, WindowBits: maxWindowBits},
		}
		if offer.clientWindow {
			chosen.Client.WindowBits = min(p.Client.WindowBits, offer.clientBits)
		}
		return chosen, chosen.format(offer.clientWindow)
	}
	return Params{}, ""
}

// errChoice is the error for an answer that does not fit the offer.
var errChoice = errors.New("frame: the server chose extensions that were not offered")

// Check returns the Params of the connection of a client that made the offer p, from the
// extensions headers of the server's answer. An answer without an extension is no
// compression.
//
// The error is the reason for which the handshake has failed (RFC 7692, section 7.1): an
// extension, a parameter or a window that was not offered. A server that does not promise
// to begin anew with each message, or to use a smaller window, as it was asked to, is
// taken at its word: the Params say so, and the Reader keeps the data that such messages
// refer to.
func (p Params) Check(headers []string) (Params, error) {
	list := parseExtensions(headers)
	switch {
	case len(list) == 0:
		return Params{}, nil
	case len(list) > 1 || !p.Enabled:
		return Params{}, fmt.Errorf("%w: %q", errChoice, strings.Join(headers, ", "))
	}
	answer, err := list[0].params(true)
	switch {
	case err != nil:
		return Params{}, fmt.Errorf("%w: %w", errChoice, err)
	case answer.serverWindow && answer.serverBits > p.Server.WindowBits:
		return Params{}, fmt.Errorf("%w: %s=%d", errChoice, serverWindow, answer.serverBits)
	case answer.clientWindow && answer.clientBits > p.Client.WindowBits:
		return Params{}, fmt.Errorf("%w: %s=%d", errChoice, clientWindow, answer.clientBits)
	}
	chosen := Params{
		Enabled: true,
		Server:  Direction{Takeover: !answer.serverNoTakeover, WindowBits: answer.serverBits},
		Client: Direction{
			Takeover:   p.Client.Takeover && !answer.clientNoTakeover,
			WindowBits: min(p.Client.WindowBits, answer.clientBits),
		},
	}
	return chosen, nil
}

// deflateParams are the parameters of permessage-deflate in one header.
type deflateParams struct {
	serverNoTakeover, clientNoTakeover bool
	serverWindow, clientWindow         bool // the header has the parameter
	serverBits, clientBits             int  // 15 if the header tells no value
}

// params returns the parameters of an extension, in an answer or in an offer. The error
// is the reason for which it is not a valid permessage-deflate.
func (e extension) params(answer bool) (deflateParams, error) {
	p := deflateParams{serverBits: maxWindowBits, clientBits: maxWindowBits}
	switch {
	case e.problem != "":
		return p, errors.New(e.problem)
	case e.name != extensionName:
		return p, fmt.Errorf("the extension %q is unknown", e.name)
	}
	for i, param := range e.parameters {
		if slices.ContainsFunc(e.parameters[:i], func(before parameter) bool { return before.name == param.name }) {
			return p, fmt.Errorf("the parameter %q comes twice", param.name)
		}
		bits, isWindow := windowBits(param.value)
		var valid bool
		switch param.name {
		case serverNoTakeover:
			p.serverNoTakeover, valid = true, !param.hasValue
		case clientNoTakeover:
			p.clientNoTakeover, valid = true, !param.hasValue
		case serverWindow:
			p.serverWindow, p.serverBits, valid = true, bits, isWindow
		case clientWindow:
			if !answer && !param.hasValue {
				bits, isWindow = maxWindowBits, true
			}
			p.clientWindow, p.clientBits, valid = true, bits, isWindow
		default:
			return p, fmt.Errorf("the parameter %q is unknown", param.name)
		}
		if !valid {
			return p, fmt.Errorf("the parameter %s has the value %q", param.name, param.value)
		}
	}
	return p, nil
}

// windowBits returns the value of a window, a number from 8 to 15 without leading zeros.
func windowBits(value string) (bits int, ok bool) {
	bits, err := strconv.Atoi(value)
	return bits, err == nil && bits >= minWindowBits && bits <= maxWindowBits && strconv.Itoa(bits) == value
}
