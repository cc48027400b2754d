package document

import (
	"strconv"

	"github.com/waybill-migration/waybill/domain"
)

// Class of a file within a document: vendor codes 0, 1 and 2.
type Class string

const (
	Cover      Class = "cover"
	Invoice    Class = "invoice"
	Attachment Class = "attachment"
)

// Listed is a document as its source listed it.
type Listed struct {
	Organization     string       `json:"organization"` // code
	OrganizationName string       `json:"organizationName,omitempty"`
	DocumentType     string       `json:"documentType"`
	BillID           string       `json:"billId,omitempty"`
	BillNumber       string       `json:"billNumber,omitempty"`
	BillDate         string       `json:"billDate,omitempty"` // YYYY-MM-DD
	Retention        string       `json:"retention,omitempty"`
	Files            []ListedFile `json:"files"`
	// Content is the SHA-256 of the item without what changes at each reading
	// (URLs); equal content is the same listing.
	Content string `json:"content"`
	// Raw is where the item is kept exactly as the source sent it.
	Raw domain.Stored `json:"raw"`
}

// ListedFile is a file as its source listed it, without its URL.
type ListedFile struct {
	ID       string `json:"id"` // unique within the document
	PID      string `json:"pid,omitempty"`
	Class    Class  `json:"class,omitempty"` // empty: the source gave none that is known
	Sequence int    `json:"sequence"`
	Name     string `json:"name"`
	Type     string `json:"type,omitempty"` // declared extension, lower case, no dot
	Size     int64  `json:"size"`           // declared bytes
	Hash     string `json:"hash,omitempty"` // declared, lower-case hex
	// HashAlgorithm of Hash: the source's setting when it was listed.
	HashAlgorithm string `json:"hashAlgorithm,omitempty"`
	Rendition     bool   `json:"rendition,omitempty"` // originalState 0
}

func (l Listed) dimensions() Dimensions {
	return Dimensions{l.Organization, l.DocumentType, l.BillDate}
}

// Bounded cuts texts that no honest source sends, so that the events stay
// within the limit of a record, and makes the files' ids unique. What is
// bounded already stays as it is.
func (l Listed) Bounded() Listed {
	for _, text := range []*string{
		&l.Organization, &l.OrganizationName, &l.DocumentType, &l.BillID, &l.BillNumber, &l.BillDate, &l.Retention,
	} {
		*text = cut(*text)
	}
	files := make([]ListedFile, len(l.Files))
	ids := make(uniqueIDs, len(l.Files))
	for i, f := range l.Files {
		for _, text := range []*string{&f.ID, &f.PID, &f.Name, &f.Type, &f.Hash} {
			*text = cut(*text)
		}
		f.ID = ids.take(f.ID)
		files[i] = f
	}
	l.Files = files
	return l
}

// uniqueIDs counts how often each id was asked for.
type uniqueIDs map[string]int

// take gives the id, or the first of id#2, id#3, ... that is free.
func (u uniqueIDs) take(id string) string {
	if u[id] == 0 && id != "" {
		u[id] = 1
		return id
	}
	stem := domain.TruncateTo(id, maxField-60) // leaves room, so that cutting it again changes nothing
	for {
		u[id]++
		numbered := stem + "#" + strconv.Itoa(u[id])
		if u[numbered] == 0 {
			u[numbered] = 1
			return numbered
		}
	}
}

const maxField = 300 // bytes; the longest that any rule allows is 256

func cut(text string) string {
	if len(text) <= maxField {
		return text
	}
	return domain.TruncateTo(text, maxField-40) // leaves room for the note on its length
}
