package content_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// pdfFile builds a PDF object by object and remembers where each is.
type pdfFile struct {
	bytes.Buffer
	places map[int]place
}

type place struct {
	offset, container, index int
}

func newPDF(version string) *pdfFile {
	p := &pdfFile{places: map[int]place{}}
	fmt.Fprintf(p, "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", version)
	return p
}

func (p *pdfFile) object(number int, text string) {
	p.places[number] = place{offset: p.Len()}
	fmt.Fprintf(p, "%d 0 obj\n%s\nendobj\n", number, text)
}

func (p *pdfFile) stream(number int, dict string, data []byte) {
	p.object(number, fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data))
}

// pages adds a catalog, a page tree and n pages as objects 1, 2 and 3...
func (p *pdfFile) pages(n int) {
	var kids []string
	for i := range n {
		kids = append(kids, fmt.Sprintf("%d 0 R", 3+i))
	}
	p.object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	p.object(2, fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), n))
	for i := range n {
		p.object(3+i, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>")
	}
}

func (p *pdfFile) size() int {
	size := 1
	for number := range p.places {
		size = max(size, number+1)
	}
	return size
}

// packed adds an object stream of the objects given.
func (p *pdfFile) packed(container int, objects map[int]string) {
	var head, body strings.Builder
	numbers := sortedKeys(objects)
	for i, number := range numbers {
		fmt.Fprintf(&head, "%d %d ", number, body.Len())
		body.WriteString(objects[number] + " ")
		p.places[number] = place{container: container, index: i}
	}
	p.stream(container, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", len(numbers), head.Len()), deflated([]byte(head.String()+body.String())))
}

// table writes a cross-reference table and a trailer; "" is one that names the root.
func (p *pdfFile) table(trailer string) []byte {
	if trailer == "" {
		trailer = "/Root 1 0 R"
	}
	start := p.Len()
	fmt.Fprintf(p, "xref\n0 %d\n0000000000 65535 f \n", p.size())
	for number := 1; number < p.size(); number++ {
		if at, ok := p.places[number]; ok && at.container == 0 {
			fmt.Fprintf(p, "%010d 00000 n \n", at.offset)
		} else {
			fmt.Fprint(p, "0000000000 00000 f \n")
		}
	}
	fmt.Fprintf(p, "trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n", p.size(), trailer, start)
	return p.Bytes()
}

// crossStream writes a cross-reference stream; with a predictor, as most
// writers do. It gives where the stream is.
func (p *pdfFile) crossStream(number int, trailer string, predicted bool) int {
	at := p.Len()
	p.places[number] = place{offset: at}
	var rows, before []byte
	before = make([]byte, 7)
	for n := range p.size() {
		row := make([]byte, 7)
		switch where, ok := p.places[n]; {
		case !ok:
		case where.container == 0:
			row[0] = 1
			binary.BigEndian.PutUint32(row[1:], uint32(where.offset))
		default:
			row[0] = 2
			binary.BigEndian.PutUint32(row[1:], uint32(where.container))
			binary.BigEndian.PutUint16(row[5:], uint16(where.index))
		}
		if predicted {
			rows = append(rows, 2) // up
			for i := range row {
				rows = append(rows, row[i]-before[i])
			}
			before = row
		} else {
			rows = append(rows, row...)
		}
	}
	parms := ""
	if predicted {
		parms = "/DecodeParms << /Predictor 12 /Columns 7 >>"
	}
	p.stream(number, fmt.Sprintf("/Type /XRef /Size %d /W [1 4 2] /Filter /FlateDecode %s %s", p.size(), parms, trailer), deflated(rows))
	return at
}

func (p *pdfFile) end(start int) []byte {
	fmt.Fprintf(p, "startxref\n%d\n%%%%EOF\n", start)
	return p.Bytes()
}

func plainPDF(pages int) []byte {
	p := newPDF("1.4")
	p.pages(pages)
	return p.table("")
}

// packedPDF has its objects in an object stream, as PDF 1.5 and 2.0 have.
func packedPDF(version string, predicted bool) []byte {
	p := newPDF(version)
	p.packed(4, map[int]string{1: "<< /Type /Catalog /Pages 2 0 R >>", 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 3: "<< /Type /Page /Parent 2 0 R >>"})
	return p.end(p.crossStream(5, "/Root 1 0 R", predicted))
}

// hybridPDF has a table for old readers, whose stream has what it hides.
func hybridPDF() []byte {
	p := newPDF("1.5")
	p.object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	p.packed(4, map[int]string{2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 3: "<< /Type /Page /Parent 2 0 R >>"})
	at := p.crossStream(5, "/Root 1 0 R", true)
	return p.table(fmt.Sprintf("/Root 1 0 R /XRefStm %d", at))
}

// linearizedPDF has the first page's cross-reference in front and the rest behind.
func linearizedPDF() []byte {
	build := func(main int) ([]byte, int) {
		p := newPDF("1.4")
		p.object(5, "<< /Linearized 1 /L 9999 /O 3 /N 1 /T 1 >>")
		front := p.Len()
		// Offsets of what follows, in a table of fixed length.
		const entry = 20
		head := "xref\n3 3\n"
		tail := fmt.Sprintf("trailer\n<< /Size 6 /Root 4 0 R /Prev %010d >>\nstartxref\n0\n%%%%EOF\n", main)
		at := front + len(head) + 3*entry + len(tail)
		three := "3 0 obj\n<< /Type /Page /Parent 2 0 R >>\nendobj\n"
		four := "4 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
		fmt.Fprintf(p, "%s%010d 00000 n \n%010d 00000 n \n%010d 00000 n \n%s%s%s", head, at, at+len(three), p.places[5].offset, tail, three, four)
		two := p.Len()
		fmt.Fprint(p, "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n")
		main = p.Len()
		fmt.Fprintf(p, "xref\n0 3\n0000000000 65535 f \n0000000000 00000 f \n%010d 00000 n \ntrailer\n<< /Size 3 >>\nstartxref\n%d\n%%%%EOF\n", two, front)
		return p.Bytes(), main
	}
	_, main := build(0)
	b, _ := build(main)
	return b
}

// updatedPDF was saved again with a second page.
func updatedPDF() []byte {
	p := newPDF("1.4")
	p.pages(1)
	first := bytes.LastIndex(p.table(""), []byte("xref\n0"))
	two := p.Len()
	fmt.Fprint(p, "2 0 obj\n<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>\nendobj\n")
	four := p.Len()
	fmt.Fprint(p, "4 0 obj\n<< /Type /Page /Parent 2 0 R >>\nendobj\n")
	start := p.Len()
	fmt.Fprintf(p, "xref\n2 1\n%010d 00000 n \n4 1\n%010d 00000 n \ntrailer\n<< /Size 5 /Root 1 0 R /Prev %d >>\n", two, four, first)
	return p.end(start)
}

func sortedKeys(m map[int]string) []int {
	var keys []int
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
