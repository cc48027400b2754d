package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/projections"
)

// rateOver is the time between the two looks that a rate is made of.
const rateOver = time.Second

func projectionsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "projections", Short: "Show the views: version, lag, rate, and why one stands still", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := readSettings(nil, nil)
			if err != nil {
				return err
			}
			pool, err := postgres.Open(c.Context(), s.DatabaseURL, "waybill-projections", s.DatabaseConnections)
			if err != nil {
				return err
			}
			defer pool.Close()
			journal := postgres.NewJournal(pool)
			defer journal.Close()
			survey := func() ([]projections.ViewStatus, error) {
				return projections.Survey(c.Context(), pool, journal, time.Now(), projections.Views()...)
			}
			return showProjections(c.Context(), c.OutOrStdout(), survey)
		},
	}
}

func showProjections(ctx context.Context, out io.Writer, survey func() ([]projections.ViewStatus, error)) error {
	before, err := survey()
	if err != nil {
		return err
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rateOver):
	}
	statuses, err := survey()
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VIEW\tVERSION\tSTATE\tLAG\tBEHIND\tRATE\tPOSITION")
	for i, s := range statuses {
		applied := int64(0)
		for partition, offset := range s.Position {
			applied += offset - before[i].Position[partition]
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%d events\t%s\t%.0f/s\t%s\n", s.View, s.Version, s.State, s.Lag, s.Behind.Round(time.Second), float64(applied)/took, s.Position)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range statuses {
		if s.Stop != nil {
			fmt.Fprintf(out, "\n%s stopped at %s, event %s: %s\n  %s\n", s.View, s.Stop.Since.Format(time.RFC3339), s.Stop.Event(), s.Stop.Error, s.Stop.Remedy())
		}
	}
	return nil
}
