package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
)

const (
	asCSV    = "csv"
	asNDJSON = "ndjson"
)

func auditExport(k *connection) *cobra.Command {
	var f filters
	var format, path string
	c := &cobra.Command{
		Use: "export", Short: "The whole audit log, or what is chosen of it, as CSV or NDJSON", Args: takes(0),
		Long: "Exports the audit log page by page, in constant memory. The CSV opens in Excel, Chinese text too, and a text that Excel would take as a formula is marked as text by a leading '. NDJSON has the API's own entries, one a line. A file that is named with --file appears when it is whole.\n" + exitCodes,
	}
	auditFilters(k, c, &f)
	c.Flags().StringVarP(&format, "output", "o", asCSV, "csv or ndjson")
	c.Flags().StringVarP(&path, "file", "f", "", "where to; else standard output")
	choices(c, "output", asCSV, asNDJSON)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		if format != asCSV && format != asNDJSON {
			return usage("--output must be %s or %s, is %q", asCSV, asNDJSON, format)
		}
		return whole(path, s.out, func(out io.Writer) error {
			e := &export{session: &session{Client: s.Client, out: out, remarks: s.remarks}, progress: newMeter(s.remarks)}
			if format == asCSV {
				e.write = newCSV(out).page
			} else {
				e.write = e.lines
			}
			return e.run(ctx, f)
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

// export of the audit log.
type export struct {
	*session
	write    func([]json.RawMessage) error
	progress *meter
}

func (e *export) run(ctx context.Context, f filters) error {
	defer e.progress.end()
	entries := 0
	for page, err := range e.Pages(ctx, pathOf("audit"), f.query(), 1000) {
		if err == nil {
			err = e.write(page.Items)
		}
		if err != nil {
			return fmt.Errorf("the export broke off after %d entries: %w", entries, err)
		}
		entries += len(page.Items)
		e.progress.line(fmt.Sprintf("%d entries", entries), time.Now())
	}
	return nil
}
