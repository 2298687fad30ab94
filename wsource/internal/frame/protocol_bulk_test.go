package frame_test

import (
	"fmt"
	"slices"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// bulk are the sections 9 and 10: long messages, many fragments, many pieces, many
// messages.
func bulk() []protocolCase {
	var all []protocolCase
	add := func(id string, build func(b *builder)) { all = append(all, protocolCase{id, build}) }
	for k, opcode := range []byte{1, 2} {
		data := func(b *builder, n int) []byte {
			kind := "text"
			if opcode == 2 {
				kind = "noise"
			}
			return samples(n / b.scale)[kind]
		}
		for i, n := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20} {
			add(fmt.Sprintf("9.%d.%d", 1+k, i+1), func(b *builder) { b.echo(opcode, data(b, n)) })
		}
		for i, n := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20} {
			add(fmt.Sprintf("9.%d.%d", 3+k, i+1), func(b *builder) {
				d := data(b, 4<<20)
				b.message(opcode, d, n)
				b.atOnce()
				b.wants(messageEvent(opcode, d))
			})
		}
		for i, chop := range []int{64, 128, 256, 512, 1024, 2048} {
			add(fmt.Sprintf("9.%d.%d", 5+k, i+1), func(b *builder) {
				b.chop = chop
				b.echo(opcode, data(b, 1<<20))
			})
		}
		for i, n := range []int{0, 16, 64, 256, 1 << 10, 4 << 10} {
			add(fmt.Sprintf("9.%d.%d", 7+k, i+1), func(b *builder) {
				for range 1000 / b.scale {
					b.echo(opcode, samples(n)[map[byte]string{1: "json", 2: "noise"}[opcode]])
				}
			})
		}
	}
	add("10.1.1", func(b *builder) {
		b.message(1, filled(65536), 1300)
		b.wants(messageEvent(1, filled(65536)))
	})
	return all
}

// compressed are the sections 12 and 13: data of several kinds, in messages of all
// lengths up to a longest one, whole and in fragments. They differ in the negotiated
// compression.
func compressed(section string, longest int) []protocolCase {
	var all []protocolCase
	lengths := []int{16, 64, 256, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10}
	add := func(id, kind string, n, cut int) {
		if n > longest {
			return
		}
		all = append(all, protocolCase{id, func(b *builder) {
			opcode := byte(1)
			if kind == "noise" {
				opcode = 2
			}
			data := samples(max(n, 4<<10))[kind]
			b.skipped = b.packer == nil
			for i := range max(4, 100/b.scale) {
				message := data
				if at := 13 * i; opcode == 2 && at+n <= len(data) {
					message = data[at : at+n]
				} else if opcode == 1 {
					message = data[:n]
					// Not in the middle of a character.
					for n > 0 && message[len(message)-1] >= 0x80 {
						message = message[:len(message)-1]
					}
				}
				b.message(opcode, message, cut)
				b.wants(messageEvent(opcode, message))
			}
		}})
	}
	kinds := []string{"json", "noise", "text", "zeros", "letters"}
	if section != "12" {
		kinds = []string{"json"}
	}
	for k, kind := range kinds {
		prefix := section
		if section == "12" {
			prefix = fmt.Sprintf("12.%d", k+1)
		}
		for i, n := range lengths {
			add(fmt.Sprintf("%s.%d", prefix, i+1), kind, n, whole)
		}
		for i, n := range lengths[2:] {
			add(fmt.Sprintf("%s.%d", prefix, len(lengths)+i+1), kind, n, max(1, n/[]int{4, 3, 32, 32, 128, 64, 256, 500}[i]))
		}
	}
	return all
}

// localCases are the cases for two sides that both are this package, for one negotiated
// compression.
func localCases(negotiated frame.Params) []protocolCase {
	all := slices.Concat(framing(), fragmentation(), unicodeCases(), closing(), bulk())
	if negotiated.Enabled {
		all = append(all, compressed("12", 32<<10)...)
	}
	return all
}

// localWishes are the cases of one wish of section 13, for two sides that both are this
// package.
func localWishes(wish int) []protocolCase { return compressed(fmt.Sprint("13.", wish+1), 8<<10) }

// wishes are the compressions that section 13 negotiates.
func wishes() []frame.Params {
	return []frame.Params{
		params(true, 15, true, 15), params(false, 15, false, 15), params(true, 9, true, 9), params(true, 15, false, 15),
		params(false, 9, true, 15), params(false, 15, true, 12), params(false, 8, false, 8),
	}
}
