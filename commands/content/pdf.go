package content

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/waybill-migration/waybill/domain/rules"
)

// inspectPDF checks a PDF's structure: its cross-reference (tables, streams,
// both, of all revisions), that every object is where it says and parses to
// its end, object streams among them, and that the tree of pages is whole.
// What pages show is not drawn.
//
// It is a reader of our own because a library's would decide what a worker
// survives. pdfcpu keeps all objects of a document in memory, has overflowed
// the stack on files met on the web (pdfcpu issues 313 and 457; Go cannot
// recover from that) and stalled on others (650, 856, 1459), and its validation
// refuses files that every viewer shows (474), which would hold back scans
// that are fine. Its newer versions bound what a stream inflates to; that is
// one of the bounds that are needed.
//
// As viewers do, it is lenient where writers are wrong: when the
// cross-reference does not lead to whole pages, the objects are looked for in
// the file itself.
func inspectPDF(f *file, found *rules.Found) error {
	start, err := pdfStart(f)
	if err != nil {
		return err
	}
	d := newPDF(f)
	err = d.sections(start)
	if err == nil {
		err = d.document(found)
	}
	var over exceeded
	var acts active
	if err == nil || f.broken != nil || f.late != nil || errors.As(err, &over) || errors.As(err, &acts) || errors.Is(err, errOther) {
		return err
	}
	again := newPDF(f)
	again.inflated = d.inflated
	if again.search() == nil {
		switch second := again.document(found); {
		case second == nil, errors.As(second, &over), errors.As(second, &acts), errors.Is(second, errOther):
			return second
		}
	}
	return err // why the file's own way fails says more than why the search does
}

// pdfTail is where readers look for the end of a PDF, once padding is left out.
const pdfTail = 2048

// pdfStart is where the file says that its cross-reference begins; 0 when it
// says so badly.
func pdfStart(f *file) (int64, error) {
	head := make([]byte, min(f.size, 1024))
	if err := full(f, head, 0, "its header"); err != nil {
		return 0, err
	}
	if !bytes.Contains(head, []byte("%PDF-")) {
		return 0, errors.New("it does not begin as a PDF")
	}
	tail, err := paddedTail(f)
	if err != nil {
		return 0, err
	}
	at := bytes.LastIndex(tail, []byte("startxref"))
	if at < 0 && !bytes.Contains(tail, []byte("%%EOF")) {
		return 0, errors.New("it has no end (startxref, %%EOF): it was cut off, or is no PDF")
	}
	if at < 0 {
		return 0, nil
	}
	token, err := newPDFLexer(bytes.NewReader(tail[at+len("startxref"):])).token()
	if err != nil || !token.whole {
		return 0, nil //nolint:nilerr // said badly: it is looked for
	}
	return token.number, nil
}

// paddedTail is the end of the file without the zeros and blanks that some
// systems fill their blocks with.
func paddedTail(f *file) ([]byte, error) {
	for end := f.size; end > 0; {
		tail := make([]byte, min(end, pdfTail))
		if err := full(f, tail, end-int64(len(tail)), "its end"); err != nil {
			return nil, err
		}
		trimmed := bytes.TrimRight(tail, "\x00 \t\r\n\x1a")
		if len(trimmed) == len(tail) || end <= pdfTail {
			return trimmed, nil
		}
		end -= int64(len(tail) - len(trimmed))
	}
	return nil, nil
}

// pdfDocument is a PDF being read.
type pdfDocument struct {
	f        *file
	parser   pdfParser
	entries  []pdfEntry // by number, once sorted
	trailer  map[string]pdfValue
	sorted   bool
	arrays   bool // objects that are arrays are kept
	inflated int64
	packed   pdfPacked // the object stream that was read last
}

func newPDF(f *file) *pdfDocument {
	return &pdfDocument{f: f, parser: pdfParser{pdfLexer: newPDFLexer(f)}, trailer: map[string]pdfValue{}}
}

// pdfEntry says where an object is: at an offset of the file, or in an object
// stream.
type pdfEntry struct {
	number uint32
	where  pdfPlace
	node   pdfNode
	at     int64  // offset, or number of the object stream
	index  uint32 // in the object stream
}

type pdfPlace uint8

const (
	pdfFree pdfPlace = iota
	pdfPlain
	pdfInStream
)

// add an entry. The newest revision is read first, and its entries count.
func (d *pdfDocument) add(e pdfEntry) error {
	if len(d.entries) == maxObjects {
		return overBound("objects of a PDF", maxObjects)
	}
	d.entries = append(d.entries, e)
	return nil
}

// sort makes entries findable by number.
func (d *pdfDocument) sort() {
	slices.SortStableFunc(d.entries, func(a, b pdfEntry) int { return cmp.Compare(a.number, b.number) })
	d.entries = slices.CompactFunc(d.entries, func(a, b pdfEntry) bool { return a.number == b.number })
	d.sorted = true
}

// find an object's entry; nil when it has none, which is null to a reader.
func (d *pdfDocument) find(number int64) *pdfEntry {
	if !d.sorted {
		return nil
	}
	i, ok := slices.BinarySearchFunc(d.entries, number, func(e pdfEntry, number int64) int { return cmp.Compare(int64(e.number), number) })
	if !ok || d.entries[i].where == pdfFree {
		return nil
	}
	return &d.entries[i]
}

// document checks the objects and counts the pages.
func (d *pdfDocument) document(found *rules.Found) error {
	if e := d.trailer["Encrypt"]; e.kind == pdfRef || e.kind == pdfDict {
		return active("an encrypted PDF")
	}
	root := d.trailer["Root"]
	if root.kind != pdfRef {
		return errors.New("its trailer names no root")
	}
	d.sort()
	if err := d.objects(); err != nil {
		return err
	}
	catalog, err := d.object(root.number)
	if err != nil {
		return err
	}
	if catalog.get("Pages").kind == pdfEnd {
		return errors.New("its root has no tree of pages")
	}
	pages, err := d.pages(catalog.get("Pages"))
	if err != nil {
		return err
	}
	if pages == 0 {
		return errors.New("it has no pages")
	}
	found.Pages = pages
	return nil
}

// objects reads each one, in the order of the file.
func (d *pdfDocument) objects() error {
	order := make([]uint32, 0, len(d.entries))
	for i, e := range d.entries {
		if e.where != pdfFree {
			order = append(order, uint32(i))
		}
	}
	slices.SortFunc(order, func(a, b uint32) int {
		x, y := d.entries[a], d.entries[b]
		return cmp.Or(cmp.Compare(x.where, y.where), cmp.Compare(x.at, y.at), cmp.Compare(x.index, y.index))
	})
	for _, i := range order {
		e := &d.entries[i]
		v, err := d.read(*e)
		if err != nil {
			return fmt.Errorf("object %d: %w", e.number, err)
		}
		e.node = nodeOf(v)
	}
	return nil
}
