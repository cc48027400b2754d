package list

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waybill-migration/waybill/domain"
)

// Decide answers a command with the events it causes, or refuses it.
func Decide(s State, command Command) ([]Event, error) {
	c, ok := command.(Upload)
	if !ok {
		return nil, nil
	}
	if s.Exists() {
		return nil, domain.RefuseConflict("list-exists", "there is a list %q; a list is not changed, upload another", c.ID)
	}
	if c.Kind != ImageNumbers && c.Kind != BillNumbers {
		return nil, domain.RefuseInvalid("kind", "list-kind-unknown", "the entries of a list are %ss or %ss, got %q", ImageNumbers, BillNumbers, domain.TruncateTo(string(c.Kind), 100))
	}
	taken, err := take(c.Cells)
	if err != nil {
		return nil, err
	}
	uploaded := Uploaded{
		Head: Head{ID: c.ID, Kind: c.Kind, Count: len(taken.entries), Digest: digestOf(taken.entries)},
		Name: domain.TruncateTo(strings.TrimSpace(c.Name), maxName), Column: domain.TruncateTo(c.Column, maxName), Blank: taken.blank, Duplicates: taken.duplicates,
	}
	return append([]Event{uploaded}, pages(taken.entries)...), nil
}

// taken is what cells come to.
type taken struct {
	entries           []string
	blank, duplicates int
}

func take(cells []Cell) (t taken, err error) {
	seen := make(map[string]struct{}, min(len(cells), MaxEntries))
	bytes := 0
	for _, cell := range cells {
		entry := strings.TrimSpace(cell.Text)
		if entry == "" {
			t.blank++
			continue
		}
		if err := check(entry, cell.Row); err != nil {
			return t, err
		}
		if _, before := seen[entry]; before {
			t.duplicates++
			continue
		}
		seen[entry] = struct{}{}
		t.entries = append(t.entries, entry)
		if bytes += len(entry); len(t.entries) > MaxEntries || bytes > MaxBytes {
			return t, domain.RefuseInvalid("", "list-too-large", "a list has %d entries of %d MiB together at most, which row %d exceeds: make several lists", MaxEntries, MaxBytes>>20, cell.Row)
		}
	}
	if len(t.entries) == 0 {
		return t, domain.RefuseInvalid("", "list-empty", "the list has no entry: its column is empty, or it is another column's")
	}
	return t, nil
}

func check(entry string, row int) error {
	switch {
	case len(entry) > MaxEntry:
		return domain.RefuseInvalid("", "list-entry-invalid", "row %d: an entry has %d bytes at most, this one has %d: %q", row, MaxEntry, len(entry), domain.TruncateTo(entry, 60))
	case !utf8.ValidString(entry) || strings.ContainsFunc(entry, unicode.IsControl):
		return domain.RefuseInvalid("", "list-entry-invalid", "row %d: an entry is a text of one line, got %q", row, domain.TruncateTo(strings.ToValidUTF8(entry, "\uFFFD"), 60))
	}
	return nil
}

// pages cuts entries into events.
func pages(entries []string) (all []Event) {
	first, bytes := 0, 0
	for i, entry := range entries {
		size := encodedSize(entry)
		if bytes+size > maxPage {
			all = append(all, EntriesAdded{First: first, Entries: entries[first:i]})
			first, bytes = i, 0
		}
		bytes += size
	}
	return append(all, EntriesAdded{First: first, Entries: entries[first:]})
}

// encodedSize of an entry as an event carries it.
func encodedSize(entry string) int {
	encoded, _ := json.Marshal(entry) // a text always encodes
	return len(encoded) + len(",")
}
