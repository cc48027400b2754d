package content_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"

	"golang.org/x/image/bmp"
)

// page is a picture with something on it.
func page(width, height int) *image.Gray {
	p := image.NewGray(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			p.SetGray(x, y, color.Gray{Y: uint8(x*y) ^ uint8(x)})
		}
	}
	return p
}

func colours() color.Palette { return color.Palette{color.Black, color.White, color.Gray{Y: 90}} }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

const pngHead = 8 + 25 // signature and IHDR

// makePNG has further chunks behind its header.
func makePNG(picture image.Image, chunks ...[]byte) []byte {
	var b bytes.Buffer
	must(0, png.Encode(&b, picture))
	return slices.Concat(b.Bytes()[:pngHead], slices.Concat(chunks...), b.Bytes()[pngHead:])
}

func pngChunk(kind string, data []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	chunk = append(append(chunk, kind...), data...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

func pHYs(x, y uint32, unit byte) []byte {
	return pngChunk("pHYs", append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, x), y), unit))
}

// rawPNG has a header and pixels as they are given, right or wrong.
func rawPNG(width, height uint32, depth, colour, interlace byte, pixels []byte) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	header = append(header, depth, colour, 0, 0, interlace)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), pngChunk("IDAT", deflated(pixels)), pngChunk("IEND", nil))
}

// interlacedPNG is a white square of 8 by 8 in seven passes.
func interlacedPNG() []byte {
	var pixels []byte
	for _, pass := range [][2]int{{1, 1}, {1, 1}, {2, 1}, {2, 2}, {4, 2}, {4, 4}, {8, 4}} {
		for range pass[1] {
			pixels = append(pixels, 0)
			pixels = append(pixels, bytes.Repeat([]byte{0xff}, pass[0])...)
		}
	}
	return rawPNG(8, 8, 8, 0, 1, pixels)
}

func deflated(content []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	must(w.Write(content))
	must(0, w.Close())
	return b.Bytes()
}

// zeros compresses n zeros, without holding them.
func zeros(n int64) []byte {
	var b bytes.Buffer
	w := must(zlib.NewWriterLevel(&b, zlib.BestSpeed))
	for block := make([]byte, 1<<20); n > 0; n -= int64(len(block)) {
		must(w.Write(block[:min(n, int64(len(block)))]))
	}
	must(0, w.Close())
	return b.Bytes()
}

// makeJPEG has further segments behind its first mark.
func makeJPEG(picture image.Image, segments ...[]byte) []byte {
	var b bytes.Buffer
	must(0, jpeg.Encode(&b, picture, nil))
	return slices.Concat(b.Bytes()[:2], slices.Concat(segments...), b.Bytes()[2:])
}

func jpegSegment(mark byte, data ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, mark}, uint16(len(data)+2)), data...)
}

func jfif(unit byte, x, y uint16) []byte {
	data := append([]byte("JFIF\x00\x01\x02"), unit)
	return jpegSegment(0xe0, append(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(data, x), y), 0, 0)...)
}

func exif(order binary.AppendByteOrder, fields ...tag) []byte {
	return jpegSegment(0xe1, append([]byte("Exif\x00\x00"), makeTIFF(order, tiffPage{tags: fields})...)...)
}

// tag of a TIFF: a number, a kind and values. Fractions have two numbers each.
type tag struct {
	id, kind uint16
	values   []uint32
}

func short(id uint16, values ...uint32) tag    { return tag{id, 3, values} }
func long(id uint16, values ...uint32) tag     { return tag{id, 4, values} }
func fraction(id uint16, values ...uint32) tag { return tag{id, 5, values} }

// density tags of a picture.
func density(x, y uint32, unit uint32) []tag {
	return []tag{fraction(282, x, 1), fraction(283, y, 1), short(296, unit)}
}

// tiffPage is one directory; its strips' places and lengths are put in.
type tiffPage struct {
	tags   []tag
	strips [][]byte
	next   uint32 // of the next directory, where it is not the following
}

// greyPage is uncompressed, in two strips.
func greyPage(width, height uint32, more ...tag) tiffPage {
	half := (height + 1) / 2
	return tiffPage{
		tags:   append([]tag{long(256, width), long(257, height), short(258, 8), short(259, 1), short(262, 1), short(277, 1), long(278, half)}, more...),
		strips: [][]byte{make([]byte, width*half), make([]byte, width*(height-half))},
	}
}

// blackWhite is a page of one strip of one bit a pixel.
func blackWhite(width, height uint32, compression uint32, data []byte, more ...tag) tiffPage {
	return tiffPage{
		tags:   append([]tag{long(256, width), long(257, height), short(258, 1), short(259, compression), short(262, 0), short(277, 1), long(278, height)}, more...),
		strips: [][]byte{data},
	}
}

// whiteG4 is a white page by ITU-T T.6: each row is one bit, then the end.
func whiteG4(rows int, end bool) []byte {
	var bits []byte
	for range rows {
		bits = append(bits, 1)
	}
	if end {
		for range 2 {
			bits = append(bits, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
		}
	}
	packed := make([]byte, (len(bits)+7)/8)
	for i, bit := range bits {
		packed[i/8] |= bit << (7 - i%8)
	}
	return packed
}

func makeTIFF(order binary.AppendByteOrder, pages ...tiffPage) []byte {
	b := order.AppendUint16([]byte("II"), 42)
	if order.String() == "BigEndian" {
		b = order.AppendUint16([]byte("MM"), 42)
	}
	b = append(b, 0, 0, 0, 0)
	link := 4
	put := func(at int, value uint32) { copy(b[at:], order.AppendUint32(nil, value)) }
	for _, p := range pages {
		tags := slices.Clone(p.tags)
		if len(p.strips) > 0 {
			offsets, counts := long(273), long(279)
			for _, s := range p.strips {
				offsets.values, counts.values = append(offsets.values, uint32(len(b))), append(counts.values, uint32(len(s)))
				b = append(b, s...)
			}
			tags = append([]tag{offsets, counts}, tags...)
		}
		slices.Reverse(tags) // a later tag takes the place of an earlier one
		slices.SortStableFunc(tags, func(a, b tag) int { return int(a.id) - int(b.id) })
		tags = slices.CompactFunc(tags, func(a, b tag) bool { return a.id == b.id })
		var entries []byte
		for _, t := range tags {
			values := valuesOf(order, t)
			count := len(t.values)
			if t.kind == 5 {
				count /= 2
			}
			entries = order.AppendUint32(order.AppendUint16(order.AppendUint16(entries, t.id), t.kind), uint32(count))
			if len(values) > 4 {
				entries = order.AppendUint32(entries, uint32(len(b)))
				b = append(b, values...)
			} else {
				entries = append(entries, append(values, 0, 0, 0, 0)[:4]...)
			}
		}
		put(link, uint32(len(b)))
		b = append(order.AppendUint16(b, uint16(len(tags))), entries...)
		link = len(b)
		b = order.AppendUint32(b, p.next)
	}
	return b
}

func valuesOf(order binary.AppendByteOrder, t tag) (b []byte) {
	for _, v := range t.values {
		if t.kind == 3 {
			b = order.AppendUint16(b, uint16(v))
		} else {
			b = order.AppendUint32(b, v)
		}
	}
	return b
}

// bigTIFF is a grey page of 4 by 4 with 64-bit offsets, at 300 dpi.
func bigTIFF() []byte {
	o := binary.LittleEndian
	b := append(o.AppendUint64([]byte("II+\x00\x08\x00\x00\x00"), 32), make([]byte, 16)...)
	type entry struct {
		id, kind uint16
		value    uint64
	}
	entries := []entry{
		{256, 4, 4}, {257, 4, 4}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 16, 16}, {277, 3, 1}, {278, 4, 4}, {279, 16, 16},
		{282, 5, 300 | 1<<32}, {283, 5, 300 | 1<<32},
	}
	b = o.AppendUint64(b, uint64(len(entries)))
	for _, e := range entries {
		b = o.AppendUint64(o.AppendUint64(o.AppendUint16(o.AppendUint16(b, e.id), e.kind), 1), e.value)
	}
	return o.AppendUint64(b, 0)
}

func makeBMP(picture image.Image, x, y uint32) []byte {
	var b bytes.Buffer
	must(0, bmp.Encode(&b, picture))
	binary.LittleEndian.PutUint32(b.Bytes()[38:], x)
	binary.LittleEndian.PutUint32(b.Bytes()[42:], y)
	return b.Bytes()
}
