package cli

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

var csvColumns = []column[entry]{
	{"time", func(e entry) string { return e.Time.Format(time.RFC3339Nano) }},
	{"operator", func(e entry) string { return e.Operator }},
	{"operator kind", func(e entry) string { return e.ActorKind }},
	{"initiator", func(e entry) string { return e.Initiator }},
	{"event", func(e entry) string { return e.Type }},
	{"batch", func(e entry) string { return e.Batch }},
	{"document", func(e entry) string { return e.Document }},
	{"file", func(e entry) string { return e.FileID }},
	{"status before", func(e entry) string { return e.StatusBefore }},
	{"status after", func(e entry) string { return e.StatusAfter }},
	{"reason", func(e entry) string { return e.Reason }},
	{"request", func(e entry) string { return e.RequestID }},
	{"stream", func(e entry) string { return e.Stream }},
	{"partition", func(e entry) string { return count(int64(e.Partition)) }},
	{"offset", func(e entry) string { return count(e.Offset) }},
}

// byteOrderMark tells Excel that a CSV is UTF-8; else it takes it for the
// encoding of its country.
const byteOrderMark = "\ufeff"

// csvTable writes entries as CSV (RFC 4180).
type csvTable struct {
	out    io.Writer
	writer *csv.Writer
	begun  bool
}

func newCSV(out io.Writer) *csvTable {
	t := &csvTable{out: out, writer: csv.NewWriter(out)}
	t.writer.UseCRLF = true
	return t
}

func (t *csvTable) page(items []json.RawMessage) error {
	if !t.begun {
		t.begun = true
		if _, err := io.WriteString(t.out, byteOrderMark); err != nil {
			return err
		}
		if err := t.writer.Write(titlesOf(csvColumns)); err != nil {
			return err
		}
	}
	for _, raw := range items {
		var e entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		row := make([]string, len(csvColumns))
		for i, c := range csvColumns {
			row[i] = harmless(c.cell(e))
		}
		if err := t.writer.Write(row); err != nil {
			return err
		}
	}
	t.writer.Flush()
	return t.writer.Error()
}

// harmless makes a text that a spreadsheet would take as a formula one that it
// takes as text: a reason is written by anyone, and opened by an auditor. The
// wide forms count: Excel with a Chinese keyboard takes them as well.
func harmless(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + text
	}
	return text
}
