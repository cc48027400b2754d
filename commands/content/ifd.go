package content

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/waybill-migration/waybill/domain/rules"
)

// tiffFile is the frame of a TIFF, which Exif is too: a byte order and the
// offset of its first directory. BigTIFF has the same with longer offsets.
type tiffFile struct {
	content io.ReaderAt
	size    int64
	order   binary.ByteOrder
	big     bool
	first   int64
}

func openTIFF(content io.ReaderAt, size int64) (*tiffFile, error) {
	t := &tiffFile{content: content, size: size, order: binary.LittleEndian}
	var b [16]byte
	if err := full(content, b[:8], 0, "its header"); err != nil {
		return nil, err
	}
	if string(b[:2]) == "MM" {
		t.order = binary.BigEndian
	} else if string(b[:2]) != "II" {
		return nil, errors.New("it names no byte order")
	}
	switch t.order.Uint16(b[2:]) {
	case 42:
		t.first = int64(t.order.Uint32(b[4:]))
	case 43:
		if err := full(content, b[:], 0, "its header"); err != nil {
			return nil, err
		}
		t.big, t.first = true, int64(t.order.Uint64(b[8:]))
	default:
		return nil, errors.New("its version is not one of TIFF")
	}
	return t, nil
}

// directory of one picture: the fields that are asked for, and where the next lies.
type directory struct {
	t      *tiffFile
	fields map[uint16]field
	next   int64
}

// field of a directory; its values are read when they are asked for.
type field struct {
	kind  uint16
	count uint64
	at    int64 // of the values
}

// Fields that are read.
const (
	tagKind         = 254
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagFillOrder    = 266
	tagOffsets      = 273
	tagSamples      = 277
	tagRows         = 278
	tagCounts       = 279
	tagAcross       = 282
	tagDown         = 283
	tagPlanar       = 284
	tagUnit         = 296
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTileOffsets  = 324
	tagTileCounts   = 325
	kindReduced     = 1 // bit of tagKind: a smaller picture of another one
	planarSeparate  = 2
	unitCentimetre  = 3
	unitNone        = 1
	photometricYCbC = 6
)

// sizes in bytes of the kinds of values.
var kindSizes = map[uint16]int64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

func (t *tiffFile) directory(at int64) (*directory, error) {
	d := &directory{t: t, fields: map[uint16]field{}}
	counted, entry, word := int64(2), int64(12), int64(4)
	if t.big {
		counted, entry, word = 8, 20, 8
	}
	var b [20]byte
	if err := full(t.content, b[:counted], at, "a directory"); err != nil {
		return nil, err
	}
	count := int64(t.order.Uint16(b[:]))
	if t.big {
		if t.order.Uint64(b[:]) > 0xffff {
			return nil, errors.New("a directory has more entries than there are tags")
		}
		count = int64(t.order.Uint64(b[:]))
	}
	entries := make([]byte, count*entry+word)
	if err := full(t.content, entries, at+counted, "a directory"); err != nil {
		return nil, err
	}
	for i := range count {
		e := entries[i*entry : (i+1)*entry]
		f := field{kind: t.order.Uint16(e[2:]), count: t.word(e[4:]), at: at + counted + i*entry + 4 + word}
		if size := kindSizes[f.kind]; size == 0 || f.count > uint64(word/size) {
			f.at = int64(t.word(e[4+word:]))
		}
		if tag := t.order.Uint16(e); d.fields[tag].kind == 0 {
			d.fields[tag] = f
		}
	}
	d.next = int64(t.word(entries[count*entry:]))
	return d, nil
}

// word is a count or an offset.
func (t *tiffFile) word(b []byte) uint64 {
	if t.big {
		return t.order.Uint64(b)
	}
	return uint64(t.order.Uint32(b))
}

// number is the first value of a field, or what it is when the field is missing.
func (d *directory) number(tag uint16, missing int64) (int64, error) {
	for value, err := range d.numbers(tag) {
		return value, err
	}
	return missing, nil
}

// numbers are the values of a field of whole numbers.
func (d *directory) numbers(tag uint16) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		f := d.fields[tag]
		size := kindSizes[f.kind]
		if f.kind == 0 {
			return
		}
		if f.kind != 1 && f.kind != 3 && f.kind != 4 && f.kind != 13 && f.kind != 16 && f.kind != 18 {
			yield(0, fmt.Errorf("its field %d is of a kind that it cannot have", tag))
			return
		}
		var buffer [1024]byte
		for at, left := f.at, f.count; left > 0; {
			n := min(left, uint64(int64(len(buffer))/size))
			chunk := buffer[:int64(n)*size]
			if err := full(d.t.content, chunk, at, fmt.Sprintf("its field %d", tag)); err != nil {
				yield(0, err)
				return
			}
			for i := int64(0); i < int64(len(chunk)); i += size {
				if !yield(d.value(chunk[i:i+size]), nil) {
					return
				}
			}
			at, left = at+int64(len(chunk)), left-n
		}
	}
}

func (d *directory) value(b []byte) int64 {
	switch len(b) {
	case 1:
		return int64(b[0])
	case 2:
		return int64(d.t.order.Uint16(b))
	case 4:
		return int64(d.t.order.Uint32(b))
	}
	return int64(d.t.order.Uint64(b))
}

// rational is the first value of a field of fractions; 0 when it has none.
func (d *directory) rational(tag uint16) (float64, error) {
	f := d.fields[tag]
	if f.kind != 5 || f.count == 0 {
		return 0, nil
	}
	var b [8]byte
	if err := full(d.t.content, b[:], f.at, fmt.Sprintf("its field %d", tag)); err != nil {
		return 0, err
	}
	if under := d.t.order.Uint32(b[4:]); under != 0 {
		return float64(d.t.order.Uint32(b[:])) / float64(under), nil
	}
	return 0, nil
}

// density that the picture declares, in dots an inch when it names no unit.
func (d *directory) density(found *rules.Found) error {
	unit, err := d.number(tagUnit, 2)
	if err != nil {
		return err
	}
	if unit == unitNone {
		return nil
	}
	scale := 1.0
	if unit == unitCentimetre {
		scale = perCentimetre
	}
	for _, tag := range []uint16{tagAcross, tagDown} {
		value, err := d.rational(tag)
		if err != nil {
			return err
		}
		declare(found, value*scale)
	}
	return nil
}
