package discovery

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Digest of a set of items, whatever their order: the sum, modulo 2^256 word
// by word, of the items' SHA-256. (A sum, since under XOR an item listed twice
// would vanish.) It compares two listings of the same source, which has no
// interest in forging a collision.
type Digest [4]uint64

// Add adds an item to the set.
func (d *Digest) Add(item Item) {
	sum := sha256.Sum256([]byte(item.Key + "\x00" + item.Content))
	for i := range d {
		d[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
}

// String is the digest in lower-case hex.
func (d Digest) String() string {
	var b [32]byte
	for i, word := range d {
		binary.BigEndian.PutUint64(b[8*i:], word)
	}
	return hex.EncodeToString(b[:])
}

// Short is the digest of a text as items carry it: 96 bits, since a page of a
// hundred items stands in one event, in which a collision within a slice of a
// million items has a chance of about 1 in 10^17.
func Short(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}
