package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// approval as the API tells it.
type approval struct {
	ID, Kind, Batch, Reason, Status  string
	Documents, UnlistedSlices, Limit int64
	CountedAt                        string
	RequestedBy, DecidedBy           string
	DecisionReason, Outcome          string
	RequestedAt, ExpiresAt           time.Time
	DecidedAt                        *time.Time
	Refusal                          *struct{ Code, Detail string }
}

// act that is asked for, in words.
func (a approval) act() string { return a.Kind + " " + a.Batch + ", " + a.extent() }

func (a approval) extent() string {
	if a.UnlistedSlices > 0 {
		return fmt.Sprintf("%d documents and those of %d slices that are not listed yet", a.Documents, a.UnlistedSlices)
	}
	return fmt.Sprintf("%d documents", a.Documents)
}

func approvalCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{
		approvalList(k), approvalShow(k),
		approvalOrder(k, "approve", "Approve of what another operator asked for: it is carried out at once"),
		approvalOrder(k, "reject", "Reject what another operator asked for"),
		approvalOrder(k, "withdraw", "Withdraw what you asked for yourself"),
	}
}

var approvalStatuses = []string{"pending", "expired", "approved", "rejected", "withdrawn"}

func approvalList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "list", Short: "Acts that take two operators, pending ones first, newest first", Args: takes(0)}
	f.add(c, "status", "status", strings.Join(approvalStatuses, ", "), approvalStatuses...)
	position(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		return list(ctx, s, pathOf("approvals"), f.query(), p, []column[approval]{
			{"APPROVAL", func(a approval) string { return a.ID }},
			{"STATUS", func(a approval) string { return a.Status }},
			{"KIND", func(a approval) string { return a.Kind }},
			{"BATCH", func(a approval) string { return a.Batch }},
			{"DOCUMENTS", func(a approval) string { return count(a.Documents) }},
			{"BY", func(a approval) string { return a.RequestedBy }},
			{"EXPIRES", func(a approval) string { return moment(a.ExpiresAt) }},
			{"OUTCOME", func(a approval) string { return a.Outcome }},
			{"REASON", func(a approval) string { return a.Reason }},
		})
	})
}

func approvalShow(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{Use: "show APPROVAL", Short: "What is asked for, and what became of it", Args: takes(1)}
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		var a approval
		return s.read(ctx, withQuery(pathOf("approvals", args[0]), f.query()), &a, func() error { return a.print(s) })
	})
}

func (a approval) print(s *session) error {
	var lines facts
	lines.add("approval", a.ID)
	lines.add("act", a.act())
	lines.add("counted at", a.CountedAt)
	lines.add("alone", fmt.Sprintf("%d documents at most", a.Limit))
	lines.add("reason", a.Reason)
	lines.add("requested", moment(a.RequestedAt)+" by "+a.RequestedBy)
	lines.add("status", a.Status)
	lines.add("expires", moment(a.ExpiresAt))
	if a.DecidedAt != nil {
		lines.add("decided", moment(*a.DecidedAt)+" by "+a.DecidedBy+": "+a.DecisionReason)
	}
	lines.add("outcome", a.Outcome)
	if a.Refusal != nil {
		lines.add("refused", a.Refusal.Code+": "+a.Refusal.Detail)
	}
	return lines.print(s.out)
}

// decided answers a command on an approval.
type decided struct {
	outcome
	Approval approval
}

func approvalOrder(k *connection, verb, short string) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: verb + " APPROVAL --reason WHY", Short: short, Args: takes(1)}
	ch.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		what := verb + " " + args[0]
		answer, err := ch.post(ctx, s, pathOf("approvals", args[0], verb), what, nil)
		if err != nil {
			return err
		}
		var d decided
		if err := answer.Decode(&d); err != nil {
			return err
		}
		if err := s.answer(answer, &d, func() error { return d.tell(s, what) }); err != nil {
			return err
		}
		if d.Approval.Refusal != nil {
			return unsettled("%s was not done: %s", d.Approval.act(), d.Approval.Refusal.Detail)
		}
		return nil
	})
}

// batchCancel tells that it takes another operator, when it does.
func batchCancel(k *connection) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: "cancel NUMBER --reason WHY", Short: "Cancel a batch for good; what was migrated stays", Args: takes(1), ValidArgsFunction: k.first(batchNumbers)}
	ch.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		what := "cancel batch " + args[0]
		answer, err := ch.post(ctx, s, pathOf("batches", args[0], "cancel"), what, nil)
		if err != nil {
			return err
		}
		if answer.Status != http.StatusAccepted {
			var o outcome
			return s.answer(answer, &o, func() error { return o.tell(s, what) })
		}
		var d decided
		if err := answer.Decode(&d); err != nil {
			return err
		}
		if err := s.answer(answer, &d, func() error { return d.Approval.print(s) }); err != nil {
			return err
		}
		return unsettled("%s: nothing was changed; until %s another operator must run: waybill approval approve %s --reason WHY", what, moment(d.Approval.ExpiresAt), d.Approval.ID)
	})
}
