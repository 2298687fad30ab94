package frame

import "math/bits"

// Limits of the Huffman codes of deflate (RFC 1951, section 3.2).
const (
	maxCodeLength = 15
	maxSymbols    = 288
)

// fastBits is the length of the codes that one look into a table decodes.
const fastBits = 10

// huffman decodes one Huffman code. It finds codes of up to fastBits bits in a table, the
// few others by counting.
type huffman struct {
	// The symbols by the next bits: symbol<<4 | code length; 0 for a longer code.
	fast    [1 << fastBits]uint16
	count   [maxCodeLength + 1]uint16 // the number of codes by length
	symbols [maxSymbols]uint16        // the symbols in the order of their codes
}

// build makes the code in which symbol i has a code of lengths[i] bits, 0 for none. It
// returns false if there is no such code. A code that leaves bits unused is allowed if it
// has one symbol or none, as data of one byte value, or without distances, needs it.
func (h *huffman) build(lengths []uint8) bool {
	h.count = [maxCodeLength + 1]uint16{}
	for _, n := range lengths {
		h.count[n]++
	}
	h.count[0] = 0
	// By length: the next code, and the place of its symbol.
	var next, offset [maxCodeLength + 2]uint16
	left, used := 1, uint16(0)
	for n := 1; n <= maxCodeLength; n++ {
		left = left<<1 - int(h.count[n])
		if left < 0 {
			return false
		}
		next[n+1] = (next[n] + h.count[n]) << 1
		offset[n+1] = offset[n] + h.count[n]
		used += h.count[n]
	}
	if left > 0 && (used > 1 || used != h.count[1]) {
		return false
	}
	clear(h.fast[:])
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		h.symbols[offset[n]] = uint16(symbol)
		offset[n]++
		code := next[n]
		next[n]++
		if n > fastBits {
			continue
		}
		entry := uint16(symbol)<<4 | uint16(n)
		for i := int(bits.Reverse16(code << (16 - n))); i < len(h.fast); i += 1 << n {
			h.fast[i] = entry
		}
	}
	return true
}

// noCode is the length that decode returns if the bits do not begin with a code.
const noCode = 64

// decode returns the symbol that the bits begin with, and the length of its code.
func (h *huffman) decode(b uint64) (symbol int, length uint) {
	if e := h.fast[b&(1<<fastBits-1)]; e != 0 {
		return int(e >> 4), uint(e & 0xF)
	}
	code, first, index := 0, 0, 0
	for n := 1; n <= maxCodeLength; n++ {
		code |= int(b & 1)
		b >>= 1
		count := int(h.count[n])
		if code-first < count {
			return int(h.symbols[index+code-first]), uint(n)
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0, noCode
}
