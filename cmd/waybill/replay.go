package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/projections"
)

func replayCommand() *cobra.Command {
	var until, into string
	c := &cobra.Command{
		Use: "replay --until POINT --into SCHEMA [view...]", Short: "Build views as they were at a point of the past into a schema, to query them with SQL",
		Long: "Builds views (all of them, or those named) as they were at a time, or at a position such as 0:15,7:123, into a schema that it makes. " +
			"A partition that a position does not name is taken as of the time of the newest record that it names. " +
			"The tables are plain tables: Waybill neither changes nor drops them. A replay that was stopped goes on where it was when it is given again. It fires nothing.",
		Example: "  waybill replay --until 2026-01-31T18:00:00+08:00 --into january\n  waybill replay --until 0:15,7:123 --into before_the_retry batches documents",
		RunE: func(c *cobra.Command, names []string) error {
			views, err := projections.ViewsNamed(names)
			if err != nil {
				return err
			}
			s, err := readSettings(nil, nil)
			if err != nil {
				return err
			}
			p, err := open(c.Context(), s, s.logger(os.Stderr))
			if err != nil {
				return err
			}
			defer p.close()
			return p.replay(c.Context(), c.OutOrStdout(), until, into, views)
		},
	}
	c.Flags().StringVar(&until, "until", "", "a time that is past (RFC 3339), or a position")
	c.Flags().StringVar(&into, "into", "", "name of a schema that does not exist yet")
	for _, name := range []string{"until", "into"} {
		_ = c.MarkFlagRequired(name) // it fails for a flag that is not there alone
	}
	return c
}

func (p *process) replay(ctx context.Context, out io.Writer, until, into string, views []projections.View) error {
	point, err := projections.PointOf(ctx, p.journal, "until", until)
	if err != nil {
		return err
	}
	replayed, err := projections.NewRebuilder(p.pool, p.journal, nil, build(), p.log, printProgress(out)).ReplayInto(ctx, into, point, views...)
	if err == nil {
		printReplayed(out, replayed)
	}
	return err
}

func printReplayed(out io.Writer, r projections.Replayed) {
	fmt.Fprintf(out, "%s has the views as they were at %s\n", r.Schema, r.Position)
	for _, table := range r.Tables {
		fmt.Fprintf(out, "  %-20s %10d rows\n", table.Name, table.Rows)
	}
	example := fmt.Sprintf("SELECT * FROM %s.%s LIMIT 10", r.Schema, r.Tables[0].Name)
	if slices.ContainsFunc(r.Tables, func(t projections.ReplayedTable) bool { return t.Name == "batches" }) {
		example = fmt.Sprintf("SELECT number, pending, migrated, failed, excepted, cancelled FROM %s.batches ORDER BY number", r.Schema)
	}
	fmt.Fprintf(out, "query it        %s;\n", example)
	fmt.Fprintf(out, "let others read GRANT USAGE ON SCHEMA %[1]s TO auditor; GRANT SELECT ON ALL TABLES IN SCHEMA %[1]s TO auditor;\n", r.Schema)
	fmt.Fprintf(out, "drop it         DROP SCHEMA %s CASCADE;\n", r.Schema)
}
