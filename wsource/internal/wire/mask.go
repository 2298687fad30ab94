package wire

import (
	"encoding/binary"
	"math/bits"
)

// mask masks or unmasks a part of a payload (RFC 6455, section 5.3) and returns the key for the part that
// follows. The first byte of the key is the lowest.
func mask(p []byte, key uint32) uint32 {
	wide := uint64(key)<<32 | uint64(key)
	for len(p) >= 32 {
		q := p[:32]
		binary.LittleEndian.PutUint64(q, binary.LittleEndian.Uint64(q)^wide)
		binary.LittleEndian.PutUint64(q[8:], binary.LittleEndian.Uint64(q[8:])^wide)
		binary.LittleEndian.PutUint64(q[16:], binary.LittleEndian.Uint64(q[16:])^wide)
		binary.LittleEndian.PutUint64(q[24:], binary.LittleEndian.Uint64(q[24:])^wide)
		p = p[32:]
	}
	for len(p) >= 4 {
		binary.LittleEndian.PutUint32(p, binary.LittleEndian.Uint32(p)^key)
		p = p[4:]
	}
	for i := range p {
		p[i] ^= byte(key) //nolint:gosec // the lowest byte is what is meant
		key = bits.RotateLeft32(key, -8)
	}
	return key
}
