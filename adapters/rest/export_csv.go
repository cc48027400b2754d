package rest

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waybill-migration/waybill/domain"
)

// column of a table that people read.
type column[E any] struct {
	title  string
	width  int // in characters, where there are widths
	number bool
	text   func(*E) string
}

// auditColumns: the last two say where to go on.
var auditColumns = []column[AuditEntry]{
	{"time", 28, false, func(e *AuditEntry) string { return e.Time.Format(time.RFC3339Nano) }},
	{"operator", 18, false, func(e *AuditEntry) string { return e.Operator }},
	{"operator kind", 12, false, func(e *AuditEntry) string { return e.ActorKind }},
	{"initiator", 18, false, func(e *AuditEntry) string { return e.Initiator }},
	{"approver", 18, false, func(e *AuditEntry) string { return e.Approver }},
	{"client address", 16, false, func(e *AuditEntry) string { return e.ClientAddress }},
	{"action", 26, false, func(e *AuditEntry) string { return e.Action }},
	{"batch", 26, false, func(e *AuditEntry) string { return e.Batch }},
	{"document", 26, false, func(e *AuditEntry) string { return e.Document }},
	{"image number", 26, false, imageOf},
	{"file", 18, false, func(e *AuditEntry) string { return e.FileID }},
	{"status before", 13, false, func(e *AuditEntry) string { return e.StatusBefore }},
	{"status after", 13, false, func(e *AuditEntry) string { return e.StatusAfter }},
	{"reason", 60, false, func(e *AuditEntry) string { return e.Reason }},
	{"request", 38, false, func(e *AuditEntry) string { return e.RequestID }},
	{"event", 38, false, func(e *AuditEntry) string { return e.Type }},
	{"stream", 40, false, func(e *AuditEntry) string { return e.Stream }},
	{"partition", 9, true, func(e *AuditEntry) string { return strconv.Itoa(e.Partition) }},
	{"offset", 10, true, func(e *AuditEntry) string { return strconv.FormatInt(e.Offset, 10) }},
}

// imageOf a document is its image number as it is, where its id in the API is
// encoded.
func imageOf(e *AuditEntry) string {
	if e.Document == "" {
		return ""
	}
	id, _ := domain.ParseDocumentStream(e.Stream) // it has parsed before
	return id.ImageNumber
}

// byteOrderMark tells Excel that a CSV is UTF-8; else it takes it for the
// encoding of its country.
const byteOrderMark = "\ufeff"

// csvWriter writes entries as CSV (RFC 4180).
type csvWriter struct {
	*csv.Writer
	row []string
}

// newCSV begins one with titles, or goes on with one.
func newCSV(to io.Writer, resumed bool) (*csvWriter, error) {
	w := &csvWriter{csv.NewWriter(to), make([]string, len(auditColumns))}
	w.UseCRLF = true
	if resumed {
		return w, nil
	}
	if _, err := io.WriteString(to, byteOrderMark); err != nil {
		return nil, err
	}
	for i, c := range auditColumns {
		w.row[i] = c.title
	}
	return w, w.Write(w.row)
}

func (w *csvWriter) entry(e AuditEntry) error {
	for i, c := range auditColumns {
		w.row[i] = harmless(c.text(&e))
	}
	return w.Write(w.row)
}

func (w *csvWriter) close() error {
	w.Flush()
	return w.Error()
}

// harmless makes a text that a spreadsheet would take as a formula one that it
// takes as text: a reason is written by anyone, and opened by an auditor. The
// wide forms count: Excel with a Chinese keyboard takes them as well. A text
// that begins with the mark itself gets another, so that taking one off gives
// back every text.
func harmless(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠'", first) {
		return "'" + text
	}
	return text
}
