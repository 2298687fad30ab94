package frame

import "strings"

// extension is an element of an extensions header (RFC 6455, section 9.1).
type extension struct {
	name       string
	parameters []parameter
	problem    string // the reason for which it cannot be read; "" if it can
}

// parameter is a parameter of an extension.
type parameter struct {
	name, value string
	hasValue    bool
}

// parseExtensions returns the elements of the values of an extensions header. An element
// that breaks the grammar is there with its problem, and spoils no other.
func parseExtensions(values []string) []extension {
	var list []extension
	for _, value := range values {
		for p := (parser{rest: value}); p.rest != ""; {
			if p.skip(); p.accept(',') || p.rest == "" {
				continue // an empty element (RFC 9110, section 5.6.1)
			}
			list = append(list, p.extension())
		}
	}
	return list
}

// parser reads a header's value.
type parser struct {
	rest    string
	problem string
}

// extension reads an element, up to the comma behind it.
func (p *parser) extension() extension {
	p.problem = ""
	e := extension{name: p.token()}
	for p.accept(';') {
		param := parameter{name: p.token()}
		if p.accept('=') {
			param.hasValue = true
			param.value = p.value()
		}
		e.parameters = append(e.parameters, param)
	}
	if p.rest != "" && p.rest[0] != ',' {
		p.fail("a separator is missing")
	}
	e.problem = p.problem
	p.skipElement()
	return e
}

// skip goes over optional white space.
func (p *parser) skip() { p.rest = strings.TrimLeft(p.rest, " \t") }

// accept goes over a separator, and the white space around it, if it is next.
func (p *parser) accept(separator byte) bool {
	p.skip()
	if p.rest == "" || p.rest[0] != separator {
		return false
	}
	p.rest = p.rest[1:]
	p.skip()
	return true
}

func (p *parser) fail(problem string) {
	if p.problem == "" {
		p.problem = problem
	}
}

// token reads a token (RFC 9110, section 5.6.2).
func (p *parser) token() string {
	n := 0
	for n < len(p.rest) && isTokenByte(p.rest[n]) {
		n++
	}
	token := p.rest[:n]
	p.rest = p.rest[n:]
	if n == 0 {
		p.fail("a name or a value is missing")
	}
	p.skip()
	return token
}

// value reads a token, or a quoted one (RFC 6455, section 9.1; RFC 9110, section 5.6.4).
func (p *parser) value() string {
	if p.rest == "" || p.rest[0] != '"' {
		return p.token()
	}
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			p.skip()
			if b.Len() == 0 {
				p.fail("a value is empty")
			}
			return b.String()
		case c == '\\' && i+1 < len(p.rest):
			i++
			c = p.rest[i]
			fallthrough
		default:
			if !isTokenByte(c) {
				p.fail("a value in quotes is not a token")
			}
			b.WriteByte(p.rest[i])
		}
	}
	p.rest = ""
	p.fail("a quote has no end")
	return b.String()
}

// skipElement goes to the next comma that is not in quotes.
func (p *parser) skipElement() {
	quoted := false
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			p.rest = p.rest[i:]
			return
		}
	}
	p.rest = ""
}

// isTokenByte reports whether a token may have the byte (RFC 9110, section 5.6.2).
func isTokenByte(c byte) bool {
	return c > ' ' && c < 0x7F && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, rune(c))
}
