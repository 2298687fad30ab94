package event

import "strconv"

// The data of many events is a text, a whole number, a truth value or nothing. Package
// encoding/json needs reflection, two passes and memory of its own for these; the
// functions below do not. They have the same results, or report that they have none.

// appendPlain appends a value to data as JSON. It reports false if encoding/json has to
// write the value.
func appendPlain(data []byte, value any) ([]byte, bool) {
	switch v := value.(type) {
	case string:
		if !plainText(v) {
			return data, false
		}
		return append(append(append(data, '"'), v...), '"'), true
	case int:
		return strconv.AppendInt(data, int64(v), 10), true
	case int64:
		return strconv.AppendInt(data, v, 10), true
	case bool:
		return strconv.AppendBool(data, v), true
	case struct{}:
		return append(data, "{}"...), true
	}
	return data, false
}

// parsePlain stores the value of JSON where to points to. It reports false if
// encoding/json has to read the JSON.
func parsePlain(data []byte, to any) bool {
	switch to := to.(type) {
	case *string:
		last := len(data) - 1
		if last < 1 || data[0] != '"' || data[last] != '"' || !plainText(data[1:last]) {
			return false
		}
		*to = string(data[1:last])
	case *int:
		n, ok := plainInt(data)
		if !ok || int64(int(n)) != n {
			return false
		}
		*to = int(n)
	case *int64:
		n, ok := plainInt(data)
		if !ok {
			return false
		}
		*to = n
	case *bool:
		if word := string(data); word != "true" && word != "false" {
			return false
		}
		*to = data[0] == 't'
	case *struct{}:
		return string(data) == "{}"
	default:
		return false
	}
	return true
}

// plainText reports whether text stands as it is between the quotes of a JSON string, as
// encoding/json writes it.
func plainText[T string | []byte](text T) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

// plainInt returns a whole number of at most 18 digits, which no int64 is too small for.
// It returns false if data is none, or is not written as encoding/json writes it.
func plainInt(data []byte) (n int64, ok bool) {
	digits := data
	if at(data, 0, '-') {
		digits = data[1:]
	}
	if len(digits) == 0 || len(digits) > 18 || digits[0] == '0' && len(data) > 1 {
		return 0, false
	}
	for _, c := range digits {
		if !digit(c) {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if len(digits) < len(data) {
		n = -n
	}
	return n, true
}
