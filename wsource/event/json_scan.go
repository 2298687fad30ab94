package event

// What takes valid JSON apart.

// skipSpace returns data from its first byte on that is no white space.
func skipSpace(data []byte) []byte {
	for i, c := range data {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return data[i:]
		}
	}
	return nil
}

// cut returns the JSON value with which data begins, and what follows it.
func cut(data []byte) (value, rest []byte) {
	i := 0
	switch data[0] {
	case '"':
		i = endOfString(data, 0)
	case '{', '[':
		i = endOfNested(data)
	default: // a number, or a word
		for i < len(data) && !ends(data[i]) {
			i++
		}
	}
	return data[:i:i], data[i:]
}

// endOfString returns the index behind the string that begins at i.
func endOfString(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// endOfNested returns the index behind the object or array with which data begins.
func endOfNested(data []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch data[i] {
		case '"':
			i = endOfString(data, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// ends reports whether c is not part of a number or word.
func ends(c byte) bool {
	switch c {
	case ',', '}', ']', ':', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}
