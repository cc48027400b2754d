package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// Approval of an act that takes two operators.
type Approval struct {
	ID             string           `json:"id"`
	Kind           approval.Kind    `json:"kind" enum:"cancel-batch" doc:"What is to be done"`
	Batch          string           `json:"batch" doc:"On what"`
	BatchVersion   int              `json:"batchVersion,omitempty" doc:"Of the batch, the only one at which it is to be done; absent: any"`
	Documents      int              `json:"documents" doc:"That it would change, as far as they were known when it was asked for: pending ones, and those yet to be listed"`
	UnlistedSlices int              `json:"unlistedSlices,omitempty" doc:"Of which nobody knew how many documents they have"`
	CountedAt      string           `json:"countedAt" example:"0:15,7:123" doc:"Position that the counts are of"`
	Limit          int              `json:"limit" doc:"Documents that one operator could change alone when it was asked for"`
	Reason         string           `json:"reason"`
	RequestedBy    string           `json:"requestedBy"`
	RequestedAt    time.Time        `json:"requestedAt"`
	ExpiresAt      string           `json:"expiresAt" format:"date-time" doc:"From then on it cannot be decided"`
	Status         approval.Status  `json:"status" enum:"pending,expired,approved,rejected,withdrawn"`
	DecidedBy      string           `json:"decidedBy,omitempty"`
	DecidedAt      *time.Time       `json:"decidedAt,omitempty"`
	DecisionReason string           `json:"decisionReason,omitempty"`
	Outcome        approval.Outcome `json:"outcome,omitempty" enum:"done,unchanged,refused" doc:"Of what was approved; unchanged: it was so already"`
	Refusal        *Refusal         `json:"refusal,omitempty" doc:"Why nothing was done, though it was approved"`
	Version        int              `json:"version"`
}

// Refusal of an act.
type Refusal struct {
	Code   string `json:"code" example:"version-stale" doc:"As that of a problem"`
	Detail string `json:"detail"`
}

// approvalAt a time, which it depends on whether it has expired.
func approvalAt(now time.Time) func(projections.Approval) Approval {
	return func(a projections.Approval) Approval {
		shown := Approval{
			ID: a.ID, Kind: a.Kind, Batch: a.Batch, BatchVersion: a.BatchVersion,
			Documents: a.Extent.Documents, UnlistedSlices: a.Extent.UnlistedSlices, CountedAt: wire.Position(a.Extent.Coordinates).String(), Limit: a.Limit,
			Reason: a.Reason, RequestedBy: a.RequestedBy.Subject, RequestedAt: a.RequestedAt.UTC(), ExpiresAt: a.ExpiresAt, Status: a.StatusAt(now),
			DecidedBy: a.DecidedBy.Subject, DecisionReason: a.DecisionReason, Outcome: a.Outcome, Version: a.Version,
		}
		if a.DecidedAt != nil {
			shown.DecidedAt = new(a.DecidedAt.UTC())
		}
		if a.Code != "" {
			shown.Refusal = &Refusal{Code: a.Code, Detail: a.Detail}
		}
		return shown
	}
}

const approvalsView = "approvals"

// ApprovalID is the part of inputs that name an approval.
type ApprovalID struct {
	ID string `path:"id" maxLength:"100" doc:"Of the approval"`
}

// approvalDecision is the input of commands on an approval.
type approvalDecision struct {
	ApprovalID
	Command
	IfMatch
	Body Reason
}

// ApprovalDecided answers a command on an approval.
type ApprovalDecided struct {
	Outcome
	Approval Approval `json:"approval" doc:"As it is now; its outcome says what became of the act"`
}

// approvalDecided says too what became of the act.
type approvalDecided struct {
	Position string `header:"Waybill-Position" doc:"Give it to a read as after"`
	ETag     string `header:"ETag" doc:"The version; send it as If-Match"`
	Body     ApprovalDecided
}

func (s *server) registerApprovals() {
	const path, one = "/v1/approvals", "/v1/approvals/{id}"
	command := func(name, id, summary, description string, handle func(context.Context, *approvalDecision) (*approvalDecided, error)) {
		register(s, route{method: http.MethodPost, path: one + "/" + name, id: id, tag: "approvals", needs: decideApprovals, reach: confined,
			summary: summary, description: description}, handle)
	}
	register(s, route{method: http.MethodGet, path: path, id: "listApprovals", tag: "approvals", needs: readApprovals,
		summary: "Acts that take two operators, pending ones first, newest first"}, s.listApprovals)
	register(s, route{method: http.MethodGet, path: one, id: "getApproval", tag: "approvals", needs: readApprovals, reach: confined,
		summary: "What is asked for, and what became of it"}, s.getApproval)
	command("approve", "approveApproval", "Approve, and carry out",
		"By another person than who asked, with the permission for the act itself. The act is carried out at once, in the name of who asked. "+
			"When it is refused, since what it is about has changed, the approval says so, and nothing is done.", s.approve)
	command("reject", "rejectApproval", "Reject", "By another person than who asked.", s.reject)
	command("withdraw", "withdrawApproval", "Withdraw what one asked for", "By the person who asked, and nobody else.", s.withdraw)
}

func (s *server) listApprovals(ctx context.Context, in *struct {
	Status approval.Status `query:"status" enum:"pending,expired,approved,rejected,withdrawn" doc:"Only those of this status"`
	Paging
	After
}) (*listed[Approval], error) {
	after, err := in.approval(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, in.After, approvalsView); err != nil {
		return nil, err
	}
	now := s.Handler.Now()
	found, err := projections.Approvals(ctx, s.Views, projections.ApprovalFilter{Status: in.Status, Now: now, After: after, Limit: in.more()})
	return page(ctx, found, in.Paging, func(a projections.Approval) string { return placeOfApproval(a.Cursor(now)) }, approvalAt(now)), err
}

func placeOfApproval(c projections.ApprovalCursor) string {
	return fmt.Sprintf("%t %s %s", c.Pending, c.RequestedAt.Format(time.RFC3339Nano), c.ID)
}

// approval is the cursor of pages that follow the order of approvals.
func (p Paging) approval(ctx context.Context) (*projections.ApprovalCursor, error) {
	key, err := p.after(ctx)
	if err != nil || key == "" {
		return nil, err
	}
	pending, rest, _ := strings.Cut(key, " ")
	moment, id, _ := strings.Cut(rest, " ")
	at, err := time.Parse(time.RFC3339Nano, moment)
	if err != nil {
		return nil, cursorInvalid()
	}
	return &projections.ApprovalCursor{Pending: pending == "true", RequestedAt: at, ID: id}, nil
}

func (s *server) getApproval(ctx context.Context, in *struct {
	ApprovalID
	After
}) (*read[Approval], error) {
	if err := s.waitFor(ctx, in.After, approvalsView); err != nil {
		return nil, err
	}
	found, err := projections.FindApproval(ctx, s.Views, in.ID)
	if err == nil {
		err = s.coverAct(ctx, found.State)
	}
	return &read[Approval]{ETag: etag(found.Version), Body: approvalAt(s.Handler.Now())(found)}, err
}

func (s *server) approve(ctx context.Context, in *approvalDecision) (*approvalDecided, error) {
	return s.decide(ctx, in, s.Handler.Approve)
}

func (s *server) reject(ctx context.Context, in *approvalDecision) (*approvalDecided, error) {
	return s.decide(ctx, in, s.Handler.Reject)
}

func (s *server) withdraw(ctx context.Context, in *approvalDecision) (*approvalDecided, error) {
	return s.decide(ctx, in, s.Handler.Withdraw)
}

// decide as one who may do what it is about.
func (s *server) decide(ctx context.Context, in *approvalDecision,
	command func(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (commands.Approval, commands.Result, error),
) (*approvalDecided, error) {
	asked, err := s.Handler.LoadApproval(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := permit(requestOf(ctx).actor, actPermissions[asked.Kind]); err != nil {
		return nil, err
	}
	if err := s.coverAct(ctx, asked.State); err != nil {
		return nil, err
	}
	a, result, err := command(ctx, in.meta(ctx), in.ID, in.version(), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	body := ApprovalDecided{outcomeOf(result), approvalAt(s.Handler.Now())(projections.Approval(a))}
	return &approvalDecided{Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

// coverAct refuses an act that whoever asks could not do, since it is not all on
// documents of their organisations.
func (s *server) coverAct(ctx context.Context, a approval.State) error {
	if !restriction(ctx).Restricted() {
		return nil
	}
	err := s.coverBatch(ctx, a.Batch)
	if isNotFound(err) {
		err = domain.RefuseNotFound("approval", a.ID)
	}
	return err
}

// actPermissions that each kind of act needs, from whoever asks for it and from
// whoever decides.
var actPermissions = map[approval.Kind]permission{approval.CancelBatch: writeBatches}

// BatchCancelled answers the cancelling of a batch, or that a second operator is
// to approve of it.
type BatchCancelled struct {
	Outcome
	Approval *Approval `json:"approval,omitempty" doc:"That another operator must give: nothing was changed yet. Position and version are the approval's"`
}

// batchCancelled has the status 202 when an approval is pending.
type batchCancelled struct {
	Status   int
	Location string `header:"Location" doc:"Path of the approval, when it takes one"`
	Position string `header:"Waybill-Position" doc:"Give it to a read as after"`
	ETag     string `header:"ETag" doc:"The version; send it as If-Match"`
	Body     BatchCancelled
}

func (s *server) cancelBatch(ctx context.Context, in *batchCommand) (*batchCancelled, error) {
	asked, result, err := s.Handler.CancelBatch(ctx, in.meta(ctx), s.Selection, in.Number.Number, in.version(), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	body := BatchCancelled{Outcome: outcomeOf(result)}
	answer := &batchCancelled{Status: http.StatusOK, Position: body.Position, ETag: etag(body.Version)}
	if asked != nil {
		body.Changed, body.Approval = false, new(approvalAt(s.Handler.Now())(projections.Approval(*asked)))
		answer.Status, answer.Location = accepted, "/v1/approvals/"+url.PathEscape(asked.ID)
	}
	answer.Body = body
	return answer, nil
}
