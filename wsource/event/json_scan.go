package event

// These functions take JSON apart and check it in one pass. They accept the same texts as
// json.Valid. A function that skips something returns the index behind it, or -1 if it is
// not there.

// maxDepth is how deep objects and arrays may be nested, as in encoding/json.
const maxDepth = 10_000

// skipSpace returns the first index from i on without white space.
func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// at reports whether data has c at i.
func at(data []byte, i int, c byte) bool { return i < len(data) && data[i] == c }

// skipValue skips the value at i, which is in depth objects and arrays.
func skipValue(data []byte, i, depth int) int {
	if i >= len(data) || depth > maxDepth {
		return -1
	}
	switch data[i] {
	case '"':
		return skipString(data, i)
	case '{':
		return skipNested(data, i, depth, '}')
	case '[':
		return skipNested(data, i, depth, ']')
	case 't':
		return skipWord(data, i, "true")
	case 'f':
		return skipWord(data, i, "false")
	case 'n':
		return skipWord(data, i, "null")
	default:
		return skipNumber(data, i)
	}
}

// skipNested skips the object or array that begins at i and ends with end.
func skipNested(data []byte, i, depth int, end byte) int {
	if depth++; depth > maxDepth {
		return -1
	}
	if i = skipSpace(data, i+1); at(data, i, end) {
		return i + 1
	}
	for {
		if end == '}' {
			if i = skipColon(data, skipString(data, i)); i < 0 {
				return -1
			}
		}
		if i = skipValue(data, i, depth); i < 0 {
			return -1
		}
		i = skipSpace(data, i)
		if at(data, i, end) {
			return i + 1
		}
		if !at(data, i, ',') {
			return -1
		}
		i = skipSpace(data, i+1)
	}
}

// skipColon skips the colon behind a name that ends at i, and the white space around it.
// For an i of -1 it returns -1.
func skipColon(data []byte, i int) int {
	if i < 0 {
		return -1
	}
	if i = skipSpace(data, i); !at(data, i, ':') {
		return -1
	}
	return skipSpace(data, i+1)
}

// skipString skips the string at i.
func skipString(data []byte, i int) int {
	if !at(data, i, '"') {
		return -1
	}
	for i++; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return -1
		case c == '\\':
			if i = skipEscape(data, i+1) - 1; i < 0 {
				return -1
			}
		}
	}
	return -1
}

// skipEscape skips the part of an escape behind its backslash.
func skipEscape(data []byte, i int) int {
	if i >= len(data) {
		return -1
	}
	switch data[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		const digits = 4
		if i+digits >= len(data) {
			return -1
		}
		for _, c := range data[i+1 : i+1+digits] {
			if !digit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return -1
			}
		}
		return i + 1 + digits
	}
	return -1
}

// digit reports whether c is a decimal digit.
func digit(c byte) bool { return '0' <= c && c <= '9' }

// skipWord skips a word.
func skipWord(data []byte, i int, word string) int {
	end := i + len(word)
	if end > len(data) || string(data[i:end]) != word {
		return -1
	}
	return end
}

// skipNumber skips a number.
func skipNumber(data []byte, i int) int {
	if at(data, i, '-') {
		i++
	}
	if at(data, i, '0') {
		i++
	} else if i = skipDigits(data, i); i < 0 {
		return -1
	}
	if at(data, i, '.') {
		if i = skipDigits(data, i+1); i < 0 {
			return -1
		}
	}
	if at(data, i, 'e') || at(data, i, 'E') {
		if i++; at(data, i, '+') || at(data, i, '-') {
			i++
		}
		return skipDigits(data, i)
	}
	return i
}

// skipDigits skips one digit or more.
func skipDigits(data []byte, i int) int {
	from := i
	for i < len(data) && digit(data[i]) {
		i++
	}
	if i == from {
		return -1
	}
	return i
}
