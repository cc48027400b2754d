package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/projections"
)

func rebuildCommand() *cobra.Command {
	var o projections.RebuildRequest
	c := &cobra.Command{
		Use: "rebuild [view...]", Short: "Build views anew beside the live ones, compare, and swap",
		Long: "Builds the next version of views (all of them, or those named) in schemas of their own while the live ones serve, compares both row for row at the same coordinates, and swaps them in when they are equal. " +
			"The version that was live is kept until the next rebuild of the view. A rebuild that was stopped goes on where it was. It fires nothing: it reads the history and writes tables.\n\n" +
			"With --batch only the rows of one batch are built and compared; rows that differ are replaced with --accept-differences.\n\n" +
			"Exit code 0: all views were rebuilt; 1: some differ from the history and were left as they are, or failed.",
		RunE: func(c *cobra.Command, names []string) error {
			o.Views = names
			views, err := o.Choose()
			if err != nil {
				return err
			}
			var roles []role
			if o.From == projections.FromKafka {
				roles = []role{relay}
			}
			s, err := readSettings(nil, roles)
			if err != nil {
				return err
			}
			p, err := open(c.Context(), s, s.logger(os.Stderr))
			if err != nil {
				return err
			}
			defer p.close()
			out := c.OutOrStdout()
			rebuilt, err := p.rebuild(c.Context(), o, printProgress(out))
			return concludeRebuild(out, o, rebuilt, len(views), err)
		},
	}
	c.Flags().StringVar(&o.From, "from", projections.FromJournal, "where the events are read: journal or kafka")
	c.Flags().BoolVar(&o.Accept, "accept-differences", false, "swap although rows differ")
	c.Flags().BoolVar(&o.Rollback, "rollback", false, "make the kept version of the named view live again")
	c.Flags().StringVar(&o.Batch, "batch", "", "number of the one batch whose rows are rebuilt")
	c.MarkFlagsMutuallyExclusive("rollback", "batch")
	c.MarkFlagsMutuallyExclusive("rollback", "accept-differences")
	return c
}

// rebuild has a pool of its own: each build takes connections, and whatever else
// the process does must not wait for them.
func (p *process) rebuild(ctx context.Context, request projections.RebuildRequest, progress func(projections.Progress)) ([]projections.Rebuilt, error) {
	software, err := software()
	if err != nil {
		return nil, err
	}
	pool, err := postgres.Open(ctx, p.settings.DatabaseURL, "waybill-rebuild", p.settings.DatabaseConnections)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	var replay projections.Replay
	if request.From == projections.FromKafka {
		replay = func(ctx context.Context, partition int, after int64, each func([]byte) error) error {
			return kafka.Replay(ctx, p.settings.kafka(), partition, after, each)
		}
	}
	return projections.NewRebuilder(pool, p.journal, replay, software, p.log, progress).Do(ctx, request)
}

// software names this very program: versions and commits are not exact where
// somebody builds what is not committed.
func software() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	program, err := os.Open(path) //nolint:gosec // ourselves
	if err != nil {
		return "", err
	}
	defer func() { _ = program.Close() }()
	digest := sha256.New()
	_, err = io.Copy(digest, program)
	return build() + " " + hex.EncodeToString(digest.Sum(nil)), err
}

// concludeRebuild tells what became of the views, and all failures together.
func concludeRebuild(out io.Writer, o projections.RebuildRequest, rebuilt []projections.Rebuilt, views int, failures error) error {
	differ := 0
	for _, r := range rebuilt {
		if o.Rollback {
			fmt.Fprintf(out, "%s: version %d is live again at %s; version %d is kept\n", r.View, r.Version, r.Position, r.Kept)
			continue
		}
		printRebuilt(out, r)
		if !r.Settled() {
			differ++
		}
	}
	if differ > 0 {
		failures = errors.Join(failures, fmt.Errorf("%d of %d views differ from what the history says and were left as they are; --accept-differences takes what the history says", differ, views))
	}
	return failures
}

func printRebuilt(out io.Writer, r projections.Rebuilt) {
	of := ""
	if r.Batch != "" {
		of = " of batch " + r.Batch
	}
	fmt.Fprintf(out, "%s: %d rows%s compared, %d differ\n", r.View, r.Rows, of, r.Different)
	if r.Different > 0 {
		fmt.Fprintf(out, "  at %s\n", r.Position)
	}
	for _, d := range r.Differences {
		fmt.Fprintf(out, "  %s %s\n    live    %s\n    rebuilt %s\n", d.Table, d.Key, orNone(d.Live), orNone(d.Rebuilt))
	}
	if more := r.Different - int64(len(r.Differences)); more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
	switch {
	case r.Kept != 0:
		fmt.Fprintf(out, "  version %d is live, version %d is kept; the swap took %s\n", r.Version, r.Kept, r.Swap.Round(time.Millisecond))
	case r.Replaced:
		fmt.Fprintf(out, "  the rows of the batch were replaced, which took %s\n", r.Swap.Round(time.Millisecond))
	case r.Batch != "" && r.Different == 0:
		fmt.Fprintln(out, "  they are what the history says: nothing is to be replaced")
	}
}

func orNone(row string) string {
	if row == "" {
		return "no such row"
	}
	return row
}

// printProgress prints a line a second at most.
func printProgress(out io.Writer) func(projections.Progress) {
	last := time.Now()
	return func(p projections.Progress) {
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintln(out, describeProgress(p))
	}
}

func describeProgress(p projections.Progress) string {
	if p.Total == 0 {
		return fmt.Sprintf("%s: %d, %.0f/s", p.Stage, p.Done, p.Rate())
	}
	return fmt.Sprintf("%s: %d of %d, %.0f/s, %s left", p.Stage, p.Done, p.Total, p.Rate(), p.Left().Round(time.Second))
}
