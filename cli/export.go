package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

const (
	asCSV    = "csv"
	asNDJSON = "ndjson"
	asXLSX   = "xlsx"
)

func auditExport(k *connection) *cobra.Command {
	var f filters
	var format, path string
	c := &cobra.Command{
		Use: "export", Short: "The whole audit log, or what is chosen of it, as CSV, NDJSON or a workbook", Args: takes(0),
		Long: "Exports the audit log as of the moment at which it begins, in constant memory. When the connection breaks, the export goes on after the last line that came whole; a workbook begins again, for which it needs --file. " +
			"The CSV opens in Excel, Chinese text too, and a text that Excel would take as a formula has a ' in front. NDJSON has the API's own entries, one a line. A file that is named with --file appears when it is whole. The export is itself in the audit log.\n" + exitCodes,
	}
	auditFilters(k, c, &f)
	c.Flags().StringVar(&format, "format", asCSV, "csv, ndjson or xlsx")
	c.Flags().StringVarP(&path, "file", "f", "", "where to; else standard output")
	choices(c, "format", asCSV, asNDJSON, asXLSX)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		if format != asCSV && format != asNDJSON && format != asXLSX {
			return usage("--format must be %s, %s or %s, is %q", asCSV, asNDJSON, asXLSX, format)
		}
		query := f.query()
		query.Set("format", format)
		return whole(path, s.out, func(out io.Writer) error {
			e := &export{session: s, query: query, out: out, progress: newMeter(s.remarks)}
			if format == asXLSX {
				return e.run(ctx, e.workbook)
			}
			buffer := bufio.NewWriter(out)
			e.lines, e.out = linesOf(format), buffer
			return errors.Join(e.run(ctx, e.part), buffer.Flush())
		})
	})
}

// whole writes a file that appears when it is whole, or to a stream.
func whole(path string, stream io.Writer, write func(io.Writer) error) error {
	if path == "" {
		return write(stream)
	}
	part := path + ".part"
	file, err := os.Create(part)
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, path)
}

// export of the audit log, in as many parts as the connection breaks it into.
type export struct {
	*session
	query    url.Values
	lines    lines
	out      io.Writer
	progress *meter

	head    []byte // the titles, until there is an entry
	last    []byte // line that came whole
	entries int
	failed  error // of the output: no part would mend it
}

func (e *export) run(ctx context.Context, part func(context.Context) (further bool, err error)) error {
	defer e.progress.end()
	err := e.Persevere(ctx, func() (bool, error) {
		further, err := part(ctx)
		if e.failed != nil {
			return false, nil //nolint:nilerr // trying again would not mend the output; it is told below
		}
		return further, err
	})
	if err = errors.Join(e.failed, err); err != nil {
		return fmt.Errorf("the export broke off after %d entries: %w", e.entries, err)
	}
	return nil
}

// part goes on after the last line, up to where the first part leads.
func (e *export) part(ctx context.Context) (further bool, err error) {
	if e.last != nil {
		cursor, err := e.lines.cursor(e.last)
		if err != nil {
			return false, err
		}
		e.query.Set("cursor", cursor)
	}
	stream, err := e.open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = stream.Close() }()
	before, titles := e.entries, e.lines.titles && e.last == nil
	scanner := e.lines.scanner(stream)
	for scanner.Scan() {
		if titles {
			e.head, titles = append(e.head[:0], scanner.Bytes()...), false
			continue
		}
		if e.line(scanner.Bytes()); e.failed != nil {
			return false, nil
		}
	}
	if err := scanner.Err(); err != nil {
		return e.entries > before, fmt.Errorf("the answer broke off: %w", err)
	}
	e.write(e.head) // when there is no entry
	return true, nil
}

// open the answer that follows. The first one says where all lead to.
func (e *export) open(ctx context.Context) (*client.Stream, error) {
	stream, err := e.Stream(ctx, withQuery(pathOf("audit", "export"), e.query))
	if err == nil && !e.query.Has("until") {
		e.query.Set("until", stream.Header.Get("Waybill-Position"))
	}
	return stream, err
}

func (e *export) line(content []byte) {
	e.write(e.head)
	e.head = e.head[:0]
	e.write(content)
	e.last = append(e.last[:0], content...)
	if e.entries++; e.entries%1000 == 0 {
		e.progress.line(fmt.Sprintf("%d entries", e.entries), time.Now())
	}
}

func (e *export) write(content []byte) {
	if e.failed == nil && len(content) > 0 {
		_, e.failed = e.out.Write(content)
	}
}

// workbook takes the whole answer, from the beginning each time: half of one
// cannot be opened, and none can be added to.
func (e *export) workbook(ctx context.Context) (further bool, err error) {
	stream, err := e.open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = stream.Close() }()
	written, err := io.Copy(e.out, stream)
	if err == nil || written == 0 {
		return false, err
	}
	file, ok := e.out.(*os.File)
	if !ok {
		e.failed = fmt.Errorf("a workbook cannot be gone on with; name a --file to begin again: %w", err)
		return false, nil
	}
	if _, e.failed = file.Seek(0, io.SeekStart); e.failed == nil {
		e.failed = file.Truncate(0)
	}
	return false, fmt.Errorf("the answer broke off: %w", err)
}
