package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// operation as the API tells it.
type operation struct {
	ID, Kind, Batch, Reason, Status        string
	RequestedBy                            string
	RequestedAt, ChangedAt                 time.Time
	Selected, Done, Changed, Refused, Left int64
}

func (o operation) counts() string {
	text := fmt.Sprintf("%s; %d selected, %d done, %d had changed before their turn, %d refused", o.Status, o.Selected, o.Done, o.Changed, o.Refused)
	if o.Left > 0 {
		text += fmt.Sprintf(", %d left", o.Left)
	}
	return text
}

func operationCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{operationList(k), operationShow(k), operationWatch(k), operationItems(k), operationCancel(k)}
}

func operationList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "list NUMBER", Short: "The bulk operations of a batch, newest first", Args: takes(1), ValidArgsFunction: k.first(batchNumbers)}
	position(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return list(ctx, s, pathOf("batches", args[0], "operations"), f.query(), p, []column[operation]{
			{"OPERATION", func(o operation) string { return o.ID }},
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
	lines.add("status", o.counts())
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
	var w watch
	var after string
	c := &cobra.Command{Use: "watch OPERATION", Short: "Follow a bulk operation to its end", Args: takes(1), Long: "Follows a bulk operation until it has gone over every document that it selected, and prints it.\n" + exitCodes}
	w.flags(c)
	c.Flags().StringVar(&after, "after", "", "position that a command answered with; the first look includes what it did")
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		o, answer, err := w.operation(ctx, s, args[0], after)
		if err != nil {
			return err
		}
		if err := s.answer(answer, &o, func() error { return o.print(s) }); err != nil {
			return err
		}
		if o.Refused > 0 || o.Status == "cancelled" {
			return unsettled("operation %s: %s", o.ID, o.counts())
		}
		return nil
	})
}

func operationCancel(k *connection) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: "cancel OPERATION --reason WHY", Short: "Stop a bulk operation; what was done stays done", Args: takes(1)}
	ch.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return ch.order(ctx, s, pathOf("operations", args[0], "cancel"), "cancel operation "+args[0], nil)
	})
}

// operation is followed until it runs no more.
func (w watch) operation(ctx context.Context, s *session, id, after string) (o operation, last *client.Answer, err error) {
	m := newMeter(s.remarks)
	defer m.end()
	query := url.Values{}
	if after != "" {
		query.Set("after", after)
	}
	err = w.poll(ctx, func() (done bool, err error) {
		o = operation{}
		if last, err = s.look(ctx, withQuery(pathOf("operations", id), query), &o); err != nil {
			return false, err
		}
		m.line("operation "+o.counts(), time.Now())
		return o.Status != "running", nil
	})
	return o, last, err
}

var outcomes = []string{"done", "changed", "refused"}

func operationItems(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "items OPERATION", Short: "What became of each document of a bulk operation", Args: takes(1)}
	f.add(c, "outcome", "outcome", strings.Join(outcomes, ", "), outcomes...)
	position(c, &f)
	p.flags(c)
	type item struct{ Document, Outcome, Detail string }
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return list(ctx, s, pathOf("operations", args[0], "items"), f.query(), p, []column[item]{
			{"DOCUMENT", func(i item) string { return i.Document }},
			{"OUTCOME", func(i item) string { return i.Outcome }},
			{"DETAIL", func(i item) string { return i.Detail }},
		})
	})
}
