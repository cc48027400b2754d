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
	"sync"
)

// content makes a file's bytes: a valid file of its format that names the
// document, so that no two are equal.
func content(seed uint64, document int, f file) body {
	m := maker{
		label: fmt.Sprintf("seed %d document %d file %d", seed, document, f.sequence),
		place: document*7919 + f.sequence*104729, size: f.size, dpi: f.dpi,
	}
	switch f.format {
	case "png":
		return m.png()
	case "jpg":
		return m.jpeg()
	case "tif":
		return m.tiff()
	case "ofd":
		return m.ofd()
	case "xml":
		return m.xml()
	case "exe":
		return m.exe()
	case "encrypted.pdf":
		return m.pdf("/Encrypt << /Filter /Standard /V 1 /R 2 /O <00> /U <00> /P -4 >>")
	}
	return m.pdf("")
}

// extension that a format is listed with.
func extension(format string) string {
	switch format {
	case "exe":
		return "png"
	case "encrypted.pdf":
		return "pdf"
	}
	return format
}

// maker makes a file of a label and as many bytes of noise as its size.
type maker struct {
	label string
	place int // of the noise
	size  int
	dpi   int
}

func (m maker) fill(b *body, n int) { b.fill(noise(), m.place, n) }

var picture = sync.OnceValue(func() image.Image {
	p := image.NewGray(image.Rect(0, 0, 120, 170))
	for x := range 120 {
		for y := range 170 {
			p.SetGray(x, y, color.Gray{Y: uint8(x*y) ^ uint8(x)})
		}
	}
	return p
})

var pngBase = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, picture()) // into memory
	return b.Bytes()
})

// png puts in a pHYs chunk, which Go's encoder does not write.
func (m maker) png() body {
	base := pngBase()
	const header = 8 + 25 // signature and IHDR
	perMetre := binary.BigEndian.AppendUint32(nil, uint32(float64(m.dpi)/0.0254))
	var b body
	b.add(base[:header])
	b.add(pngChunk("pHYs", append(append(perMetre, perMetre...), 1)))
	b.add(pngChunk("tEXt", []byte("Comment\x00"+m.label)))
	b.add(binary.BigEndian.AppendUint32(nil, uint32(m.size)))
	private := len(b.parts)
	b.add([]byte("prVt"))
	m.fill(&b, m.size)
	b.add(binary.BigEndian.AppendUint32(nil, b.crc(private)))
	b.add(base[header:])
	return b
}

func pngChunk(kind string, data []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	chunk = append(append(chunk, kind...), data...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

var jpegBase = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, picture(), nil) // into memory
	return b.Bytes()
})

// jpeg puts in a JFIF segment with the density, and comments.
func (m maker) jpeg() body {
	density := binary.BigEndian.AppendUint16(nil, uint16(m.dpi))
	jfif := append(append(append([]byte("JFIF\x00\x01\x02\x01"), density...), density...), 0, 0)
	head := append([]byte{0xff, 0xd8}, jpegSegment(0xe0, len(jfif))...)
	head = append(append(head, jfif...), jpegSegment(0xfe, len(m.label))...)
	var b body
	b.add(append(head, m.label...))
	for left := m.size; left > 0; {
		n := min(left, 65000)
		b.add(jpegSegment(0xfe, n))
		m.fill(&b, n)
		left -= n
	}
	b.add(jpegBase()[2:])
	return b
}

func jpegSegment(marker byte, length int) []byte {
	return binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(length+2))
}

// tiff is an uncompressed grey picture of one strip, whose pixels are the
// label and the noise.
func (m maker) tiff() body {
	const start, width = 8, 128
	pixels := len(m.label) + m.size
	padding := (width - pixels%width) % width
	pixels += padding
	resolution := uint32(start + pixels)
	entries := [][4]uint32{
		{256, 4, 1, width}, {257, 4, 1, uint32(pixels / width)}, {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, 1},
		{273, 4, 1, start}, {277, 3, 1, 1}, {278, 4, 1, uint32(pixels / width)}, {279, 4, 1, uint32(pixels)},
		{282, 5, 1, resolution}, {283, 5, 1, resolution}, {296, 3, 1, 2},
	}
	little := binary.LittleEndian
	var b body
	b.add(append(little.AppendUint32(little.AppendUint16([]byte("II"), 42), resolution+8), m.label...))
	m.fill(&b, m.size)
	tail := little.AppendUint32(little.AppendUint32(make([]byte, padding), uint32(m.dpi)), 1)
	tail = little.AppendUint16(tail, uint16(len(entries)))
	for _, e := range entries {
		tail = little.AppendUint16(little.AppendUint16(tail, uint16(e[0])), uint16(e[1]))
		tail = little.AppendUint32(little.AppendUint32(tail, e[2]), e[3])
	}
	b.add(little.AppendUint32(tail, 0))
	return b
}

// ofd is one page that shows nothing. OFD.xml is in its central directory, not
// its first entry.
func (m maker) ofd() body {
	var fill body
	m.fill(&fill, m.size)
	var b body
	w := zip.NewWriter(&b)
	for _, entry := range []struct {
		name  string
		parts [][]byte
	}{
		{"Doc_0/Document.xml", [][]byte{[]byte(`<?xml version="1.0" encoding="UTF-8"?><ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages></ofd:Document>`)}},
		{"Doc_0/Pages/Page_0/Content.xml", [][]byte{[]byte(`<?xml version="1.0" encoding="UTF-8"?><ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Content/></ofd:Page>`)}},
		{"Doc_0/Res/label.txt", [][]byte{[]byte(m.label)}},
		{"Doc_0/Res/image_0.bin", fill.parts},
		{"OFD.xml", [][]byte{[]byte(`<?xml version="1.0" encoding="UTF-8"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`)}},
	} {
		f, _ := w.CreateHeader(&zip.FileHeader{Name: entry.name, Method: zip.Store}) // into memory
		for _, part := range entry.parts {
			_, _ = f.Write(part)
		}
	}
	_ = w.Close()
	return b
}

func (m maker) xml() body {
	var b body
	_, _ = fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<EInvoice><Label>%s</Label><Data>", m.label)
	b.fill(hexNoise(), m.place, m.size)
	_, _ = io.WriteString(&b, "</Data></EInvoice>\n")
	return b
}

// exe begins as programs for Windows do.
func (m maker) exe() body {
	var b body
	b.add([]byte("MZ\x90\x00\x03\x00\x00\x00" + m.label))
	m.fill(&b, m.size)
	return b
}

// pdf is one page that shows nothing, with the noise as a stream.
func (m maker) pdf(trailer string) body {
	var head bytes.Buffer
	var offsets []int
	object := func(text string) {
		offsets = append(offsets, head.Len())
		fmt.Fprintf(&head, "%d 0 obj\n%s", len(offsets), text)
	}
	head.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	object("<< /Type /Catalog /Pages 2 0 R >>\nendobj\n")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>\nendobj\n")
	object("<< /Title (" + m.label + ") >>\nendobj\n")
	object(fmt.Sprintf("<< /Length %d >>\nstream\n", m.size))
	var b body
	b.add(head.Bytes())
	m.fill(&b, m.size)
	var tail bytes.Buffer
	tail.WriteString("\nendstream\nendobj\n")
	start := b.size + tail.Len()
	fmt.Fprintf(&tail, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&tail, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&tail, "trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, trailer, start)
	b.add(tail.Bytes())
	return b
}
