// Package simulator is a stand-in for the standard-edition imaging system: it
// serves the protocol of domain.md ("The source") over HTTP, with real files
// of real formats, from a data set that is a function of a seed.
//
// Faults are chosen by item and by phase, never by request count or chance, so
// that a restart of anything changes no figure. In the phase disturbed all of
// them show; in recovered the transient ones are over.
package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Fault of a document.
type Fault string

const (
	None          Fault = ""
	Throttled     Fault = "throttled"     // 429 with Retry-After for a file
	Unavailable   Fault = "unavailable"   // 503 for a file
	Truncated     Fault = "truncated"     // a body shorter than announced
	ExpiredURL    Fault = "expired-url"   // 403 for a file, whatever the URL
	Slow          Fault = "slow"          // a body that drips
	WrongHash     Fault = "wrong-hash"    // the listed hash is of other bytes
	MissingField  Fault = "missing-field" // no bill id
	NoImageNumber Fault = "no-image-number"
	WrongType     Fault = "wrong-type"     // a program that is called a picture
	LowResolution Fault = "low-resolution" // 96 dpi
	EncryptedPDF  Fault = "encrypted-pdf"
	ListedTwice   Fault = "listed-twice" // the item stands in its listing twice
	Displaced     Fault = "displaced"    // while disturbed, its neighbour is listed in its place
	NeverListed   Fault = "never-listed" // counted in the total, never listed
)

// Transient faults are over in the phase recovered.
var Transient = map[Fault]bool{Throttled: true, Unavailable: true, Truncated: true, ExpiredURL: true, Slow: true, Displaced: true}

// Config of a data set.
type Config struct {
	Seed      uint64
	Documents int
	Faults    map[Fault]int // how many documents have each
	From, To  string        // bill dates, YYYY-MM-DD, both inclusive
	FileSize  int           // bytes, about
	MaxFiles  int           // of a document, 1 to this, in turn
}

// DemoFaults are the known faults of 2,000 documents.
func DemoFaults() map[Fault]int {
	return map[Fault]int{
		Throttled: 12, Unavailable: 20, Truncated: 8, ExpiredURL: 10, Slow: 6, WrongHash: 9, MissingField: 7, NoImageNumber: 3,
		WrongType: 11, LowResolution: 5, EncryptedPDF: 4, ListedTwice: 3, Displaced: 1, NeverListed: 1,
	}
}

// Document of the data set.
type Document struct {
	Index       int
	ImageNumber string
	Resource    string
	BillID      string
	BillNumber  string
	BillType    string
	Org         string
	BillDate    string
	Fault       Fault
	Files       []File
}

// File of a document.
type File struct {
	ID       string
	Class    int // 0 cover, 1 invoice, 2 attachment
	Sequence int
	Name     string
	Format   string // extension
	DPI      int
	Size     int
}

var (
	organizations = []string{"ORG-001", "ORG-002", "ORG-003", "ORG-004", "ORG-005"}
	billTypes     = []string{"er_dailyreimburse", "er_tripreimburse", "ap_invoice", "gl_voucher"}
	resources     = []string{"EAS", "K3CLOUD", "影像平台"}
	formats       = []string{"pdf", "jpg", "pdf", "png", "tif", "pdf", "jpg", "ofd", "jpg", "xml", "png", "pdf", "jpg"}
)

// generate makes the documents, in order of bill date.
func generate(c Config) ([]Document, error) {
	from, err := time.Parse(time.DateOnly, c.From)
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	to, err := time.Parse(time.DateOnly, c.To)
	if err != nil || to.Before(from) {
		return nil, fmt.Errorf("to: not a date after %s", c.From)
	}
	days := int(to.Sub(from).Hours()/24) + 1
	documents := make([]Document, c.Documents)
	for i := range documents {
		documents[i] = c.document(i, from.AddDate(0, 0, i*days/c.Documents).Format(time.DateOnly))
	}
	return documents, c.spoil(documents)
}

func (c Config) document(i int, date string) Document {
	d := Document{
		Index: i, ImageNumber: fmt.Sprintf("IMG-%d-%08d", c.Seed, i), Resource: resources[i%len(resources)],
		BillID: fmt.Sprintf("B%d_%d", c.Seed, i), BillNumber: fmt.Sprintf("BILL-%06d", i), BillType: billTypes[i%len(billTypes)],
		Org: organizations[i%len(organizations)], BillDate: date,
	}
	if i%97 == 5 { // what an image number may hold, too
		d.ImageNumber = fmt.Sprintf("影像 %d/%d 号%%+#?", c.Seed, i)
	}
	for n := range 1 + i%max(c.MaxFiles, 1) {
		format := formats[(i*7+n)%len(formats)]
		d.Files = append(d.Files, File{
			ID: fmt.Sprintf("f%d-%d", i, n), Class: min(n, 2), Sequence: n + 1, Name: fmt.Sprintf("扫描件 %d-%d.%s", i, n, format),
			Format: format, DPI: 300, Size: c.FileSize/2 + (i*31+n*17)%max(c.FileSize, 1),
		})
	}
	return d
}

// spoil gives faults to documents chosen by the seed. Faults of a listing need
// a neighbour that is sound, so every chosen document stands apart.
func (c Config) spoil(documents []Document) error {
	order := rand.New(rand.NewPCG(c.Seed, 1)).Perm(max(len(documents)/2, 0))
	for _, fault := range faultOrder {
		for range c.Faults[fault] {
			if len(order) == 0 {
				return fmt.Errorf("%d documents are too few for so many faults", len(documents))
			}
			d := &documents[2*order[0]+1]
			order = order[1:]
			d.Fault = fault
			d.spoil()
		}
	}
	return nil
}

// faultOrder keeps the choice the same from run to run.
var faultOrder = []Fault{
	Throttled, Unavailable, Truncated, ExpiredURL, Slow, WrongHash, MissingField, NoImageNumber, WrongType, LowResolution,
	EncryptedPDF, ListedTwice, Displaced, NeverListed,
}

func (d *Document) spoil() {
	f := &d.Files[0]
	switch d.Fault {
	case MissingField:
		d.BillID = ""
	case NoImageNumber:
		d.ImageNumber = ""
	case WrongType:
		f.Format = "exe"
	case LowResolution:
		f.Format, f.DPI = "png", 96
	case EncryptedPDF:
		f.Format = "encrypted.pdf"
	}
}
