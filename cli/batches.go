package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// batch as the API tells it.
type batch struct {
	Number, Source, Profile, Status, Phase, CreatedBy string
	Mode, Preflight                                   string
	Runs                                              []string
	Scope                                             struct {
		Organizations, DocumentTypes []string
		From, To, List               string
	}
	CreatedAt                time.Time
	FinishedAt               *time.Time
	Empty, EmptyAcknowledged bool
	Documents                struct{ Total, Pending, Migrated, Passed, Failed, Excepted, Cancelled int64 }
	Files                    struct{ Total, Pending, Migrated, Passed, Failed, Skipped, Excepted, Cancelled int64 }
	Arrived                  struct{ Written, Unchanged, NewVersions int64 }
	Listings                 struct {
		Slices, Completed, Failed, Found, SourceTotal, Duplicates, Conflicts, Shortfall, Unaccepted, Unlisted int64
	}
	Failures map[string]int64
}

func batchCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{
		batchList(k), batchShow(k), batchCreate(k), batchWatch(k), batchReport(k), batchRun(k), batchRetry(k), batchMatch(k), batchVerify(k), batchFailures(k),
		batchOrder(k, "pause", "Pause a batch: work under way is finished, nothing new is begun"),
		batchOrder(k, "resume", "Let a paused batch go on"),
		batchCancel(k),
		batchOrder(k, "acknowledge-empty", "Take as known that nothing was in a batch's scope"),
		sliceList(k),
		sliceOrder(k, "retry-slice", "retry", "List slices of a batch again"),
		sliceOrder(k, "accept-shortfall", "accept-shortfall", "Take as known what the source says it has and never listed"),
	}
}

var (
	phases = []string{"active", "held", "paused", "cancelled"}
	modes  = []string{migrateMode, preflightMode}
)

const migrateMode, preflightMode = "migrate", "preflight"

// came is how documents are called that have come through, and how many they are
// of some that were migrated or passed.
func (b batch) came(migrated, passed int64) string {
	if b.Mode == preflightMode {
		return fmt.Sprintf("%d passed", passed)
	}
	return fmt.Sprintf("%d migrated", migrated)
}

func batchList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "list", Short: "Batches, newest first", Args: takes(0)}
	f.add(c, "source", "source", "only those of this source")
	f.add(c, "phase", "phase", strings.Join(phases, ", "), phases...)
	f.add(c, "mode", "mode", strings.Join(modes, ", "), modes...)
	past(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		return list(ctx, s, pathOf("batches"), f.query(), p, []column[batch]{
			{"NUMBER", func(b batch) string { return b.Number }},
			{"STATUS", func(b batch) string { return b.Status }},
			{"PHASE", func(b batch) string { return b.Phase }},
			{"MODE", func(b batch) string { return b.Mode }},
			{"DOCUMENTS", func(b batch) string { return count(b.Documents.Total) }},
			{"MIGRATED", func(b batch) string { return count(b.Documents.Migrated) }},
			{"PASSED", func(b batch) string { return count(b.Documents.Passed) }},
			{"FAILED", func(b batch) string { return count(b.Documents.Failed) }},
			{"PENDING", func(b batch) string { return count(b.Documents.Pending) }},
			{"SHORTFALL", func(b batch) string { return count(b.Listings.Shortfall) }},
			{"SOURCE", func(b batch) string { return b.Source }},
			{"CREATED", func(b batch) string { return moment(b.CreatedAt) }},
			{"BY", func(b batch) string { return b.CreatedBy }},
		})
	})
}

func batchShow(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{Use: "show NUMBER", Short: "A batch: its counts by status and failure category", Args: takes(1), ValidArgsFunction: k.first(batchNumbers)}
	past(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		var b batch
		return s.read(ctx, withQuery(pathOf("batches", args[0]), f.query()), &b, func() error { return b.print(s) })
	})
}

func (b batch) print(s *session) error {
	d, a, f, l := b.Documents, b.Arrived, b.Files, b.Listings
	var lines facts
	lines.add("batch", b.Number)
	if b.Mode == preflightMode {
		lines.add("mode", "preflight: nothing is migrated by it; see waybill batch report")
	}
	lines.add("run of", b.Preflight)
	lines.add("runs", strings.Join(b.Runs, ", "))
	lines.add("status", b.Status+", "+b.Phase)
	lines.add("source", b.Source+", profile "+b.Profile)
	lines.add("scope", fmt.Sprintf("%s; organisations: %s; document types: %s", b.span(), allOr(b.Scope.Organizations), allOr(b.Scope.DocumentTypes)))
	lines.add("created", moment(b.CreatedAt)+" by "+b.CreatedBy)
	lines.add("finished", momentOrNone(b.FinishedAt))
	if b.Empty {
		lines.add("empty", fmt.Sprintf("nothing is in scope; acknowledged: %t", b.EmptyAcknowledged))
	}
	lines.add("documents", fmt.Sprintf("%d: %s, %d failed, %d pending, %d excepted, %d cancelled",
		d.Total, b.came(d.Migrated, d.Passed), d.Failed, d.Pending, d.Excepted, d.Cancelled))
	if b.Mode != preflightMode {
		lines.add("arrived", fmt.Sprintf("%d written, %d unchanged since an earlier batch, %d as a new version", a.Written, a.Unchanged, a.NewVersions))
	}
	lines.add("files", fmt.Sprintf("%d: %s, %d failed, %d pending, %d skipped, %d excepted, %d cancelled",
		f.Total, b.came(f.Migrated, f.Passed), f.Failed, f.Pending, f.Skipped, f.Excepted, f.Cancelled))
	lines.add("listing", fmt.Sprintf("%d of %d slices, %d failed; the source says %d, listed %d, duplicates %d, conflicts %d, shortfall %d (%d not accepted)",
		l.Completed, l.Slices, l.Failed, l.SourceTotal, l.Found, l.Duplicates, l.Conflicts, l.Shortfall, l.Unaccepted))
	if b.Scope.List != "" {
		lines.add("beside the list", fmt.Sprintf("%d; waybill batch match %s tells more", l.Unlisted, b.Number))
	}
	for _, category := range slices.Sorted(maps.Keys(b.Failures)) {
		lines.add("failed", fmt.Sprintf("%d for %s", b.Failures[category], category))
	}
	return lines.print(s.out)
}

// span is the period of the scope, its list, or both.
func (b batch) span() string {
	var parts []string
	if b.Scope.List != "" {
		parts = append(parts, "list "+b.Scope.List)
	}
	if b.Scope.From != "" {
		parts = append(parts, b.Scope.From+" to "+b.Scope.To)
	}
	return strings.Join(parts, ", ")
}

func allOr(codes []string) string {
	if len(codes) == 0 {
		return "all"
	}
	return strings.Join(codes, ", ")
}

// verdict of a batch that has nothing left to do, as an exit code tells it.
func (b batch) verdict() error {
	switch {
	case b.Empty && !b.EmptyAcknowledged:
		return unsettled("batch %s is empty: nothing is in its scope; see waybill batch acknowledge-empty", b.Number)
	case b.Status == "failed":
		return unsettled("batch %s ended failed: %d of %d documents failed, %d cancelled, %d slices could not be listed, a shortfall of %d is not accepted",
			b.Number, b.Documents.Failed, b.Documents.Total, b.Documents.Cancelled, b.Listings.Failed, b.Listings.Unaccepted)
	}
	return nil
}

func batchOrder(k *connection, verb, short string) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: verb + " NUMBER --reason WHY", Short: short, Args: takes(1), ValidArgsFunction: k.first(batchNumbers)}
	ch.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return ch.order(ctx, s, pathOf("batches", args[0], verb), verb+" batch "+args[0], nil)
	})
}
