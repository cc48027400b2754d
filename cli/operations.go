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

// operation as the API tells it.
type operation struct {
	ID, Kind, Batch, Reason, Status        string
	Filter                                 map[string]string
	List, FailedOf, Owner, ReviewDate      string
	Named, DocumentsPerSecond              int64
	RequestedBy                            string
	RequestedAt, ChangedAt                 time.Time
	Selected, Done, Changed, Refused, Left int64
}

// chosen says of which documents it is, when not of all.
func (o operation) chosen() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(o.Filter)) {
		parts = append(parts, name+" "+o.Filter[name])
	}
	if o.Named > 0 {
		parts = append(parts, count(o.Named)+" named")
	}
	if o.List != "" {
		parts = append(parts, "in list "+o.List)
	}
	if o.FailedOf != "" {
		parts = append(parts, "not done in operation "+o.FailedOf)
	}
	return strings.Join(parts, ", ")
}

func (o operation) counts() string {
	text := fmt.Sprintf("%s; %d selected, %d done, %d had changed before their turn, %d refused", o.Status, o.Selected, o.Done, o.Changed, o.Refused)
	if o.Left > 0 {
		text += fmt.Sprintf(", %d left", o.Left)
	}
	return text
}

func operationCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{
		operationCreate(k), operationList(k), operationShow(k), operationWatch(k), operationItems(k),
		operationChange(k, "pause", "Stop a bulk operation for a while"),
		operationChange(k, "resume", "Let a bulk operation go on"),
		operationChange(k, "cancel", "Stop a bulk operation; what was done stays done"),
	}
}

var (
	operationKinds    = []string{"retry", "skip", "recall"}
	operationStatuses = []string{"running", "paused", "completed", "cancelled"}
)

func operationList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "list [NUMBER]", Short: "Bulk operations, of all batches or of one, newest first", Args: takesBetween(0, 1), ValidArgsFunction: k.first(batchNumbers)}
	f.add(c, "kind", "kind", "only "+strings.Join(operationKinds, ", "), operationKinds...)
	f.add(c, "status", "status", "only "+strings.Join(operationStatuses, ", "), operationStatuses...)
	position(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		query := f.query()
		if len(args) > 0 {
			query.Set("batch", args[0])
		}
		return list(ctx, s, pathOf("operations"), query, p, []column[operation]{
			{"OPERATION", func(o operation) string { return o.ID }},
			{"BATCH", func(o operation) string { return o.Batch }},
			{"KIND", func(o operation) string { return o.Kind }},
			{"STATUS", func(o operation) string { return o.Status }},
			{"SELECTED", func(o operation) string { return count(o.Selected) }},
			{"DONE", func(o operation) string { return count(o.Done) }},
			{"CHANGED", func(o operation) string { return count(o.Changed) }},
			{"REFUSED", func(o operation) string { return count(o.Refused) }},
			{"REQUESTED", func(o operation) string { return moment(o.RequestedAt) }},
			{"BY", func(o operation) string { return o.RequestedBy }},
			{"REASON", func(o operation) string { return o.Reason }},
		})
	})
}

func (o operation) print(s *session) error {
	var lines facts
	lines.add("operation", o.ID)
	lines.add("kind", o.Kind+" of batch "+o.Batch)
	if chosen := o.chosen(); chosen != "" {
		lines.add("documents", chosen)
	}
	lines.add("status", o.counts())
	if o.DocumentsPerSecond > 0 {
		lines.add("pace", count(o.DocumentsPerSecond)+" documents a second at most")
	}
	if o.Owner != "" || o.ReviewDate != "" {
		lines.add("review", strings.TrimSpace(o.ReviewDate+" "+o.Owner))
	}
	lines.add("reason", o.Reason)
	lines.add("requested", moment(o.RequestedAt)+" by "+o.RequestedBy)
	lines.add("changed", moment(o.ChangedAt))
	return lines.print(s.out)
}

func operationShow(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{Use: "show OPERATION", Short: "A bulk operation and how far it is", Args: takes(1)}
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		var o operation
		return s.read(ctx, withQuery(pathOf("operations", args[0]), f.query()), &o, func() error { return o.print(s) })
	})
}

func operationWatch(k *connection) *cobra.Command {
	return k.watching(watch.operation, &cobra.Command{
		Use: "watch OPERATION", Short: "Follow a bulk operation to its end", Args: takes(1),
		Long: "Follows a bulk operation until it has gone over every document that it selected, and prints it.\n" + exitCodes,
	})
}

// operation is followed until it runs no more, printed, and judged.
func (w watch) operation(ctx context.Context, s *session, id, after string) error {
	return toTheEnd(ctx, w, s, pathOf("operations", id), after, operation.look)
}

func (o operation) look(time.Time) (line string, ended bool) {
	return "operation " + o.counts(), o.Status == "completed" || o.Status == "cancelled"
}

func (o operation) verdict() error {
	if o.Refused > 0 || o.Status == "cancelled" {
		return unsettled("operation %s: %s", o.ID, o.counts())
	}
	return nil
}

func operationChange(k *connection, verb, short string) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: verb + " OPERATION --reason WHY", Short: short, Args: takes(1)}
	ch.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return ch.order(ctx, s, pathOf("operations", args[0], verb), verb+" operation "+args[0], nil)
	})
}

var (
	outcomes = []string{"done", "changed", "refused"}
	results  = []string{"migrated", "passed", "failed"}
)

func operationItems(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "items OPERATION", Short: "What became of each document of a bulk operation", Args: takes(1)}
	f.add(c, "outcome", "outcome", strings.Join(outcomes, ", "), outcomes...)
	f.add(c, "became", "became", "only documents of which this became by it: "+strings.Join(results, ", "), results...)
	position(c, &f)
	p.flags(c)
	type item struct{ Document, Outcome, Detail, Became, Code, Failure string }
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return list(ctx, s, pathOf("operations", args[0], "items"), f.query(), p, []column[item]{
			{"DOCUMENT", func(i item) string { return i.Document }},
			{"OUTCOME", func(i item) string { return i.Outcome }},
			{"BECAME", func(i item) string { return i.Became }},
			{"DETAIL", func(i item) string { return i.Detail + strings.TrimSpace(i.Code+" "+i.Failure) }},
		})
	})
}
