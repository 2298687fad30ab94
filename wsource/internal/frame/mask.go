package frame

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// Mask masks or unmasks a part of a payload in place (RFC 6455, section 5.3) and returns
// the key for the part that follows. The first byte of the key is the lowest.
func Mask(p []byte, key uint32) uint32 {
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
		p[i] ^= byte(key) //nolint:gosec // the lowest byte is meant
		key = bits.RotateLeft32(key, -8)
	}
	return key
}

// Keys is a supply of masking keys that cannot be foreseen (RFC 6455, section 10.3). They
// come from crypto/rand 256 bytes at a time, as four bytes cost nearly as much there.
// Each is used once. The zero value is ready; one goroutine at a time may use it.
type Keys struct {
	bytes [256]byte
	left  int // the bytes at the end that were never used
}

// next returns a key that was not used before.
func (k *Keys) next() uint32 {
	if k.left == 0 {
		_, _ = rand.Read(k.bytes[:]) // never fails, as its documentation says
		k.left = len(k.bytes)
	}
	key := binary.LittleEndian.Uint32(k.bytes[len(k.bytes)-k.left:])
	k.left -= 4
	return key
}
