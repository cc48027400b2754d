// Package list is the aggregate of an uploaded list: the numbers of images or
// of bills that another system has, such as an ERP's vouchers. A batch takes it
// as its scope, and says of each of its entries whether the source has it.
//
// Rules:
//
//   - A list is uploaded whole and never changed: a batch names it by its id, and
//     carries its count and its digest. A corrected list is another list.
//   - Its entries are a set. Texts are trimmed; empty ones and those that came
//     before are left out, and counted.
//   - It is bounded, and each of its events fits a record.
package list

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Limits of a list.
const (
	MaxEntries = 500_000
	MaxEntry   = 300      // bytes
	MaxBytes   = 16 << 20 // of an upload, and of all entries together
	maxName    = 200      // bytes, of its name and of its column's
	// maxPage is how many bytes of entries one event takes: less than a record
	// (900 KB) has room for.
	maxPage = 700_000
)

// Kind is what a list's entries are.
type Kind string

// The kinds of lists.
const (
	ImageNumbers Kind = "imageNumber"
	BillNumbers  Kind = "billNumber"
)

// Head is a list without its entries.
type Head struct {
	ID     string `json:"id"`
	Kind   Kind   `json:"kind"`
	Count  int    `json:"count"`
	Digest string `json:"digest"` // of the set of entries, whatever their order
}

// State of a list. The zero State is one that does not exist.
type State struct {
	Head
	Name    string
	Entries []string // in the order of the upload
	Version int      // events folded
}

// Exists tells whether the list was uploaded.
func (s State) Exists() bool { return s.Version > 0 }

// Command is what can be asked of a list.
type Command interface{ listCommand() }

// Upload makes a list.
type Upload struct {
	ID     string
	Name   string // for people, such as the name of the file
	Kind   Kind
	Column string // of the table, by its title or its letter
	Cells  []Cell
}

// Cell of an uploaded table's column.
type Cell struct {
	Row  int // as a spreadsheet counts, for refusals
	Text string
}

func (Upload) listCommand() {}

// Event is what can happen to a list.
type Event interface{ listEvent() }

type (
	// Uploaded: there is a list; its entries follow.
	Uploaded struct {
		Head
		Name       string `json:"name"`
		Column     string `json:"column"`
		Blank      int    `json:"blank"`      // cells without a text
		Duplicates int    `json:"duplicates"` // cells of an entry that had come before
	}
	// EntriesAdded: the next of the list's entries.
	EntriesAdded struct {
		First   int      `json:"first"` // how many came before
		Entries []string `json:"entries"`
	}
)

func (Uploaded) listEvent()     {}
func (EntriesAdded) listEvent() {}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Uploaded:
		s.Head, s.Name = e.Head, e.Name
	case EntriesAdded:
		s.Entries = append(s.Entries, e.Entries...)
	}
	return s
}

// digestOf a set of entries.
func digestOf(entries []string) string {
	sum := sha256.New()
	for _, entry := range slices.Sorted(slices.Values(entries)) {
		sum.Write([]byte(entry + "\n")) // no entry has a line break
	}
	return hex.EncodeToString(sum.Sum(nil))
}
