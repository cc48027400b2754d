package content

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// pdfObject is an indirect object read from the file.
type pdfObject struct {
	number int64
	value  pdfValue
	data   int64 // offset of its stream's bytes; 0: it is no stream
	length int64 // of them
}

// at reads the object at an offset, to its end: a stream's bytes are passed over.
func (d *pdfDocument) at(offset int64) (o pdfObject, err error) {
	p := &d.parser
	p.at = offset
	if o.number, err = p.head(); err != nil {
		return o, err
	}
	if o.value, err = p.object(d.arrays); err != nil {
		return o, err
	}
	back := p.at
	token, err := p.token()
	if err != nil {
		return o, err
	}
	if token.text != "stream" || o.value.kind != pdfDict {
		p.at = back // endobj, or what readers take for it
		return o, nil
	}
	if c, _ := p.peek(); c == '\r' {
		p.at++
	}
	if c, _ := p.peek(); c == '\n' {
		p.at++
	}
	o.data = p.at
	o.length, err = d.length(o)
	p.at = o.data + o.length
	return o, err
}

// head of an object: its number, its generation, obj.
func (p *pdfParser) head() (number int64, err error) {
	begin := p.at
	var tokens [3]pdfToken
	for i := range tokens {
		if tokens[i], err = p.token(); err != nil {
			return 0, err
		}
	}
	if !tokens[0].whole || !tokens[1].whole || tokens[2].text != "obj" {
		return 0, fmt.Errorf("at %d there is no object", begin)
	}
	return tokens[0].number, nil
}

// length of a stream: as it says, if there its end is; else as far as its end,
// as readers do.
func (d *pdfDocument) length(o pdfObject) (int64, error) {
	stated := o.value.get("Length")
	if stated.kind == pdfRef {
		resolved, err := d.lengthObject(stated.number)
		if err != nil {
			return 0, err
		}
		stated = resolved
	}
	p := &d.parser
	if n := stated.number; stated.kind == pdfNumber && n >= 0 && n <= d.f.size-o.data {
		p.at = o.data + n
		if token, err := p.token(); err == nil && (token.text == "endstream" || token.text == "endobj") {
			return n, nil
		}
	}
	end, _, err := d.next(o.data, []byte("endstream"))
	if err != nil {
		return 0, err
	}
	if end < 0 {
		return 0, errors.New("its stream has no end")
	}
	return end - o.data, nil
}

// lengthObject is a number that is an object of its own. One in an object
// stream is not asked for, since that stream's length may be such a one: the
// end is looked for.
func (d *pdfDocument) lengthObject(number int64) (pdfValue, error) {
	e := d.find(number)
	if e == nil || e.where != pdfPlain {
		return pdfValue{}, nil
	}
	p := pdfParser{pdfLexer: newPDFLexer(d.f)}
	p.at = e.at
	if _, err := p.head(); err != nil {
		return pdfValue{}, p.failed
	}
	v, err := p.value(false, 0)
	if err != nil {
		return pdfValue{}, p.failed
	}
	return v, nil
}

// next finds the first of some words at or after an offset; -1: there is none.
func (d *pdfDocument) next(from int64, words ...[]byte) (at int64, word int, err error) {
	const overlap = 16
	for size := int64(1 << 10); from < d.f.size; size = min(2*size, 64<<10) {
		chunk := make([]byte, min(size, d.f.size-from))
		if err := full(d.f, chunk, from, "the file"); err != nil {
			return 0, 0, err
		}
		first := -1
		for i, w := range words {
			if n := bytes.Index(chunk, w); n >= 0 && (first < 0 || n < first) {
				first, word = n, i
			}
		}
		if first >= 0 {
			return from + int64(first), word, nil
		}
		if from += max(int64(len(chunk))-overlap, 1); int64(len(chunk)) < size {
			break
		}
	}
	return -1, 0, nil
}

// read an entry's object.
func (d *pdfDocument) read(e pdfEntry) (pdfValue, error) {
	if e.where == pdfInStream {
		return d.unpack(e)
	}
	o, err := d.at(e.at)
	if err == nil && o.number != int64(e.number) {
		err = fmt.Errorf("at %d there is object %d", e.at, o.number)
	}
	return o.value, err
}

// object by its number, whole; null when there is none.
func (d *pdfDocument) object(number int64) (v pdfValue, err error) {
	e := d.find(number)
	if e == nil {
		return pdfValue{}, nil
	}
	d.arrays = true
	v, err = d.read(*e)
	d.arrays = false
	if err == nil && v.cut {
		err = overBound("values of a PDF's object", maxKept)
	}
	return v, err
}

// pdfPacked is a decompressed object stream.
type pdfPacked struct {
	number  int64
	parser  pdfParser
	numbers []int64 // of its objects
	offsets []int64
}

// unpack reads an object out of an object stream. The last one is kept, since
// neighbours lie in the same.
func (d *pdfDocument) unpack(e pdfEntry) (pdfValue, error) {
	if d.packed.number != e.at {
		if err := d.open(e.at); err != nil {
			return pdfValue{}, fmt.Errorf("object stream %d: %w", e.at, err)
		}
	}
	p := &d.packed
	if int(e.index) >= len(p.numbers) || p.numbers[e.index] != int64(e.number) {
		return pdfValue{}, fmt.Errorf("object stream %d does not have it", e.at)
	}
	p.parser.at = p.offsets[e.index]
	return p.parser.object(d.arrays)
}

// open decompresses an object stream and reads where its objects are.
func (d *pdfDocument) open(number int64) error {
	e := d.find(number)
	if e == nil || e.where != pdfPlain {
		return errors.New("it is missing")
	}
	o, err := d.at(e.at)
	if err != nil {
		return err
	}
	count, first := o.value.get("N").number, o.value.get("First").number
	if o.data == 0 || count < 0 || count > maxObjects || first < 0 || first > maxObjectStream {
		return errors.New("it is none")
	}
	decoded, err := d.decode(o)
	if err != nil {
		return err
	}
	bytes, err := io.ReadAll(io.LimitReader(decoded, maxObjectStream+1))
	if len(bytes) > maxObjectStream {
		return overBound("bytes of a PDF's object stream", maxObjectStream)
	}
	if d.inflated += int64(len(bytes)); d.inflated > maxStructure {
		return overBound("bytes that a PDF's object streams inflate to", maxStructure)
	}
	if d.f.broken != nil || d.f.late != nil {
		return err
	}
	// Whatever else cut it off, the objects beyond do not parse.
	return d.listed(number, bytes, count, first)
}

func (d *pdfDocument) listed(number int64, content []byte, count, first int64) error {
	p := pdfPacked{number: number, parser: pdfParser{pdfLexer: newPDFLexer(bytes.NewReader(content))}}
	for range count {
		n, err := p.parser.token()
		if err != nil {
			return err
		}
		offset, err := p.parser.token()
		if err != nil {
			return err
		}
		if !n.whole || !offset.whole || offset.number < 0 || offset.number > maxObjectStream {
			return errors.New("its list of objects is cut off")
		}
		p.numbers, p.offsets = append(p.numbers, n.number), append(p.offsets, first+offset.number)
	}
	d.packed = p
	return nil
}

// decode gives a stream's bytes without its filters. Those of structure are
// compressed by deflate; other filters are valid, and nobody writes them.
func (d *pdfDocument) decode(o pdfObject) (io.Reader, error) {
	filters, parms := o.value.get("Filter"), o.value.get("DecodeParms")
	if filters.kind == pdfName {
		filters = pdfValue{kind: pdfArray, items: []pdfValue{filters}}
	}
	if parms.kind == pdfDict {
		parms = pdfValue{kind: pdfArray, items: []pdfValue{parms}}
	}
	var decoded io.Reader = d.f.section(o.data, o.length)
	if len(filters.items) > 4 {
		return nil, overBound("filters of a PDF's stream", 4)
	}
	for i, filter := range filters.items {
		if filter.text != "FlateDecode" {
			return nil, errOther
		}
		var header [2]byte
		if _, err := io.ReadFull(decoded, header[:]); err != nil {
			return nil, cut(err, "it has no bytes")
		}
		// The checksum behind it is not compared: writers leave it out.
		decoded = flate.NewReader(decoded)
		if i < len(parms.items) {
			var err error
			if decoded, err = unpredicted(decoded, parms.items[i]); err != nil {
				return nil, err
			}
		}
	}
	return decoded, nil
}

// unpredicted takes back what a predictor did before compression.
func unpredicted(r io.Reader, parms pdfValue) (io.Reader, error) {
	number := func(key string, missing int64) int64 {
		if v := parms.get(key); v.kind == pdfNumber {
			return v.number
		}
		return missing
	}
	switch predictor := number("Predictor", 1); {
	case predictor == 1:
		return r, nil
	case predictor < 10: // TIFF's, which nobody takes for structure
		return nil, errOther
	}
	colours, bits, columns := number("Colors", 1), number("BitsPerComponent", 8), number("Columns", 1)
	const most = 1 << 16
	if colours < 1 || colours > 32 || bits < 1 || bits > 16 || columns < 1 || columns > most {
		return nil, errors.New("its predictor makes no sense")
	}
	row := (colours*bits*columns + 7) / 8
	return &pngRows{r: r, step: int(max(colours*bits/8, 1)), row: make([]byte, row), before: make([]byte, row)}, nil
}

// pngRows takes back PNG's filters, row by row.
type pngRows struct {
	r           io.Reader
	step        int // bytes of a pixel
	row, before []byte
	left        []byte // of the row, to be read
}

// Read implements io.Reader.
func (p *pngRows) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		var filter [1]byte
		if _, err := io.ReadFull(p.r, filter[:]); err != nil {
			return 0, err
		}
		p.row, p.before = p.before, p.row
		n, err := io.ReadFull(p.r, p.row)
		if n == 0 {
			return 0, err
		}
		p.undo(filter[0])
		p.left = p.row[:n]
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

func (p *pngRows) undo(filter byte) {
	for i := range p.row {
		var a, c byte // to the left, and above it
		if i >= p.step {
			a, c = p.row[i-p.step], p.before[i-p.step]
		}
		switch b := p.before[i]; filter {
		case 1:
			p.row[i] += a
		case 2:
			p.row[i] += b
		case 3:
			p.row[i] += byte((int(a) + int(b)) / 2)
		case 4:
			p.row[i] += paeth(a, b, c)
		}
	}
}

func paeth(a, b, c byte) byte {
	distance := func(x byte) int {
		d := int(a) + int(b) - int(c) - int(x)
		return max(d, -d)
	}
	switch x, y, z := distance(a), distance(b), distance(c); {
	case x <= y && x <= z:
		return a
	case y <= z:
		return b
	}
	return c
}
