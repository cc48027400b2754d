package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/projections"
)

// rebuildOptions say what to rebuild and how.
type rebuildOptions struct {
	from     string
	accept   bool
	rollback bool
}

func rebuildCommand() *cobra.Command {
	var o rebuildOptions
	c := &cobra.Command{
		Use: "rebuild [view...]", Short: "Build views anew beside the live ones, compare, and swap",
		Long: "Builds the next version of views (all of them, or those named) in schemas of their own while the live ones serve, compares both row for row at the same coordinates, and swaps them in when they are equal. " +
			"The version that was live is kept until the next rebuild of the view. A rebuild that was stopped goes on where it was. It fires nothing: it reads the history and writes tables.",
		RunE: func(c *cobra.Command, names []string) error {
			views, err := o.views(names)
			if err != nil {
				return err
			}
			var roles []role
			if o.from == "kafka" {
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
			return p.rebuild(c.Context(), c.OutOrStdout(), o, views)
		},
	}
	c.Flags().StringVar(&o.from, "from", "journal", "where the events are read: journal or kafka")
	c.Flags().BoolVar(&o.accept, "accept-differences", false, "swap although rows differ")
	c.Flags().BoolVar(&o.rollback, "rollback", false, "make the kept version of the named view live again")
	return c
}

func (o rebuildOptions) views(names []string) ([]projections.View, error) {
	if o.from != "journal" && o.from != "kafka" {
		return nil, fmt.Errorf("--from must be journal or kafka, is %q", o.from)
	}
	if o.rollback && len(names) != 1 {
		return nil, errors.New("--rollback needs the name of one view")
	}
	all := projections.Views()
	if len(names) == 0 {
		return all, nil
	}
	var views []projections.View
	var known []string
	for _, view := range all {
		known = append(known, view.Name)
		if slices.Contains(names, view.Name) {
			views = append(views, view)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no view %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return views, nil
}

func (p *process) rebuild(ctx context.Context, out io.Writer, o rebuildOptions, views []projections.View) error {
	var replay projections.Replay
	if o.from == "kafka" {
		replay = func(ctx context.Context, partition int, after int64, each func([]byte) error) error {
			return kafka.Replay(ctx, p.settings.kafka(), partition, after, each)
		}
	}
	rebuilder := projections.NewRebuilder(p.pool, p.journal, replay, build(), p.log, printProgress(out))
	if o.rollback {
		back, err := rebuilder.Rollback(ctx, views[0])
		if err == nil {
			fmt.Fprintf(out, "%s: version %d is live again at %s; version %d is kept\n", back.View, back.Version, back.Position, back.Kept)
		}
		return err
	}
	rebuilt, err := rebuilder.Run(ctx, o.accept, views...)
	differ := 0
	for _, r := range rebuilt {
		printRebuilt(out, r)
		if r.Kept == 0 {
			differ++
		}
	}
	if err == nil && differ > 0 {
		err = fmt.Errorf("%d of %d views differ from what the history says and were not swapped; --accept-differences swaps them", differ, len(views))
	}
	return err
}

func printRebuilt(out io.Writer, r projections.Rebuilt) {
	fmt.Fprintf(out, "%s: %d rows compared at %s, %d differ\n", r.View, r.Rows, r.Position, r.Different)
	for _, d := range r.Differences {
		fmt.Fprintf(out, "  %s %s\n    live    %s\n    rebuilt %s\n", d.Table, d.Key, orNone(d.Live), orNone(d.Rebuilt))
	}
	if more := r.Different - int64(len(r.Differences)); more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
	if r.Kept != 0 {
		fmt.Fprintf(out, "  version %d is live, version %d is kept; the swap took %s\n", r.Version, r.Kept, r.Swap.Round(time.Millisecond))
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
		rate := float64(p.Done) / p.Took.Seconds()
		if p.Total == 0 {
			fmt.Fprintf(out, "%s: %d rows, %.0f/s\n", p.Stage, p.Done, rate)
			return
		}
		left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second))
		fmt.Fprintf(out, "%s: %d of %d events, %.0f/s, %s left\n", p.Stage, p.Done, p.Total, rate, left.Round(time.Second))
	}
}
