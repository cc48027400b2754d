package simulator

import "math/rand/v2"

// Phase of the faults.
type Phase string

const (
	Disturbed Phase = "disturbed"
	Recovered Phase = "recovered"
)

// Fault of a document. Those of a file are of one of its files; the others are
// sound.
type Fault string

const (
	None             Fault = ""
	Throttled        Fault = "throttled"         // 429 with Retry-After for a file
	ThrottledListing Fault = "throttled-listing" // the first time, 429 with Retry-After for the page of a listing that shows the item, until that time is over
	Unavailable      Fault = "unavailable"       // 503 for a file
	Truncated        Fault = "truncated"         // a body shorter than announced
	ExpiredURL       Fault = "expired-url"       // 403 for a file, whatever the URL
	Slow             Fault = "slow"              // a body that drips
	WrongHash        Fault = "wrong-hash"        // the listed hash is of other bytes
	MissingField     Fault = "missing-field"     // no bill id, document type, organisation or file class
	NoImageNumber    Fault = "no-image-number"
	WrongType        Fault = "wrong-type"     // a program that is called a picture
	LowResolution    Fault = "low-resolution" // 96 dpi
	EncryptedPDF     Fault = "encrypted-pdf"
	ListedTwice      Fault = "listed-twice" // the item stands in its listing twice
	Displaced        Fault = "displaced"    // while disturbed, its neighbour is listed in its place
	NeverListed      Fault = "never-listed" // counted in the total, never listed
	Vanishing        Fault = "vanishing"    // while disturbed, listed once, on whatever page, and then deleted: what follows moves up
)

// Transient faults are over in the phase recovered.
var Transient = map[Fault]bool{
	Throttled: true, ThrottledListing: true, Unavailable: true, Truncated: true, ExpiredURL: true, Slow: true, Displaced: true, Vanishing: true,
}

// faultOrder keeps the choice the same from run to run.
var faultOrder = []Fault{
	Throttled, Unavailable, Truncated, ExpiredURL, Slow, WrongHash, MissingField, NoImageNumber, WrongType, LowResolution,
	EncryptedPDF, ListedTwice, Displaced, NeverListed, ThrottledListing, Vanishing,
}

// DemoFaults are the known faults of 2,000 documents.
func DemoFaults() map[Fault]int {
	return map[Fault]int{
		Throttled: 12, Unavailable: 20, Truncated: 8, ExpiredURL: 10, Slow: 6, WrongHash: 9, MissingField: 7, NoImageNumber: 3,
		WrongType: 11, LowResolution: 5, EncryptedPDF: 4, ListedTwice: 3, Displaced: 1, NeverListed: 1,
	}
}

// shows tells whether a document's fault is at work.
func (r record) shows(fault Fault, phase Phase) bool {
	return r.fault == fault && (phase == Disturbed || !Transient[fault])
}

// spoil gives faults to documents chosen by the seed. Faults of a listing need
// a neighbour that is sound, so every chosen document stands apart.
func (c Config) spoil(records []record) {
	order := rand.New(rand.NewPCG(c.Seed, 1)).Perm(len(records) / 2)
	for _, fault := range faultOrder {
		for range c.Faults[fault] {
			records[2*order[0]+1].spoil(fault)
			order = order[1:]
		}
	}
}

// requiredFields are those without which a document is not migrated.
var requiredFields = []string{"billId", "billType", "orgNumber", "fileClass"}

func (r *record) spoil(fault Fault) {
	r.fault, r.faulty = fault, r.index/2%len(r.files)
	f := &r.files[r.faulty]
	switch fault {
	case MissingField:
		r.missing = requiredFields[r.index/2%len(requiredFields)]
	case NoImageNumber:
		r.missing = "imageNumber"
	case WrongType:
		f.format = "exe"
	case LowResolution:
		f.format, f.dpi = "png", 96
	case EncryptedPDF:
		f.format = "encrypted.pdf"
	}
}

// ofFile tells that a fault is of one of the document's files.
func (r record) ofFile() bool {
	switch r.fault {
	case Throttled, Unavailable, Truncated, ExpiredURL, Slow, WrongHash, WrongType, LowResolution, EncryptedPDF:
		return true
	case MissingField:
		return r.missing == "fileClass"
	}
	return false
}
