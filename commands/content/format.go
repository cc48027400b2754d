// Package content looks at bytes: what format they are, and what digests they
// have. Declared names and types are not trusted.
package content

import (
	"archive/zip"
	"crypto/md5"  //nolint:gosec // sources declare MD5 and SHA-1; SHA-256 is computed beside them
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/emmansun/gmsm/sm3"
	"github.com/gabriel-vasile/mimetype"
)

// sniffed is how many bytes the sniffer looks at.
const sniffed = 3072

// maxDirectory bounds in bytes what is read of a ZIP to find OFD.xml: a
// document of thousands of pages has less, and a bomb no more than this.
const maxDirectory = 4 << 20

// Format of content, as the rules name it: pdf, ofd, xml, jpeg, png, tiff,
// bmp, heic, or another media subtype.
func Format(content io.ReaderAt, size int64) (string, error) {
	head := make([]byte, min(size, sniffed))
	if n, err := content.ReadAt(head, 0); err != nil && n < len(head) {
		return "", fmt.Errorf("look at the content: %w", err)
	}
	found := mimetype.Detect(head)
	for m := found; m != nil; m = m.Parent() {
		switch {
		case m.Is("application/zip") && isOFD(content, size):
			return "ofd", nil
		case m.Is("text/xml"):
			return "xml", nil
		}
	}
	media, _, _ := strings.Cut(found.String(), ";")
	_, subtype, _ := strings.Cut(media, "/")
	return strings.TrimPrefix(subtype, "x-"), nil
}

// isOFD looks into the central directory: OFD.xml is the first entry in only
// one of eight real files (GB/T 33190 names it at the root). No entry is opened.
func isOFD(content io.ReaderAt, size int64) bool {
	archive, err := zip.NewReader(&bounded{content: content, left: maxDirectory}, size)
	if err != nil {
		return false
	}
	for _, f := range archive.File {
		if strings.TrimPrefix(f.Name, "/") == "OFD.xml" {
			return true
		}
	}
	return false
}

// bounded ends after a number of bytes.
type bounded struct {
	content io.ReaderAt
	left    int
}

var errTooLong = errors.New("the directory is too long")

func (b *bounded) ReadAt(p []byte, at int64) (int, error) {
	if len(p) > b.left {
		return 0, errTooLong
	}
	n, err := b.content.ReadAt(p, at)
	b.left -= n
	return n, err
}

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
