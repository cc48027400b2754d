package simulator

import (
	"net/http"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Truth is what the simulator serves, and what a migration of all of it must
// arrive at in either phase. What a retry in the phase recovered arrives at is
// the same as what a first run in it does, once slices with a shortfall were
// listed again.
type Truth struct {
	Documents []TruthDocument   `json:"documents"`
	Listings  map[Phase]Figures `json:"listings"`
}

// Figures of all listings together.
type Figures struct {
	Total      int `json:"total"`      // what the source says
	Distinct   int `json:"distinct"`   // documents that are listed
	Duplicates int `json:"duplicates"` // rows that show a document again
	Shortfall  int `json:"shortfall"`  // total - distinct
}

// TruthDocument is a document with the SHA-256 of its files' bytes.
type TruthDocument struct {
	ImageNumber string            `json:"imageNumber"` // empty when the item has none
	Resource    string            `json:"resource"`
	BillNumber  string            `json:"billNumber"`
	Fault       Fault             `json:"fault"`
	FaultyFile  string            `json:"faultyFile"` // id; empty when the fault is not of a file
	Files       []TruthFile       `json:"files"`
	Expected    map[Phase]Outcome `json:"expected"`
}

// TruthFile is a file as served.
type TruthFile struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

// Outcome of a document's migration under the profile flagship as it is built
// in. A document that is not listed has no status.
type Outcome struct {
	Status   document.Status `json:"status,omitempty"`
	Category domain.Category `json:"category,omitempty"`
	Code     string          `json:"code,omitempty"`
	Rule     string          `json:"rule,omitempty"`
}

var (
	migrated = Outcome{Status: document.StatusMigrated}
	unlisted = Outcome{}
)

// outcomes of the faults that are at work; a document with another fault, or
// none, is migrated.
var outcomes = map[Fault]Outcome{
	Throttled:     {document.StatusFailed, domain.SourceThrottled, "http-429", ""},
	Unavailable:   {document.StatusFailed, domain.SourceUnavailable, "http-503", ""},
	Truncated:     {document.StatusFailed, domain.SourceUnavailable, "body-truncated", ""},
	ExpiredURL:    {document.StatusFailed, domain.SourceUnavailable, "http-403", ""},
	WrongHash:     {document.StatusFailed, domain.Integrity, "hash-mismatch", "R12"},
	MissingField:  {document.StatusFailed, domain.MissingField, "field-missing", "R03"},
	NoImageNumber: {document.StatusFailed, domain.MissingField, "image-number-missing", "R01"},
	WrongType:     {document.StatusFailed, domain.FormatMismatch, "type-unsupported", "R05"},
	LowResolution: {document.StatusFailed, domain.FormatMismatch, "resolution-low", "R08"},
	EncryptedPDF:  {document.StatusFailed, domain.FormatMismatch, "encrypted-or-active", "R19"},
	Vanishing:     {document.StatusFailed, domain.SourceRejected, "not-found", ""},
	Displaced:     unlisted,
	NeverListed:   unlisted,
}

func (r record) outcome(phase Phase) Outcome {
	if found, ok := outcomes[r.fault]; ok && r.shows(r.fault, phase) {
		return found
	}
	return migrated
}

// Truth of the data set.
func (s *Simulator) Truth() Truth {
	t := Truth{Listings: map[Phase]Figures{Disturbed: s.figures(Disturbed), Recovered: s.figures(Recovered)}}
	for i, r := range s.records {
		t.Documents = append(t.Documents, s.truth(i, r))
	}
	return t
}

func (s *Simulator) truth(i int, r record) TruthDocument {
	d := TruthDocument{
		ImageNumber: r.imageNumber, Resource: r.resource, BillNumber: r.billNumber, Fault: r.fault,
		Expected: map[Phase]Outcome{Disturbed: r.outcome(Disturbed), Recovered: r.outcome(Recovered)},
	}
	if r.missing == "imageNumber" {
		d.ImageNumber = ""
	}
	if r.ofFile() {
		d.FaultyFile = r.files[r.faulty].id
	}
	found := s.made(i)
	for n, f := range r.files {
		d.Files = append(d.Files, TruthFile{ID: f.id, SHA256: found[n].sha256, Bytes: found[n].size})
	}
	return d
}

// figures of listings that each have a sound document beside a displaced one.
func (s *Simulator) figures(phase Phase) Figures {
	f := Figures{Total: len(s.records)}
	for _, r := range s.records {
		switch {
		case r.shows(NeverListed, phase):
			f.Shortfall++
		case r.shows(Displaced, phase):
			f.Shortfall++
			f.Duplicates++
		case r.shows(ListedTwice, phase):
			f.Duplicates++
		}
	}
	f.Distinct = f.Total - f.Shortfall
	return f
}

func (s *Simulator) getTruth(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.Truth())
}
