package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// report of a preflight as the API tells it.
type report struct {
	Number, Status, Source, Profile          string
	Documents                                struct{ Total, Passed, Failed, Pending, Cancelled int64 }
	Judged                                   reportFigures
	DocumentTypes, Organizations, Categories []reportCount
	Rules                                    []ruleCount
}

type reportFigures struct{ Documents, Failed, Files, Bytes int64 }

type reportCount struct {
	Value string
	reportFigures
}

type ruleCount struct {
	Rule, Code, Severity string
	reportFigures
}

func batchReport(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{
		Use: "report NUMBER", Short: "What a preflight found: documents, files and bytes by type, organisation, failure and rule", Args: takes(1),
		Long: "Shows what a preflight found. The documents that would fail are those of waybill document list NUMBER --status failed.\n" + exitCodes, ValidArgsFunction: k.first(preflightNumbers),
	}
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		var r report
		return s.read(ctx, withQuery(pathOf("batches", args[0], "report"), f.query()), &r, func() error { return r.print(s) })
	})
}

func (r report) print(s *session) error {
	d := r.Documents
	var lines facts
	lines.add("preflight", r.Number)
	lines.add("status", r.Status)
	lines.add("source", r.Source+", profile "+r.Profile)
	lines.add("documents", fmt.Sprintf("%d: %d passed, %d failed, %d pending, %d cancelled", d.Total, d.Passed, d.Failed, d.Pending, d.Cancelled))
	if err := lines.print(s.out); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	t := newTable(s.out, "BY", "VALUE", "DOCUMENTS", "WOULD FAIL", "FILES", "BYTES")
	add := func(by, value string, f reportFigures) {
		t.add(by, value, count(f.Documents), count(f.Failed), count(f.Files), count(f.Bytes))
	}
	for _, part := range []struct {
		by     string
		counts []reportCount
	}{{"type", r.DocumentTypes}, {"organisation", r.Organizations}, {"failure", r.Categories}} {
		for _, c := range part.counts {
			add(part.by, c.Value, c.reportFigures)
		}
	}
	for _, c := range r.Rules {
		add("rule, "+c.Severity, c.Rule+" "+c.Code, c.reportFigures)
	}
	add("all", "", r.Judged)
	return t.flush()
}

func batchRun(k *connection) *cobra.Command {
	var ch change
	var w watch
	var wait bool
	c := &cobra.Command{
		Use: "run NUMBER", Short: "Make the batch that migrates what a preflight has looked at", Args: takes(1), ValidArgsFunction: k.first(preflightNumbers),
		Long: "Makes a batch of the very same source, profile and scope as a preflight that has come to its end. The preflight stays as it is. With --wait the run is watched to its end, and what is printed is the batch as it ended.\n" + exitCodes,
	}
	c.Flags().BoolVar(&wait, "wait", false, "watch it to its end")
	ch.keyFlag(c)
	w.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("batches", args[0], "run")})
		if err != nil {
			return fmt.Errorf("run preflight %s: %w", args[0], err)
		}
		return w.made(ctx, s, answer, wait)
	})
}
