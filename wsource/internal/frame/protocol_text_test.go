package frame_test

import (
	"fmt"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// The text with characters of two, three and four bytes, and a surrogate half behind it.
const (
	greek       = "κόσμε"
	mixed       = "Hello-µ@ßöäüàá-UTF-8!!"
	invalidText = greek + "\xED\xA0\x80edited"
)

// unicodeCases are section 6: text is UTF-8 (RFC 3629), in any pieces.
func unicodeCases() []protocolCase {
	var all []protocolCase
	add := func(id string, build func(b *builder)) { all = append(all, protocolCase{id, build}) }
	add("6.1.1", func(b *builder) { b.echo(1, nil) })
	add("6.1.2", func(b *builder) {
		b.send(raw{opcode: 1, open: true}, raw{open: true}, raw{})
		b.wants(messageEvent(1, nil))
	})
	add("6.1.3", func(b *builder) {
		b.send(raw{opcode: 1, open: true}, raw{open: true, payload: []byte("middle frame payload")}, raw{})
		b.wants(messageEvent(1, []byte("middle frame payload")))
	})
	in := func(id, text string, n int) {
		add(id, func(b *builder) {
			b.message(1, []byte(text), n)
			b.wants(messageEvent(1, []byte(text)))
		})
	}
	in("6.2.1", mixed, whole)
	in("6.2.2", mixed, 11)
	in("6.2.3", mixed, 1)
	in("6.2.4", greek, 1)
	for i, n := range []int{whole, 1} {
		add(fmt.Sprintf("6.3.%d", i+1), func(b *builder) {
			b.message(1, []byte(invalidText), n)
			b.fails(frame.CodeInvalidPayload)
		})
	}
	// Invalid text is found before the rest of it comes.
	for i, cut := range [][3]string{
		{greek, "\xF4\x90\x80\x80", "edited"}, {greek + "\xF4", "\x90", "\x80\x80edited"},
	} {
		add(fmt.Sprintf("6.4.%d", i+1), func(b *builder) {
			b.send(raw{opcode: 1, open: true, payload: []byte(cut[0])})
			b.pause()
			b.send(raw{open: true, payload: []byte(cut[1])})
			b.sends = append(b.sends, send{pause: true})
			b.send(raw{payload: []byte(cut[2])})
			b.fails(frame.CodeInvalidPayload)
			b.also = [][]event{{pause, pause, closeEvent(frame.CodeInvalidPayload), ended}}
		})
		add(fmt.Sprintf("6.4.%d", i+3), func(b *builder) {
			data := raw{opcode: 1, payload: []byte(cut[0] + cut[1] + cut[2])}.bytes(b.client)
			at := len(data) - len(cut[1]) - len(cut[2])
			b.sends = []send{
				{data: data[:at]}, {pause: true}, {data: data[at : at+len(cut[1])]}, {pause: true}, {data: data[at+len(cut[1]):]},
			}
			b.wants(pause)
			b.fails(frame.CodeInvalidPayload)
			b.also = [][]event{{pause, pause, closeEvent(frame.CodeInvalidPayload), ended}}
		})
	}
	for section, texts := range sequences() {
		for i, text := range texts.all {
			add(fmt.Sprintf("6.%d.%d", section+5, i+1), func(b *builder) {
				b.message(1, []byte(text), whole)
				if texts.valid {
					b.wants(messageEvent(1, []byte(text)))
				} else {
					b.fails(frame.CodeInvalidPayload)
				}
			})
		}
	}
	return all
}

type textGroup struct {
	valid bool
	all   []string
}

// sequences are texts, valid and not, section by section.
func sequences() []textGroup {
	short := func(lead byte, n int) string { // a lead and n bytes that go on
		return string(append([]byte{lead}, []byte("\xBF\xBF\xBF\xBF\xBF")[:n]...))
	}
	beginnings := func(text string) (valid, cut []string) {
		for i := range len(text) {
			if i+1 == len(text) || text[i+1]&0xC0 != 0x80 {
				valid = append(valid, text[:i+1])
			} else {
				cut = append(cut, text[:i+1])
			}
		}
		return valid, cut
	}
	valid, cut := beginnings(greek)
	var goingOn, leads2, leads3, leads4, leads5, missing, nonCharacters []string
	for n := 1; n <= 7; n++ {
		goingOn = append(goingOn, string([]byte("\x80\xBF\x80\xBF\x80\xBF\x80")[:n]))
	}
	all64 := make([]byte, 64)
	for i := range all64 {
		all64[i] = 0x80 + byte(i)
	}
	goingOn = append(goingOn, "\xBF", string(all64))
	for lead := range 0x40 {
		text := string([]byte{0xC0 + byte(lead), ' '})
		switch {
		case lead < 0x20:
			leads2 = append(leads2, text)
		case lead < 0x30:
			leads3 = append(leads3, text)
		case lead < 0x38:
			leads4 = append(leads4, text)
		default:
			leads5 = append(leads5, text)
		}
	}
	for _, text := range []string{
		"\xC0", "\xE0\x80", "\xF0\x80\x80", "\xF8\x80\x80\x80", "\xFC\x80\x80\x80\x80",
		short(0xDF, 0), short(0xEF, 1), short(0xF7, 2), short(0xFB, 3), short(0xFD, 4),
	} {
		missing = append(missing, text, text+text)
	}
	for plane := range rune(17) {
		nonCharacters = append(nonCharacters, string(plane<<16|0xFFFE), string(plane<<16|0xFFFF))
	}
	return []textGroup{
		{true, valid}, // 6.5
		{false, cut},
		{true, []string{"\x00", "\u0080", "\u0800", "\U00010000"}}, // 6.7: the first of each length
		{false, []string{"\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80"}},
		{true, []string{"\x7F", "\u07FF", "\uFFFF", "\U0010FFFF"}}, // 6.9: the last of each length
		{false, []string{"\xF7\xBF\xBF\xBF", "\xFB\xBF\xBF\xBF\xBF", "\xFD\xBF\xBF\xBF\xBF\xBF"}},
		{true, []string{"\uD7FF", "\uE000", "\uFFFD", "\U0010FFFF", "\U0010FFFE"}}, // 6.11: at limits
		{false, []string{"\xF4\x90\x80\x80"}},
		{false, goingOn}, // 6.13
		{false, leads2},
		{false, append(append(leads3, leads4...), leads5...)},
		{false, missing}, // 6.16
		{false, []string{"\xFE", "\xFF", "\xFE\xFE\xFF\xFF"}},
		{false, []string{"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xF8\x80\x80\x80\xAF", "\xFC\x80\x80\x80\x80\xAF"}}, // 6.18: overlong
		{false, []string{"\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xF8\x87\xBF\xBF\xBF", "\xFC\x83\xBF\xBF\xBF\xBF"}},
		{false, []string{"\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xF8\x80\x80\x80\x80", "\xFC\x80\x80\x80\x80\x80"}},
		{false, []string{ // 6.21: surrogates
			"\xED\xA0\x80", "\xED\xAD\xBF", "\xED\xAE\x80", "\xED\xAF\xBF", "\xED\xB0\x80", "\xED\xBE\x80", "\xED\xBF\xBF",
			"\xED\xA0\x80\xED\xB0\x80", "\xED\xA0\x80\xED\xBF\xBF", "\xED\xAD\xBF\xED\xB0\x80", "\xED\xAD\xBF\xED\xBF\xBF",
			"\xED\xAE\x80\xED\xB0\x80", "\xED\xAE\x80\xED\xBF\xBF", "\xED\xAF\xBF\xED\xB0\x80", "\xED\xAF\xBF\xED\xBF\xBF",
		}},
		{true, nonCharacters}, // 6.22
		{true, []string{"\uFFF9", "\uFFFA", "\uFFFB", "\uFFFC", "\uFFFD", "\uFDD0", "\uFDEF"}},
	}
}
