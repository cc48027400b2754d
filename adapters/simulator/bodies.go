package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // the vendor's signature and hash
	"crypto/sha1" //nolint:gosec // a hash that a source may declare
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/emmansun/gmsm/sm3"
)

var hashes = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sm3": sm3.New}

// signatures of a token request, by algorithm.
var signatures = map[string]func(text, secret string) []byte{
	"md5":    func(text, _ string) []byte { return digest(md5.New(), text) }, //nolint:gosec // the vendor's
	"sha256": func(text, _ string) []byte { return digest(sha256.New(), text) },
	"hmac-sha256": func(text, secret string) []byte {
		return digest(hmac.New(sha256.New, []byte(secret)), text)
	},
}

func digest(h hash.Hash, text string) []byte {
	_, _ = io.WriteString(h, text) // a hash takes everything
	return h.Sum(nil)
}

// noise fills files up to their size; it does not compress.
var noise = sync.OnceValue(func() []byte {
	b := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
})

var hexNoise = sync.OnceValue(func() []byte { return hex.AppendEncode(nil, noise()) })

// body is a file's bytes, in parts. Most of a file is noise, which all share:
// a data set costs little memory however large it is, so that every file is
// made once and served from memory.
type body struct {
	parts [][]byte
	size  int
}

func (b *body) add(part []byte) {
	b.parts = append(b.parts, part)
	b.size += len(part)
}

// Write copies, as an io.Writer must.
func (b *body) Write(p []byte) (int, error) {
	b.add(bytes.Clone(p))
	return len(p), nil
}

// fill adds n bytes of a noise, from a place of it.
func (b *body) fill(noise []byte, place, n int) {
	start := place % (len(noise) / 2)
	for n > 0 {
		part := noise[start : start+min(n, len(noise)/2)]
		b.add(part)
		n -= len(part)
	}
}

// crc of the parts from one on.
func (b *body) crc(from int) uint32 {
	var sum uint32
	for _, part := range b.parts[from:] {
		sum = crc32.Update(sum, crc32.IEEETable, part)
	}
	return sum
}

// write writes the bytes from one place to another.
func (b *body) write(w io.Writer, from, to int) error {
	at := 0
	for _, part := range b.parts {
		start, end := max(from-at, 0), min(to-at, len(part))
		if start < end {
			if _, err := w.Write(part[start:end]); err != nil {
				return err
			}
		}
		at += len(part)
	}
	return nil
}

func (b *body) sum(h hash.Hash) string {
	_ = b.write(h, 0, b.size) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}

// made is a file as it is served.
type made struct {
	body
	hash, sha256 string
}

// madeOnce are a document's files, made when first asked for.
type madeOnce struct {
	once  sync.Once
	files []made
}

func (s *Simulator) made(i int) []made {
	m := &s.bodies[i]
	m.once.Do(func() {
		m.files = make([]made, len(s.records[i].files))
		for n, f := range s.records[i].files {
			b := content(s.config.Seed, i, f)
			m.files[n] = made{body: b, hash: b.sum(hashes[s.config.HashAlgorithm]()), sha256: b.sum(sha256.New())}
		}
	})
	return m.files
}
