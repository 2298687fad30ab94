package wsource

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The header of the negotiation of extensions, and the one extension there is (RFC 7692).
const (
	extensionsHeader = "Sec-WebSocket-Extensions"
	deflateExtension = "permessage-deflate"
	serverNoTakeover = "server_no_context_takeover"
	clientNoTakeover = "client_no_context_takeover"
)

// offer returns what a client offers, "" for no compression.
func (c Compression) offer() string {
	switch c {
	case CompressMessages:
		return deflateExtension + "; " + serverNoTakeover + "; " + clientNoTakeover
	case CompressStream:
		return deflateExtension
	default:
		return ""
	}
}

// withParameter returns the header of a response with a parameter of the one extension in it.
func withParameter(response http.Header, parameter string) http.Header {
	if deflatesAlone(response, parameter) {
		return response
	}
	copied := response.Clone()
	copied.Set(extensionsHeader, strings.Join(splitExtensions(response.Values(extensionsHeader)), "")+"; "+parameter)
	return copied
}

// splitExtensions returns the elements of the header's values.
func splitExtensions(values []string) []string {
	var all []string
	for _, value := range values {
		for element := range strings.SplitSeq(value, ",") {
			if element = strings.TrimSpace(element); element != "" {
				all = append(all, element)
			}
		}
	}
	return all
}

// validDeflate reports whether an element is permessage-deflate with parameters that may stand in an offer
// or, if so asked, in the response to an offer without client_max_window_bits (RFC 7692, section 7.1). The
// library takes any value, and any parameter twice.
func validDeflate(element string, response bool) bool {
	name, rest, _ := strings.Cut(element, ";")
	if strings.TrimSpace(name) != deflateExtension {
		return false
	}
	var seen []string
	for rest != "" {
		var param string
		param, rest, _ = strings.Cut(rest, ";")
		key, value, hasValue := strings.Cut(strings.TrimSpace(param), "=")
		key, value = strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"`)
		if slices.Contains(seen, key) {
			return false
		}
		seen = append(seen, key)
		ok := false
		switch key {
		case serverNoTakeover, clientNoTakeover:
			ok = !hasValue
		case "server_max_window_bits":
			ok = hasValue && windowBits(value)
		case "client_max_window_bits":
			ok = !response && (!hasValue || windowBits(value))
		}
		if !ok {
			return false
		}
	}
	return true
}

func windowBits(value string) bool {
	bits, err := strconv.Atoi(value)
	return err == nil && bits >= 8 && bits <= 15 && strconv.Itoa(bits) == value
}

// withValidOffers returns the request without the offers of extensions that the server must
// decline: the request itself if there are none.
func withValidOffers(r *http.Request) *http.Request {
	offers := splitExtensions(r.Header.Values(extensionsHeader))
	valid := slices.DeleteFunc(slices.Clone(offers), func(e string) bool { return !validDeflate(e, false) })
	if len(valid) == len(offers) {
		return r
	}
	copied := *r
	copied.Header = r.Header.Clone()
	copied.Header.Del(extensionsHeader)
	if len(valid) > 0 {
		copied.Header.Set(extensionsHeader, strings.Join(valid, ", "))
	}
	return &copied
}
