package content

import (
	"crypto/md5"  //nolint:gosec // sources declare MD5 and SHA-1; SHA-256 is computed beside them
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/emmansun/gmsm/sm3"
)

// Digests computes SHA-256 and the algorithm that a source declares.
type Digests struct {
	algorithm string
	sha256    hash.Hash
	declared  hash.Hash // nil when it is SHA-256 itself, or none
	writer    io.Writer
}

// NewDigests makes an empty one. An algorithm is md5, sha1, sha256, sm3 or "".
func NewDigests(algorithm string) (*Digests, error) {
	d := &Digests{algorithm: algorithm, sha256: sha256.New()}
	switch algorithm {
	case "", "sha256":
	case "md5":
		d.declared = md5.New() //nolint:gosec // as declared
	case "sha1":
		d.declared = sha1.New() //nolint:gosec // as declared
	case "sm3":
		d.declared = sm3.New()
	default:
		return nil, fmt.Errorf("hash algorithm %q is not one of md5, sha1, sha256, sm3", algorithm)
	}
	d.writer = d.sha256
	if d.declared != nil {
		d.writer = io.MultiWriter(d.sha256, d.declared)
	}
	return d, nil
}

// Write implements io.Writer.
func (d *Digests) Write(p []byte) (int, error) { return d.writer.Write(p) }

// SHA256 in lower-case hex.
func (d *Digests) SHA256() string { return hex.EncodeToString(d.sha256.Sum(nil)) }

// Declared is the digest by the declared algorithm; empty when there is none.
func (d *Digests) Declared() string {
	switch {
	case d.declared != nil:
		return hex.EncodeToString(d.declared.Sum(nil))
	case d.algorithm == "sha256":
		return d.SHA256()
	}
	return ""
}

// All digests by algorithm.
func (d *Digests) All() map[string]string {
	all := map[string]string{"sha256": d.SHA256()}
	if d.declared != nil {
		all[d.algorithm] = d.Declared()
	}
	return all
}
