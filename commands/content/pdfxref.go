package content

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// sections reads the cross-reference from its newest section back. A hybrid
// section's stream has what its table calls free, so it is read first.
func (d *pdfDocument) sections(start int64) error {
	seen := map[int64]bool{}
	for at := start; ; {
		if seen[at] {
			return errors.New("its cross-reference runs in a circle")
		}
		seen[at] = true
		if len(seen) > maxSections {
			return overBound("revisions of a PDF", maxSections)
		}
		previous, err := d.section(at)
		if err != nil {
			return fmt.Errorf("cross-reference at %d: %w", at, err)
		}
		if previous.kind != pdfNumber {
			return nil
		}
		at = previous.number
	}
}

// section is a table or a stream; it gives where the one before it is.
func (d *pdfDocument) section(at int64) (previous pdfValue, err error) {
	p := &d.parser
	p.at = at
	token, err := p.token()
	if err != nil {
		return previous, err
	}
	if token.text != "xref" {
		return d.stream(at)
	}
	from := len(d.entries)
	trailer, err := d.table()
	if err != nil {
		return previous, err
	}
	d.adopt(trailer)
	if hybrid := trailer.get("XRefStm"); hybrid.kind == pdfNumber {
		table := slices.Clone(d.entries[from:])
		d.entries = d.entries[:from]
		if _, err := d.stream(hybrid.number); err != nil {
			return previous, err
		}
		for _, e := range table {
			if err := d.add(e); err != nil {
				return previous, err
			}
		}
	}
	return trailer.get("Prev"), nil
}

// adopt the trailer's references; the newest count. Whatever revision is
// encrypted, the document is.
func (d *pdfDocument) adopt(trailer pdfValue) {
	for _, key := range []string{"Root", "Encrypt"} {
		if d.trailer[key].kind == pdfEnd {
			d.trailer[key] = trailer.get(key)
		}
	}
}

// table reads the subsections of a table, and its trailer.
func (d *pdfDocument) table() (pdfValue, error) {
	p := &d.parser
	for {
		token, err := p.token()
		if err != nil {
			return pdfValue{}, err
		}
		if token.text == "trailer" {
			trailer, err := p.object(false)
			if err == nil && trailer.kind != pdfDict {
				err = errors.New("its trailer is no dictionary")
			}
			return trailer, err
		}
		count, err := p.token()
		if err != nil {
			return pdfValue{}, err
		}
		if !token.whole || !count.whole || token.number < 0 || count.number < 0 || count.number > 1<<32 {
			return pdfValue{}, errors.New("it is no table")
		}
		if err := d.subsection(token.number, count.number); err != nil {
			return pdfValue{}, err
		}
	}
}

func (d *pdfDocument) subsection(first, count int64) error {
	p := &d.parser
	for i := range count {
		offset, err := p.token()
		if err != nil {
			return err
		}
		generation, err := p.token()
		if err != nil {
			return err
		}
		kind, err := p.token()
		if err != nil {
			return err
		}
		if !offset.whole || !generation.whole || kind.text != "n" && kind.text != "f" {
			return errors.New("an entry of its table is none")
		}
		// A writer that counts from 1 has the head of the free list there.
		if i == 0 && first == 1 && kind.text == "f" && generation.number == 65535 {
			first = 0
		}
		e := pdfEntry{number: uint32(first + i), at: offset.number}
		if kind.text == "n" && offset.number > 0 {
			e.where = pdfPlain
		}
		if first+i > 1<<31 {
			return errors.New("a number of its table makes no sense")
		}
		if err := d.add(e); err != nil {
			return err
		}
	}
	return nil
}

// stream reads a cross-reference stream.
func (d *pdfDocument) stream(at int64) (previous pdfValue, err error) {
	o, err := d.at(at)
	if err != nil {
		return previous, err
	}
	if o.data == 0 || o.value.get("Type").text != "XRef" {
		return previous, errors.New("there is none")
	}
	d.adopt(o.value)
	widths := o.value.get("W").items
	if len(widths) < 3 {
		return previous, errors.New("its stream has no widths")
	}
	row := rowReader{}
	for i := range row.widths {
		w := widths[i].number
		if w < 0 || w > 8 {
			return previous, errors.New("its stream's widths make no sense")
		}
		row.widths[i] = int(w)
	}
	if row.r, err = d.decode(o); err != nil {
		return previous, err
	}
	index := o.value.get("Index").items
	if len(index) == 0 {
		index = []pdfValue{{kind: pdfNumber}, o.value.get("Size")}
	}
	for ; len(index) > 1; index = index[2:] {
		if err := d.rows(&row, index[0].number, index[1].number); err != nil {
			return previous, err
		}
	}
	return o.value.get("Prev"), nil
}

func (d *pdfDocument) rows(row *rowReader, first, count int64) error {
	if first < 0 || first > 1<<31 || count < 0 || count > 1<<31 {
		return errors.New("its stream's index makes no sense")
	}
	for i := range count {
		kind, at, third, err := row.next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("its stream is cut off")
		}
		if err != nil {
			return err
		}
		e := pdfEntry{number: uint32(first + i), at: at, index: uint32(third)}
		switch {
		case kind == 1 && at > 0:
			e.where = pdfPlain
		case kind == 2:
			e.where = pdfInStream
		}
		if err := d.add(e); err != nil {
			return err
		}
	}
	return nil
}

// rowReader reads rows of three numbers of fixed widths; a width of 0 for the
// first means 1.
type rowReader struct {
	r      io.Reader
	widths [3]int
}

func (r *rowReader) next() (kind, at, third int64, err error) {
	var b [24]byte
	row := b[:r.widths[0]+r.widths[1]+r.widths[2]]
	if len(row) == 0 {
		return 0, 0, 0, io.EOF
	}
	if _, err := io.ReadFull(r.r, row); err != nil {
		return 0, 0, 0, err
	}
	var fields [3]int64
	if r.widths[0] == 0 {
		fields[0] = 1
	}
	for i, width := range r.widths {
		for _, c := range row[:width] {
			fields[i] = fields[i]<<8 | int64(c)
		}
		row = row[width:]
	}
	return fields[0], fields[1], fields[2], nil
}

// search makes a cross-reference of the objects that the file has, as readers
// do when its own is wrong: of two with one number the later counts. What lies
// in streams is passed over.
func (d *pdfDocument) search() error {
	var packed []int64 // object streams
	for from := int64(0); ; {
		at, word, err := d.next(from, []byte("obj"), []byte("trailer"))
		if err != nil {
			return err
		}
		if at < 0 {
			break
		}
		from = at + 3
		if word == 1 {
			d.parser.at = at + int64(len("trailer"))
			if trailer, err := d.parser.object(false); err == nil {
				d.newer(trailer)
			}
			continue
		}
		begin := d.headOf(at)
		if begin < 0 {
			continue
		}
		o, err := d.at(begin)
		if err != nil {
			return fmt.Errorf("object at %d: %w", begin, err)
		}
		if o.number < 0 || o.number > 1<<31 {
			continue
		}
		if err := d.add(pdfEntry{number: uint32(o.number), where: pdfPlain, at: begin}); err != nil {
			return err
		}
		from = max(from, d.parser.at)
		switch o.value.get("Type").text {
		case "XRef":
			d.newer(o.value)
		case "ObjStm":
			packed = append(packed, o.number)
		case "Catalog":
			d.newer(pdfValue{dict: map[string]pdfValue{"Root": {kind: pdfRef, number: o.number}}})
		}
	}
	slices.Reverse(d.entries) // the later one counts
	d.sort()
	return d.searchPacked(packed)
}

func (d *pdfDocument) newer(trailer pdfValue) {
	for _, key := range []string{"Root", "Encrypt"} {
		if v := trailer.get(key); v.kind != pdfEnd {
			d.trailer[key] = v
		}
	}
}

// headOf is where the object begins whose "obj" is at an offset; -1: it is
// another word.
func (d *pdfDocument) headOf(at int64) int64 {
	const longest = 24
	b := make([]byte, min(at, longest))
	if full(d.f, b, at-int64(len(b)), "the file") != nil {
		return -1
	}
	i := len(b)
	for range 2 { // generation and number
		end := i
		for i > 0 && pdfSpace(b[i-1]) {
			i--
		}
		digits := i
		for i > 0 && b[i-1] >= '0' && b[i-1] <= '9' {
			i--
		}
		if i == digits || digits == end && end != len(b) {
			return -1
		}
	}
	return at - int64(len(b)-i)
}

// searchPacked adds the objects of object streams that are not there by themselves.
func (d *pdfDocument) searchPacked(streams []int64) error {
	var all []pdfEntry
	for _, number := range streams {
		if d.open(number) != nil {
			continue // the same
		}
		for i, n := range d.packed.numbers {
			if n < 0 || n > 1<<31 || d.find(n) != nil {
				continue
			}
			if len(all)+len(d.entries) == maxObjects {
				return overBound("objects of a PDF", maxObjects)
			}
			all = append(all, pdfEntry{number: uint32(n), where: pdfInStream, at: number, index: uint32(i)})
		}
	}
	slices.Reverse(all)
	d.entries, d.sorted = append(d.entries, all...), false
	return nil
}
