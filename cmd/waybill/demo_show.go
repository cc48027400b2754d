package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// What the demo reads of the API's answers.
type (
	batchAnswer struct {
		Status     string
		FinishedAt *time.Time
		Documents  struct{ Total, Pending, Migrated, Failed, Excepted, Cancelled int }
		Files      struct{ Total, Pending, Migrated, Failed, Skipped, Excepted, Cancelled int }
		Listings   struct{ Slices, Completed, Found, SourceTotal, Duplicates, Shortfall int }
		Failures   map[string]int
	}
	sliceAnswer struct {
		ID        string
		Shortfall int
	}
	documentAnswer struct {
		ID, ImageNumber, Resource, BillNumber, Status, Manifest string
		Failure                                                 *struct{ Category, Code string }
	}
	operationAnswer struct {
		Status                  string
		Done, Changed, Selected int
	}
)

// How often the demo looks, and how long it goes on looking.
const (
	lookInterval = 100 * time.Millisecond
	lookTimeout  = 5 * time.Minute
)

// watch shows a batch's progress until it was finished after a time.
func (d *demo) watch(ctx context.Context, doing string, after time.Time) (batchAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var b batchAnswer
	for shown := -1; ; {
		b = batchAnswer{}
		if err := d.api.Get(ctx, "/v1/batches/"+d.batch+"?after="+d.after, &b); err != nil {
			return b, err
		}
		settled := b.Documents.Total - b.Documents.Pending
		if d.live {
			fmt.Fprintf(d.out, "\r%s", progress(doing, b))
		} else if tenth := settled * 10 / max(b.Listings.SourceTotal, 1); tenth != shown {
			shown = tenth
			fmt.Fprintln(d.out, progress(doing, b))
		}
		if b.FinishedAt != nil && b.FinishedAt.After(after) {
			if d.live {
				fmt.Fprintln(d.out)
			}
			return b, nil
		}
		select {
		case <-time.After(lookInterval):
		case <-ctx.Done():
			return b, errors.Join(fmt.Errorf("the batch is not finished: %+v", b), ctx.Err())
		}
	}
}

func progress(doing string, b batchAnswer) string {
	const width = 40
	settled, total := b.Documents.Total-b.Documents.Pending, max(b.Listings.SourceTotal, b.Documents.Total, 1)
	filled := settled * width / total
	return fmt.Sprintf("%-9s [%s%s] %4d of %4d documents: %4d migrated, %3d failed, %4d pending  ", doing,
		strings.Repeat("#", filled), strings.Repeat(".", width-filled), settled, total, b.Documents.Migrated, b.Documents.Failed, b.Documents.Pending)
}

func (d *demo) awaitOperation(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	for {
		var o operationAnswer
		if err := d.api.Get(ctx, "/v1/operations/"+id+"?after="+d.after, &o); err != nil {
			return err
		}
		if o.Status == "completed" {
			fmt.Fprintf(d.out, "Bulk retry: %d documents selected, %d retried, %d had changed before their turn\n", o.Selected, o.Done, o.Changed)
			return nil
		}
		select {
		case <-time.After(lookInterval):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *demo) summarize(title string, b batchAnswer) {
	fmt.Fprintf(d.out, "\n%s\n  status      %s\n  documents   %d listed: %d migrated, %d failed, %d pending\n  files       %d listed: %d migrated, %d failed\n",
		title, b.Status, b.Documents.Total, b.Documents.Migrated, b.Documents.Failed, b.Documents.Pending, b.Files.Total, b.Files.Migrated, b.Files.Failed)
	fmt.Fprintf(d.out, "  listings    the source says %d: %d distinct, %d listed twice, %d never listed\n",
		b.Listings.SourceTotal, b.Listings.Found, b.Listings.Duplicates, b.Listings.Shortfall)
	for _, category := range slices.Sorted(maps.Keys(b.Failures)) {
		fmt.Fprintf(d.out, "  failed      %4d  %s\n", b.Failures[category], category)
	}
}

// verdict of a check.
type verdict struct {
	what string
	err  error
}

// report prints the verdicts and counts those that failed.
func report(out io.Writer, verdicts []verdict) (failed int) {
	fmt.Fprintln(out, "\nDoes it add up?")
	for _, v := range verdicts {
		if v.err == nil {
			fmt.Fprintf(out, "  ok      %s\n", v.what)
			continue
		}
		failed++
		fmt.Fprintf(out, "  FAILED  %s: %v\n", v.what, v.err)
	}
	return failed
}
