package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/verification"
)

// losses are documents that lost something in the archive, in a file that goes
// with the process: there may be as many as documents.
type losses struct {
	file      *os.File
	writer    *bufio.Writer
	encoder   *json.Encoder
	inspected verification.Inspected
	documents int64
	missing   int64
	changed   int64
	batches   map[string]int64 // documents by batch
}

func newLosses() (*losses, error) {
	file, err := os.CreateTemp("", "waybill-losses-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil { // its bytes go with the process, however that ends
		return nil, errors.Join(err, file.Close())
	}
	l := &losses{file: file, writer: bufio.NewWriter(file), batches: map[string]int64{}}
	l.encoder = json.NewEncoder(l.writer)
	return l, nil
}

func (l *losses) discard() { _ = l.file.Close() }

func (l *losses) add(loss verification.Loss) error {
	l.documents++
	for _, o := range loss.Objects {
		if o.Fault == document.Missing {
			l.missing++
		} else {
			l.changed++
		}
	}
	for _, batch := range loss.Batches {
		l.batches[batch]++
	}
	return l.encoder.Encode(loss)
}

func (l *losses) each(take func(verification.Loss) error) error {
	if err := l.writer.Flush(); err != nil {
		return err
	}
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	for decoder := json.NewDecoder(bufio.NewReader(l.file)); ; {
		var loss verification.Loss
		if err := decoder.Decode(&loss); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := take(loss); err != nil {
			return err
		}
	}
}

func (l *losses) print(out io.Writer) error {
	fmt.Fprintf(out, "%d documents have lost something, of %d: of %d objects %d are missing, %d are changed\n",
		l.documents, l.inspected.Documents, l.inspected.Objects, l.missing, l.changed)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, batch := range slices.Sorted(maps.Keys(l.batches)) {
		fmt.Fprintf(table, "  %s\t%d documents\n", batch, l.batches[batch])
	}
	return table.Flush()
}

// Losses that need no confirmation: a share of the documents, or a handful.
const (
	fewShare = 20 // one in so many
	few      = 10
)

// confirmed refuses a loss that is so large that it may be the wrong folder.
func (l *losses) confirmed(o lossOptions) error {
	if l.documents <= few || l.documents*fewShare <= l.inspected.Documents || l.documents == o.confirm || o.dryRun {
		return nil
	}
	return fmt.Errorf("nothing was recorded: that is more than one document in %d. Is %sARCHIVE the right folder, is it mounted, can a backup be restored? If this loss is real, run it again with --confirm %d", fewShare, prefix, l.documents)
}
