package simulator

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"sync"
)

// noise fills files up to their size; it does not compress.
var noise = sync.OnceValue(func() []byte {
	b := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
})

func padding(d Document, f File, n int) []byte {
	start := (d.Index*7919 + f.Sequence*104729) % (len(noise()) / 2)
	return noise()[start : start+min(max(n, 0), len(noise())/2)]
}

// content makes a file's bytes: a valid file of its format that names the
// document, so that no two are equal.
func content(seed uint64, d Document, f File) []byte {
	label := fmt.Sprintf("seed %d document %d file %d", seed, d.Index, f.Sequence)
	fill := padding(d, f, f.Size)
	switch f.Format {
	case "png":
		return pngFile(f.DPI, label, fill)
	case "jpg":
		return jpegFile(f.DPI, label, fill)
	case "tif":
		return tiffFile(f.DPI, label, fill)
	case "ofd":
		return ofdFile(label, fill)
	case "xml":
		return fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<EInvoice><Label>%s</Label><Data>%x</Data></EInvoice>\n", label, fill[:len(fill)/2])
	case "exe":
		return append([]byte("MZ\x90\x00\x03\x00\x00\x00"+label), fill...)
	case "encrypted.pdf":
		return pdfFile(label, fill, "/Encrypt << /Filter /Standard /V 1 /R 2 /O <00> /U <00> /P -4 >>")
	}
	return pdfFile(label, fill, "")
}

var picture = sync.OnceValue(func() image.Image {
	p := image.NewGray(image.Rect(0, 0, 120, 170))
	for x := range 120 {
		for y := range 170 {
			p.SetGray(x, y, color.Gray{Y: uint8(x*y) ^ uint8(x)}) //nolint:gosec // a pattern
		}
	}
	return p
})

var pngBase = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, picture()) // into memory
	return b.Bytes()
})

// pngFile puts in a pHYs chunk, which Go's encoder does not write.
func pngFile(dpi int, label string, fill []byte) []byte {
	base := pngBase()
	const header = 8 + 25 // signature and IHDR
	var b bytes.Buffer
	b.Write(base[:header])
	perMetre := binary.BigEndian.AppendUint32(nil, uint32(float64(dpi)/0.0254)) //nolint:gosec // a few thousand
	chunk(&b, "pHYs", append(append(perMetre, perMetre...), 1))
	chunk(&b, "tEXt", []byte("Comment\x00"+label))
	chunk(&b, "prVt", fill)
	b.Write(base[header:])
	return b.Bytes()
}

func chunk(b *bytes.Buffer, kind string, data []byte) {
	_ = binary.Write(b, binary.BigEndian, uint32(len(data))) //nolint:gosec // below a mebibyte
	body := append([]byte(kind), data...)
	b.Write(body)
	_ = binary.Write(b, binary.BigEndian, crc32.ChecksumIEEE(body))
}

var jpegBase = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, picture(), nil) // into memory
	return b.Bytes()
})

// jpegFile puts in a JFIF segment with the density, and comments.
func jpegFile(dpi int, label string, fill []byte) []byte {
	var b bytes.Buffer
	b.Write([]byte{0xff, 0xd8})
	density := binary.BigEndian.AppendUint16(nil, uint16(dpi)) //nolint:gosec // a few hundred
	segment(&b, 0xe0, append(append(append([]byte("JFIF\x00\x01\x02\x01"), density...), density...), 0, 0))
	segment(&b, 0xfe, []byte(label))
	for len(fill) > 0 {
		n := min(len(fill), 65000)
		segment(&b, 0xfe, fill[:n])
		fill = fill[n:]
	}
	b.Write(jpegBase()[2:])
	return b.Bytes()
}

func segment(b *bytes.Buffer, marker byte, data []byte) {
	b.Write([]byte{0xff, marker})
	_ = binary.Write(b, binary.BigEndian, uint16(len(data)+2)) //nolint:gosec // below 64 KiB
	b.Write(data)
}

// tiffFile is an uncompressed grey picture of one strip, whose pixels are the
// label and the fill.
func tiffFile(dpi int, label string, fill []byte) []byte {
	const width = 128
	pixels := append([]byte(label), fill...)
	pixels = append(pixels, make([]byte, (width-len(pixels)%width)%width)...)
	const start = 8
	resolution := start + len(pixels)
	directory := resolution + 8
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v)
		}
	}
	put([]byte("II"), uint16(42), uint32(directory)) //nolint:gosec // below a mebibyte
	b.Write(pixels)
	put(uint32(dpi), uint32(1)) //nolint:gosec // a few hundred
	entries := [][4]uint32{
		{256, 4, 1, width}, {257, 4, 1, uint32(len(pixels) / width)}, {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, 1}, //nolint:gosec // bounded
		{273, 4, 1, start}, {277, 3, 1, 1}, {278, 4, 1, uint32(len(pixels) / width)}, {279, 4, 1, uint32(len(pixels))}, //nolint:gosec // bounded
		{282, 5, 1, uint32(resolution)}, {283, 5, 1, uint32(resolution)}, {296, 3, 1, 2}, //nolint:gosec // bounded
	}
	put(uint16(len(entries))) //nolint:gosec // twelve
	for _, e := range entries {
		put(uint16(e[0]), uint16(e[1]), e[2], e[3]) //nolint:gosec // tags and types
	}
	put(uint32(0))
	return b.Bytes()
}

// ofdFile has OFD.xml in its central directory, not as its first entry.
func ofdFile(label string, fill []byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, entry := range []struct{ name, text string }{
		{"Doc_0/Document.xml", `<?xml version="1.0" encoding="UTF-8"?><ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"/>`},
		{"Doc_0/Res/label.txt", label},
		{"Doc_0/Res/image_0.bin", string(fill)},
		{"OFD.xml", `<?xml version="1.0" encoding="UTF-8"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`},
	} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: entry.name, Method: zip.Store})
		if err == nil {
			_, _ = io.WriteString(f, entry.text) // into memory
		}
	}
	_ = w.Close() // into memory
	return b.Bytes()
}

// pdfFile is one page that shows nothing, with the fill as a stream.
func pdfFile(label string, fill []byte, trailer string) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>")
	object("<< /Title (" + label + ") >>")
	object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(fill), fill))
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, trailer, start)
	return b.Bytes()
}
