package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// entry of the audit log as the API tells it.
type entry struct {
	Partition                     int
	Offset                        int64
	Time                          time.Time
	Type, Stream, Batch, Document string
	ActorKind, Operator           string
	Initiator                     string
	StatusBefore, StatusAfter     string
	FileID, Reason, RequestID     string
}

func auditCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{auditList(k), auditExport(k)}
}

func auditFilters(k *connection, c *cobra.Command, f *filters) {
	f.add(c, "batch", "batch", "only what concerns this batch")
	f.add(c, "document", "document", "only what concerns this document of the batch, by its id")
	f.add(c, "operator", "operator", "only what this subject did, or was done in its name")
	f.add(c, "type", "type", "only events of these types, with or without version, comma-separated, as waybill.batch.created")
	f.add(c, "from", "from", "not before this time, as 2026-01-31T08:00:00+08:00")
	f.add(c, "to", "to", "before this time")
	position(c, f)
	k.completeFlag(c, "batch", batchNumbers)
}

func auditList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "list", Short: "The audit log, oldest first", Args: takes(0)}
	auditFilters(k, c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		return list(ctx, s, pathOf("audit"), f.query(), p, []column[entry]{
			{"TIME", func(e entry) string { return moment(e.Time) }},
			{"OPERATOR", func(e entry) string { return e.Operator }},
			{"FOR", func(e entry) string { return e.Initiator }},
			{"EVENT", func(e entry) string { return e.Type }},
			{"BATCH", func(e entry) string { return e.Batch }},
			{"DOCUMENT", func(e entry) string { return e.Document }},
			{"BEFORE", func(e entry) string { return e.StatusBefore }},
			{"AFTER", func(e entry) string { return e.StatusAfter }},
			{"REASON", func(e entry) string { return e.Reason }},
		})
	})
}
