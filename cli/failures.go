package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// failures are the failed documents by cause, as the API tells them.
type failures struct {
	Documents int64
	Items     []failureGroup
}

type failureGroup struct {
	Fingerprint, Stage, Code, Category, SourceCode, Detail string
	Retryable                                              bool
	Count                                                  int64
	FirstSeen, LastSeen                                    string
	Sample                                                 struct{ Batch, Document string }
	Remedy                                                 struct{ En, Zh string }
}

func batchFailures(k *connection) *cobra.Command {
	var f filters
	var path string
	c := &cobra.Command{
		Use: "failures [NUMBER]", Short: "Failed documents by cause, of a batch or of all; or as a workbook to hand out for correction (整改)", ValidArgsFunction: k.first(batchNumbers),
		Long: "Shows what documents are failed for: what differs from document to document is <*>. Without a number it is of all batches that migrate. The documents of a cause are those of waybill document list NUMBER --fingerprint.\n\n" +
			"With --file the failed documents of the batch are written as a workbook (XLSX), with what is wrong, what to do, and columns for whoever corrects. Bring it back with waybill list upload --kind imageNumber, and retry what is in it.\n" + exitCodes,
		Args: takesBetween(0, 1),
	}
	c.Flags().StringVarP(&path, "file", "f", "", "write the failed documents to this workbook; - is standard output")
	f.add(c, "fingerprint", "fingerprint", "with --file: only those failed for this cause")
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		if path != "" {
			if len(args) == 0 {
				return usage("--file needs the number of a batch")
			}
			return s.download(ctx, withQuery(pathOf("batches", args[0], "failures.xlsx"), f.query()), path)
		}
		query := f.query()
		if query.Has("fingerprint") {
			return usage("--fingerprint goes with --file; the documents of a cause are those of waybill document list NUMBER --fingerprint")
		}
		if len(args) == 1 {
			query.Set("batch", args[0])
		}
		var found failures
		return s.read(ctx, withQuery(pathOf("failures"), query), &found, func() error { return found.print(s) })
	})
}

// download an answer to a file that appears when it is whole.
func (s *session) download(ctx context.Context, from, path string) error {
	if path == "-" {
		path = ""
	}
	return whole(path, s.out, func(out io.Writer) error {
		stream, err := s.Stream(ctx, from)
		if err != nil {
			return err
		}
		defer func() { _ = stream.Close() }() // it was only read
		_, err = io.Copy(out, stream)
		return err
	})
}

func (f failures) print(s *session) error {
	t := newTable(s.out, "DOCUMENTS", "STAGE", "CODE", "CATEGORY", "FINGERPRINT", "WHAT IS WRONG", "SAMPLE")
	for _, g := range f.Items {
		t.add(count(g.Count), g.Stage, g.Code, g.Category, g.Fingerprint, g.Detail, g.Sample.Document)
	}
	t.add(count(f.Documents), "all", "", "", "", "", "")
	if err := t.flush(); err != nil {
		return err
	}
	for _, g := range f.Items {
		fmt.Fprintf(s.remarks, "%s: %s\n", g.Code, g.Remedy.En)
	}
	return nil
}
