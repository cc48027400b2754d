package content_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// bombPNG has as many zeros as pixels as are given.
func bombPNG(width, height uint32, colour byte, n int64) []byte {
	b := rawPNG(width, height, 8, colour, 0, nil)
	data := bytes.Index(b, []byte("IDAT")) - 4
	return slices.Concat(b[:data], pngChunk("IDAT", zeros(n)), pngChunk("IEND", nil))
}

// frameOf is a small JPEG whose frame says another size.
func frameOf(width, height uint16) []byte {
	b := makeJPEG(page(16, 16))
	frame := bytes.Index(b, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(b[frame+5:], height)
	binary.BigEndian.PutUint16(b[frame+7:], width)
	return b
}

// bombTIFF has 100 pages of 100 million pixels, all compressed well.
func bombTIFF() []byte {
	data := zeros(100_000_000)
	var pages []tiffPage
	for range 100 {
		pages = append(pages, tiffPage{
			tags: []tag{long(256, 10_000), long(257, 10_000), short(258, 8), short(259, 8), short(262, 1), long(278, 10_000), long(279, uint32(len(data))), long(273, 8)},
		})
	}
	b := makeTIFF(binary.LittleEndian, pages...)
	return withBehind(b, data)
}

// withBehind moves a TIFF's directories behind data at offset 8.
func withBehind(b, data []byte) []byte {
	order, shift := binary.LittleEndian, uint32(len(data))
	moved := slices.Concat(b[:8], data, b[8:])
	for link := uint32(4); ; {
		at := order.Uint32(moved[link:])
		if at == 0 {
			return moved
		}
		order.PutUint32(moved[link:], at+shift)
		link = at + shift + 2 + 12*uint32(order.Uint16(moved[at+shift:]))
	}
}

// streamBomb has an object stream of half a gigabyte.
func streamBomb(dict string) []byte {
	p := newPDF("1.5")
	p.pages(1)
	p.stream(5, dict+" /Filter /FlateDecode", zeros(512<<20))
	p.places[4] = place{container: 5}
	return p.end(p.crossStream(6, "/Root 1 0 R", true))
}

// crossBomb has a cross-reference of a hundred million entries.
func crossBomb() []byte {
	p := newPDF("1.5")
	p.pages(1)
	at := p.Len()
	p.stream(4, "/Type /XRef /Size 100000000 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode", zeros(400_000_000))
	return p.end(at)
}

// manyStreams has 20 object streams of 15 MiB, which are the same but for the
// number of their object.
func manyStreams() []byte {
	p := newPDF("1.5")
	p.pages(1)
	blanks := flated(bytes.Repeat([]byte(" "), 15<<20), true)
	for i := range 20 {
		container, number := 100+i, 1000+i
		data := slices.Concat([]byte("\x78\x01"), flated(fmt.Appendf(nil, "%d 0 null", number), false), blanks)
		p.stream(container, "/Type /ObjStm /N 1 /First 7 /Filter /FlateDecode", data)
		p.places[number] = place{container: container}
	}
	return p.end(p.crossStream(99, "/Root 1 0 R", true))
}

// flated is deflate without a frame; what is not the last can be followed by more.
func flated(content []byte, last bool) []byte {
	var b bytes.Buffer
	w := must(flate.NewWriter(&b, flate.BestSpeed))
	must(w.Write(content))
	must(0, w.Flush())
	if last {
		must(0, w.Close())
	}
	return b.Bytes()
}

// chainPDF has a page tree of one branch below the other.
func chainPDF(n int) []byte {
	p := newPDF("1.4")
	p.object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	for i := range n {
		p.object(2+i, fmt.Sprintf("<< /Type /Pages /Kids [%d 0 R] >>", 3+i))
	}
	p.object(2+n, "<< /Type /Page >>")
	return p.table("")
}

// circlePDF names itself as the revision before. Readers find its objects all the same.
func circlePDF() []byte {
	p := newPDF("1.4")
	p.pages(1)
	return p.table(fmt.Sprintf("/Root 1 0 R /Prev %d", p.Len()))
}

// revisedPDF was saved more often than anybody saves.
func revisedPDF() []byte {
	p := newPDF("1.4")
	p.pages(1)
	p.table("")
	before := bytes.LastIndex(p.Bytes(), []byte("xref\n0"))
	for range 2000 {
		at := p.Len()
		fmt.Fprintf(p, "xref\n0 0\ntrailer\n<< /Root 1 0 R /Prev %d >>\n", before)
		before = at
	}
	return p.end(before)
}

// bigOFD has entries of a size that compress well, though not all too well.
func bigOFD(n, size int) []byte {
	all := []entry{ofdPage("Doc_0/Pages/Page_0/Content.xml"), ofdDocument(ofdSpace, "Pages/Page_0/Content.xml"), ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml")}
	text := strings.Repeat("0", size)
	for i := range n {
		all = append(all, entry{name: fmt.Sprintf("Doc_0/Res/%d", i), text: text})
	}
	return makeZIP(all...)
}

func wideOFD(n int) []byte {
	all := []entry{ofdPage("Doc_0/Pages/Page_0/Content.xml"), ofdDocument(ofdSpace, "Pages/Page_0/Content.xml"), ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml")}
	for i := range n {
		all = append(all, entry{name: fmt.Sprintf("Doc_0/Res/%d", i), stored: true})
	}
	return makeZIP(all...)
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d='' ", i)
	}
	return b.String()
}

func laughs() []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY a0 \"ha\">")
	for i := range 30 {
		fmt.Fprintf(&b, "<!ENTITY a%d \"&a%d;&a%d;\">", i+1, i, i)
	}
	return []byte(b.String() + "]><a>&a30;</a>")
}

// scanBomb is a progressive JPEG of n scans of empty blocks.
func scanBomb(side uint16, n int) []byte {
	size := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, side), side)
	b := slices.Concat([]byte{0xff, 0xd8}, jpegSegment(0xc2, append(size, 1, 1, 0x11, 0)...),
		jpegSegment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...),
		jpegSegment(0xc4, append(append([]byte{0x10, 1}, make([]byte, 15)...), 0xe0)...)) // one code: 16384 blocks and more are empty
	blocks := (int(side) + 7) / 8 * ((int(side) + 7) / 8)
	var scan []byte
	for bits, left := 0, blocks; left > 0; left -= 16384 { // a code of one bit and 14 bits of zeros
		bits += 15
		scan = make([]byte, (bits+7)/8)
	}
	scan = slices.Concat(jpegSegment(0xda, 1, 1, 0x00, 1, 63, 0), scan)
	return slices.Concat(b, bytes.Repeat(scan, n), []byte{0xff, 0xd9})
}
