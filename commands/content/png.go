package content

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/waybill-migration/waybill/domain/rules"
)

// inspectPNG reads a PNG row by row, as a decoder would, without keeping the
// rows: its memory does not depend on the picture. What follows the last pixel
// is nobody's loss and is not asked for.
func inspectPNG(f *file, found *rules.Found) error {
	p := &pngReader{f: f, at: 8}
	if err := p.header(found); err != nil {
		return err
	}
	palette := false
	for {
		c, err := p.next()
		if err != nil {
			return err
		}
		switch c.kind {
		case "IDAT":
			if p.colour == 3 && !palette {
				return errors.New("its colours are of a palette that it does not have")
			}
			return p.pixels(c)
		case "pHYs":
			if err := p.density(c, found); err != nil {
				return err
			}
		case "PLTE":
			palette = true
			if err := p.verify(c); err != nil {
				return err
			}
		case "IEND":
			return errNoPixels
		default:
			if c.kind[0]&0x20 == 0 {
				return fmt.Errorf("it needs a chunk %q that no reader knows", c.kind)
			}
		}
	}
}

type pngReader struct {
	f             *file
	at            int64 // of the next chunk
	width, height int64
	depth, colour byte
	interlaced    bool
}

// chunk of a PNG: a kind of four letters, and where its data lies.
type chunk struct {
	kind       string
	at, length int64
}

func (p *pngReader) next() (chunk, error) {
	var head [8]byte
	if err := full(p.f, head[:], p.at, "a chunk's head"); err != nil {
		return chunk{}, err
	}
	c := chunk{kind: string(head[4:]), at: p.at + 8, length: int64(binary.BigEndian.Uint32(head[:]))}
	for _, letter := range head[4:] {
		if letter|0x20 < 'a' || letter|0x20 > 'z' {
			return chunk{}, fmt.Errorf("at %d there is no chunk", p.at)
		}
	}
	p.at = c.at + c.length + 4
	if p.at > p.f.size {
		return chunk{}, fmt.Errorf("it ends in the middle of a chunk %s", c.kind)
	}
	return c, nil
}

// verify compares a chunk's checksum.
func (p *pngReader) verify(c chunk) error {
	sum := crc32.NewIEEE()
	_, _ = io.WriteString(sum, c.kind) // a hash takes everything
	if _, err := io.Copy(sum, p.f.section(c.at, c.length)); err != nil {
		return err
	}
	return p.compare(c, sum)
}

func (p *pngReader) compare(c chunk, sum hash.Hash32) error {
	var stored [4]byte
	if err := full(p.f, stored[:], c.at+c.length, "a checksum"); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(stored[:]) != sum.Sum32() {
		return fmt.Errorf("its chunk %s at %d has another checksum than its bytes", c.kind, c.at-8)
	}
	return nil
}

// depths that a colour type may have.
var pngDepths = map[byte][]byte{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}

func (p *pngReader) header(found *rules.Found) error {
	c, err := p.next()
	if err != nil {
		return err
	}
	if c.kind != "IHDR" || c.length != 13 {
		return errors.New("it does not begin with its header")
	}
	if err := p.verify(c); err != nil {
		return err
	}
	var h [13]byte
	if err := full(p.f, h[:], c.at, "its header"); err != nil {
		return err
	}
	p.width, p.height = int64(binary.BigEndian.Uint32(h[0:])), int64(binary.BigEndian.Uint32(h[4:]))
	p.depth, p.colour, p.interlaced = h[8], h[9], h[12] == 1
	valid := false
	for _, depth := range pngDepths[p.colour] {
		valid = valid || depth == p.depth
	}
	if !valid || h[10] != 0 || h[11] != 0 || h[12] > 1 {
		return errors.New("its header names no kind of PNG")
	}
	return raster(found, p.width, p.height)
}

// density of pHYs: pixels a metre. An ancillary chunk that is damaged says nothing.
func (p *pngReader) density(c chunk, found *rules.Found) error {
	if c.length != 9 {
		return nil
	}
	var d [9]byte
	if err := full(p.f, d[:], c.at, "its density"); err != nil {
		return err
	}
	if d[8] == 1 {
		declare(found, float64(binary.BigEndian.Uint32(d[0:]))*perMetre, float64(binary.BigEndian.Uint32(d[4:]))*perMetre)
	}
	return nil
}

// passes of an interlaced PNG: where each begins and its steps.
var passes = [7][4]int64{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// rows of the picture, pass by pass: how many, and of how many bytes.
func (p *pngReader) rows() (rows [][2]int64, total int64) {
	bits := int64(p.depth) * map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[p.colour]
	all := [][4]int64{{0, 0, 1, 1}}
	if p.interlaced {
		all = passes[:]
	}
	for _, pass := range all {
		width, height := (p.width-pass[0]+pass[2]-1)/pass[2], (p.height-pass[1]+pass[3]-1)/pass[3]
		if width > 0 && height > 0 {
			bytes := (width*bits + 7) / 8
			rows = append(rows, [2]int64{height, bytes})
			total += height * (bytes + 1)
		}
	}
	return rows, total
}

// pixels decompresses each row of the picture. What would inflate to too much
// is checked by the checksums of what is compressed.
func (p *pngReader) pixels(first chunk) error {
	rows, total := p.rows()
	data := &pngData{p: p, chunk: first, sum: startOf(first)}
	if total > maxInflated {
		_, err := io.Copy(io.Discard, data)
		return err
	}
	inflated, err := zlib.NewReader(data)
	if err != nil {
		return fmt.Errorf("its pixels cannot be decompressed: %w", err)
	}
	buffered := bufio.NewReaderSize(inflated, 32<<10)
	for _, pass := range rows {
		for range pass[0] {
			filter, err := buffered.ReadByte()
			if err == nil && filter > 4 {
				return fmt.Errorf("a row has the filter %d, which there is not", filter)
			}
			if err == nil {
				_, err = io.CopyN(io.Discard, buffered, pass[1])
			}
			if err != nil {
				return fmt.Errorf("its pixels cannot be decompressed to their end: %w", err)
			}
		}
	}
	_, err = io.Copy(io.Discard, data) // compares the last checksums
	return err
}

// pngData is the content of successive IDAT chunks, whose checksums are
// compared as they are read.
type pngData struct {
	p     *pngReader
	chunk chunk
	read  int64 // of the chunk
	sum   hash.Hash32
}

func startOf(c chunk) hash.Hash32 {
	sum := crc32.NewIEEE()
	_, _ = io.WriteString(sum, c.kind)
	return sum
}

// Read implements io.Reader.
func (d *pngData) Read(p []byte) (int, error) {
	for d.read == d.chunk.length {
		if err := d.p.compare(d.chunk, d.sum); err != nil {
			return 0, err
		}
		if d.p.at == d.p.f.size { // no IEND
			return 0, io.EOF
		}
		c, err := d.p.next()
		if err != nil {
			return 0, err
		}
		if c.kind != "IDAT" {
			return 0, io.EOF
		}
		d.chunk, d.read, d.sum = c, 0, startOf(c)
	}
	n, err := d.p.f.ReadAt(p[:min(int64(len(p)), d.chunk.length-d.read)], d.chunk.at+d.read)
	_, _ = d.sum.Write(p[:n])
	d.read += int64(n)
	return n, err
}
