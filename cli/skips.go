package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// skippedFile as the API tells it.
type skippedFile struct {
	Batch, Document, ImageNumber, File, Name, Class string
	Reason, Owner, ReviewDate, SkippedBy            string
	Due                                             bool
	SkippedAt                                       time.Time
}

func skipCommands(k *connection) []*cobra.Command { return []*cobra.Command{skipList(k)} }

func skipList(k *connection) *cobra.Command {
	var f filters
	var p paging
	var due bool
	c := &cobra.Command{
		Use: "list", Short: "Files that are set aside, over all batches, by their review dates", Args: takes(0),
		Long: "Lists files that are set aside (暂不迁移), those whose review date comes first, first. Take one back with waybill document recall-file.\n" + exitCodes,
	}
	c.Flags().BoolVar(&due, "due", false, "only those whose review date has come")
	f.add(c, "before", "before", "only those whose review date is before this, YYYY-MM-DD")
	f.add(c, "owner", "owner", "only those that this subject sees to")
	f.add(c, "batch", "batch", "only those of this batch")
	f.add(c, "source", "source", "only those of batches of this source")
	position(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		query := f.query()
		if due {
			query.Set("due", "true")
		}
		return list(ctx, s, pathOf("skips"), query, p, []column[skippedFile]{
			{"REVIEW", func(f skippedFile) string { return f.ReviewDate }},
			{"DUE", func(f skippedFile) string {
				if f.Due {
					return "due"
				}
				return ""
			}},
			{"OWNER", func(f skippedFile) string { return f.Owner }},
			{"BATCH", func(f skippedFile) string { return f.Batch }},
			{"DOCUMENT", func(f skippedFile) string { return f.Document }},
			{"FILE", func(f skippedFile) string { return f.File }},
			{"NAME", func(f skippedFile) string { return f.Name }},
			{"REASON", func(f skippedFile) string { return f.Reason }},
			{"SKIPPED", func(f skippedFile) string { return moment(f.SkippedAt) }},
			{"BY", func(f skippedFile) string { return f.SkippedBy }},
		})
	})
}
