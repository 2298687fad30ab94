package frame

// The symbols of a compressed block (RFC 1951, section 3.2.5), and limits of their
// number.
const (
	endOfBlock   = 256
	firstLength  = 257
	lastLength   = 285 // stands for the longest match alone
	maxLits      = 286
	maxDistances = 30
)

// codes decodes the symbols of a compressed block.
func (f *inflater) codes() error {
	for f.at <= len(f.out)-maxMatch {
		f.top()
		b, n := f.bits, f.n
		symbol, size := f.lit.decode(b)
		if size > n {
			if err := f.short(); err != nil {
				return err
			}
			continue
		}
		b, n = b>>size, n-size
		switch {
		case symbol < endOfBlock:
			f.out[f.at] = byte(symbol) //nolint:gosec // less than 256
			f.at++
			f.bits, f.n = b, n
			continue
		case symbol == endOfBlock:
			f.bits, f.n = b, n
			f.endBlock()
			return nil
		case symbol > lastLength:
			return f.corrupt()
		}
		base, extra := lengthOf(symbol)
		length := base + int(b&(1<<extra-1)) //nolint:gosec // at most 5 bits
		if extra > n {
			if err := f.short(); err != nil {
				return err
			}
			continue
		}
		b, n = b>>extra, n-extra
		symbol, size = f.dist.decode(b)
		if size > n {
			if err := f.short(); err != nil {
				return err
			}
			continue
		}
		b, n = b>>size, n-size
		if symbol >= maxDistances {
			return f.corrupt()
		}
		base, extra = distanceOf(symbol)
		distance := base + int(b&(1<<extra-1)) //nolint:gosec // at most 13 bits
		if extra > n {
			if err := f.short(); err != nil {
				return err
			}
			continue
		}
		if distance > f.at {
			return f.corrupt()
		}
		f.bits, f.n = b>>extra, n-extra
		f.repeat(distance, length)
	}
	return errPending
}

// short gets more input for a symbol that has come in part, or finds that its code does
// not exist.
func (f *inflater) short() error {
	if len(f.part) > 0 { // there were 48 bits, and no symbol needs more
		return f.corrupt()
	}
	return f.more(false)
}

// repeat appends length bytes from that distance back.
func (f *inflater) repeat(distance, length int) {
	from, end := f.at-distance, f.at+length
	for f.at < end {
		f.at += copy(f.out[f.at:end], f.out[from:f.at])
	}
}

// lengthOf returns the shortest length that a symbol stands for, and the number of bits
// that follow to be added.
func lengthOf(symbol int) (base int, extra uint) {
	i := symbol - firstLength
	switch {
	case symbol == lastLength:
		return maxMatch, 0
	case i < 8:
		return 3 + i, 0
	}
	extra = uint(i>>2) - 1
	return 3 + (4+i&3)<<extra, extra
}

// distanceOf returns the same for a distance.
func distanceOf(symbol int) (base int, extra uint) {
	if symbol < 4 {
		return 1 + symbol, 0
	}
	extra = uint(symbol>>1) - 1
	return 1 + (2+symbol&1)<<extra, extra
}

// lengthOrder is the order in which a block tells the lengths of the codes for code
// lengths.
var lengthOrder = [...]byte{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// ownCodes reads the codes of a block that has its own (RFC 1951, section 3.2.7).
func (f *inflater) ownCodes() error {
	if err := f.need(14, true); err != nil {
		return err
	}
	lits, distances, count := firstLength+f.drop(5), 1+f.drop(5), 4+f.drop(4)
	if lits > maxLits || distances > maxDistances {
		return f.corrupt()
	}
	clear(f.lengths[:len(lengthOrder)])
	for _, symbol := range lengthOrder[:count] {
		if err := f.need(3, true); err != nil {
			return err
		}
		f.lengths[symbol] = uint8(f.drop(3)) //nolint:gosec // 3 bits
	}
	if !f.ownDist.build(f.lengths[:len(lengthOrder)]) {
		return f.corrupt()
	}
	if err := f.codeLengths(f.lengths[:lits+distances]); err != nil {
		return err
	}
	if f.lengths[endOfBlock] == 0 || !f.ownLit.build(f.lengths[:lits]) ||
		!f.ownDist.build(f.lengths[lits:lits+distances]) {
		return f.corrupt()
	}
	return nil
}

// codeLengths reads the lengths of the codes, in the code that ownDist holds for them.
func (f *inflater) codeLengths(lengths []uint8) error {
	for i := 0; i < len(lengths); {
		var symbol int
		var size uint
		for {
			f.top()
			if symbol, size = f.ownDist.decode(f.bits); size <= f.n {
				break
			}
			if len(f.part) > 0 || f.n >= 7 { // the longest of these codes
				return f.corrupt()
			}
			if err := f.more(true); err != nil {
				return err
			}
		}
		f.drop(size)
		if symbol < 16 {
			lengths[i] = uint8(symbol) //nolint:gosec // less than 16
			i++
			continue
		}
		value, times, extra := uint8(0), 3, uint(3)
		switch {
		case symbol == 16 && i == 0:
			return f.corrupt()
		case symbol == 16:
			value, extra = lengths[i-1], 2
		case symbol == 18:
			times, extra = 11, 7
		}
		if err := f.need(extra, true); err != nil {
			return err
		}
		if times += f.drop(extra); times > len(lengths)-i {
			return f.corrupt()
		}
		for range times {
			lengths[i] = value
			i++
		}
	}
	return nil
}
