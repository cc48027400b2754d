package content

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
)

// isOFD looks into the central directory: OFD.xml is the first entry in only
// one of eight real files (GB/T 33190 names it at the root). No entry is opened.
func isOFD(content io.ReaderAt, size int64) bool {
	archive, err := openZIP(content, size)
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

// openZIP reads the directory of a ZIP, of bounded size.
func openZIP(content io.ReaderAt, size int64) (*zip.Reader, error) {
	entries, err := statedEntries(content, size)
	if err != nil {
		return nil, err
	}
	if entries > maxEntries {
		return nil, overBound("entries of a ZIP", maxEntries)
	}
	directory := &bounded{content: content, left: maxDirectory}
	archive, err := zip.NewReader(directory, size)
	if err != nil {
		return nil, err
	}
	directory.left = math.MaxInt
	return archive, nil
}

// statedEntries is how many entries a ZIP says it has. archive/zip reserves
// memory for what a ZIP64 states, up to a gigabyte of pointers for a file of
// four gigabytes, before it has seen one of them.
func statedEntries(content io.ReaderAt, size int64) (uint64, error) {
	const endLength, locatorLength, longest = 22, 20, 65 << 10
	tail := make([]byte, min(size, longest))
	if _, err := content.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	end := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if end < 0 || end+endLength > len(tail) {
		return 0, errors.New("it has no directory: it is cut off, or no ZIP")
	}
	little := binary.LittleEndian
	entries := uint64(little.Uint16(tail[end+10:]))
	if end < locatorLength || !bytes.HasPrefix(tail[end-locatorLength:], []byte("PK\x06\x07")) {
		return entries, nil
	}
	var b [40]byte
	at := int64(little.Uint64(tail[end-locatorLength+8:]))
	if err := full(content, b[:], at, "its directory"); err != nil {
		return 0, err
	}
	return max(entries, little.Uint64(b[32:])), nil
}

// bounded ends after a number of bytes.
type bounded struct {
	content io.ReaderAt
	left    int
}

// ReadAt implements io.ReaderAt.
func (b *bounded) ReadAt(p []byte, at int64) (int, error) {
	if len(p) > b.left {
		return 0, overBound("bytes of a ZIP's directory", maxDirectory)
	}
	n, err := b.content.ReadAt(p, at)
	b.left -= n
	return n, err
}
