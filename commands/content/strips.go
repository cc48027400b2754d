package content

import (
	"bufio"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"golang.org/x/image/ccitt"
	"golang.org/x/image/tiff/lzw"
)

// Compressions of a TIFF.
const (
	noCompression  = 1
	group4         = 4
	lzwCompression = 5
	oldJPEG        = 6
	deflate        = 8
	oldDeflate     = 32946
	noOldStyle     = 32771
	packBits       = 32773
)

// check that a strip's bytes are there and give all of its pixels.
//
// Group 3 faxes and their kin are not decoded: lines that were damaged on the
// wire are ordinary there, and viewers pass over them. JPEG, and what came
// later, is beyond this reader too. Of all these the bytes must be there.
func (p *picture) check(f *file, s strip, left *int64) error {
	if p.compression == noCompression || p.compression == noOldStyle {
		if p.subsampled {
			s.bytes = s.length
		}
		return within(f, s.at, s.bytes)
	}
	rows := p.decompressed(f, s)
	if rows == nil || p.subsampled || s.bytes > *left {
		return within(f, s.at, s.length)
	}
	*left -= s.bytes
	n, err := io.CopyN(io.Discard, rows, s.bytes)
	if err == nil {
		return checked(rows)
	}
	if p.compression == group4 && n > 0 && errors.Is(err, io.EOF) {
		return nil // it says itself that it ends here: a page that is shorter than was said
	}
	return fmt.Errorf("its pixels end after %d of %d bytes: %w", n, s.bytes, err)
}

// checked compares the checksum behind the pixels, where there is one: only
// deflate has. What else comes there is nobody's loss.
func checked(rows io.Reader) error {
	var more [1]byte
	if _, err := rows.Read(more[:]); errors.Is(err, zlib.ErrChecksum) {
		return fmt.Errorf("its pixels are damaged: %w", err)
	}
	return nil
}

func within(f *file, at, length int64) error {
	if at < 8 || length < 0 || at > f.size || length > f.size-at {
		return errors.New("it lies beyond the end of the file")
	}
	return nil
}

// decompressed gives a strip's pixels; nil when they are not decompressed.
func (p *picture) decompressed(f *file, s strip) io.Reader {
	data := f.section(s.at, s.length)
	switch p.compression {
	case group4:
		if p.bits != 1 || p.across > 1<<20 { // what the decoder takes
			return nil
		}
		order := ccitt.MSB
		if p.reversed {
			order = ccitt.LSB
		}
		// Without a height it stops where the data says that it ends.
		return ccitt.NewReader(data, order, ccitt.Group4, int(p.across), ccitt.AutoDetectHeight, nil)
	case lzwCompression:
		var b [2]byte
		if _, err := data.ReadAt(b[:], 0); err == nil && b[0] == 0 && b[1]&1 == 1 {
			return nil // the order of bits that libtiff had before 1990
		}
		return lzw.NewReader(data, lzw.MSB, 8)
	case deflate, oldDeflate:
		r, err := zlib.NewReader(data)
		if err != nil {
			return failing{err}
		}
		return r
	case packBits:
		return &packed{data: bufio.NewReader(data)}
	}
	return nil
}

// failing is a reader that has nothing but an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// packed decompresses PackBits: a length and as many bytes, or a negative
// length and a byte that is repeated.
type packed struct {
	data  *bufio.Reader
	left  int // of the run
	again bool
	value byte
}

// Read implements io.Reader.
func (r *packed) Read(p []byte) (int, error) {
	for r.left == 0 {
		c, err := r.data.ReadByte()
		if err != nil {
			return 0, err
		}
		switch n := int(int8(c)); {
		case n >= 0:
			r.left, r.again = n+1, false
		case n != -128:
			r.left, r.again = 1-n, true
			if r.value, err = r.data.ReadByte(); err != nil {
				return 0, err
			}
		}
	}
	n := min(len(p), r.left)
	if r.again {
		for i := range n {
			p[i] = r.value
		}
		r.left -= n
		return n, nil
	}
	n, err := r.data.Read(p[:n])
	r.left -= n
	return n, err
}
