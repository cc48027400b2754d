package rest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const (
	// exportPage is how many entries are in memory, and how many a statement
	// reads: no transaction lasts as long as the export.
	exportPage = 1000
	// exportBuffer gathers what goes to the connection at once.
	exportBuffer = 64 << 10
	// exportRecordTimeout bounds the record of how an export ended, whose client
	// may be gone.
	exportRecordTimeout = 5 * time.Second
)

// errGone: the client takes nothing more.
var errGone = errors.New("the client is gone")

// entryWriter writes entries in a format.
type entryWriter interface {
	entry(AuditEntry) error
	close() error
}

// sending is one answer that is made while it is sent.
type sending struct {
	*server
	mayStill func(context.Context) error // asks again whether the client may read

	clientWriter
	asked time.Time // whether the client may still
}

// send what is written.
func (s *sending) send(c huma.Context, write func(context.Context, io.Writer) error) error {
	gin := humagin.Unwrap(c)
	s.clientWriter, s.asked = clientWriter{http.NewResponseController(gin.Writer), gin.Writer}, time.Now()
	ctx, cancel := context.WithTimeout(c.Context(), maxExport)
	defer cancel()
	buffer := bufio.NewWriterSize(&s.clientWriter, exportBuffer)
	if err := write(ctx, buffer); err != nil {
		return err
	}
	return buffer.Flush()
}

// cut an answer off that could not be completed. As in reading.answer: without
// its end, the client knows.
func (s *sending) cut(ctx context.Context, err error) {
	if err == nil {
		return
	}
	if _, told := problemOf(err); !told && !errors.Is(err, errGone) && !errors.Is(err, errEnding) {
		requestOf(ctx).failure = err
	}
	_ = s.out.SetWriteDeadline(time.Unix(1, 0))
}

// tend stops when the process ends, and when the client may no longer read.
func (s *sending) tend(ctx context.Context) error {
	select {
	case <-s.Ending:
		return errEnding
	default:
	}
	if time.Since(s.asked) < heartbeat {
		return nil
	}
	s.asked = time.Now()
	return s.mayStill(ctx)
}

// exporting is one answer that exports the audit log.
type exporting struct {
	sending
	filter  projections.AuditFilter
	meta    wire.Metadata
	format  access.Format
	resumed bool

	rows int64 // written; what arrived may be less
	last string
}

// answer sends the entries and records what became of it.
func (e *exporting) answer(c huma.Context) {
	err := e.send(c, e.write)
	e.ended(c.Context(), err)
	e.cut(c.Context(), err)
}

func (e *exporting) write(ctx context.Context, to io.Writer) error {
	w, err := e.writer(to)
	if err != nil {
		return err
	}
	e.filter.Limit = exportPage
	for {
		entries, err := e.page(ctx)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if err := w.entry(entry); err != nil {
				return err
			}
			e.rows++
			e.last = fmt.Sprintf("%d:%d", entry.Partition, entry.Offset)
		}
		if len(entries) < exportPage {
			break
		}
	}
	return w.close()
}

func (e *exporting) writer(to io.Writer) (entryWriter, error) {
	switch e.format {
	case access.NDJSON:
		return newNDJSON(to), nil
	case access.XLSX:
		return newWorkbook(to, "Audit", auditColumns, maxSheetRows)
	default:
		return newCSV(to, e.resumed)
	}
}

// page reads the entries that follow.
func (e *exporting) page(ctx context.Context) ([]AuditEntry, error) {
	if err := e.tend(ctx); err != nil {
		return nil, err
	}
	found, err := projections.Audit(ctx, e.Views, e.filter)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	e.filter.After = found[len(found)-1].Cursor()
	entries := make([]AuditEntry, len(found))
	for i, entry := range found {
		entries[i] = entryOf(entry)
	}
	return entries, e.addAddresses(ctx, entries)
}

// clientWriter writes to the client now. One that takes nothing for as long as a
// request may last is given up.
type clientWriter struct {
	out *http.ResponseController
	to  io.Writer
}

func (w *clientWriter) Write(content []byte) (int, error) {
	if err := w.out.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	n, err := w.to.Write(content)
	if err == nil {
		err = w.out.Flush()
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	return n, err
}

// ended records the export's end in the audit log.
func (e *exporting) ended(ctx context.Context, err error) {
	c := access.EndExport{Rows: e.rows, Complete: err == nil, Last: e.last}
	switch {
	case err == nil:
	case errors.Is(err, errGone) || errors.Is(err, context.Canceled):
		c.Reason = "the client went, or took nothing for a minute"
	case errors.Is(err, context.DeadlineExceeded):
		c.Reason = "it lasted too long"
	case errors.Is(err, errEnding):
		c.Reason = "the process was stopped"
	default:
		p, _ := problemOf(err)
		c.Reason = p.Code
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exportRecordTimeout)
	defer cancel()
	if err := e.Handler.EndExport(ctx, e.meta, c); err != nil {
		e.Log.Error("the end of an export is not in the audit log", "request", e.meta.RequestID, "rows", c.Rows, "complete", c.Complete, "error", err)
	}
}

// ndjsonWriter writes entries as the API has them, one a line.
type ndjsonWriter struct{ *json.Encoder }

func newNDJSON(to io.Writer) ndjsonWriter {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	return ndjsonWriter{encoder}
}

func (w ndjsonWriter) entry(e AuditEntry) error { return w.Encode(e) }

func (w ndjsonWriter) close() error { return nil }
