package projections

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Acts that take two operators. All of it comes from the control partition, so
// rows are written in order. That one has expired depends on when it is asked:
// its row stays pending.
var approvalsView = View{Name: "approvals", Tables: map[string]string{"approvals": ""}, Schema: `
CREATE TABLE IF NOT EXISTS approvals (
	id               text        PRIMARY KEY,
	kind             text        NOT NULL,
	batch            text        NOT NULL,
	batch_version    integer     NOT NULL,
	documents        integer     NOT NULL,
	unlisted_slices  integer     NOT NULL,
	coordinates      jsonb       NOT NULL,
	alone            integer     NOT NULL, -- documents that one operator may change alone
	reason           text        NOT NULL,
	requested_issuer text        NOT NULL,
	requested_by     text        NOT NULL,
	requested_at     timestamptz NOT NULL,
	expires_at       timestamptz NOT NULL,
	status           text        NOT NULL,
	decided_issuer   text        NOT NULL DEFAULT '',
	decided_by       text        NOT NULL DEFAULT '',
	decided_at       timestamptz,
	decision_reason  text        NOT NULL DEFAULT '',
	outcome          text        NOT NULL DEFAULT '',
	code             text        NOT NULL DEFAULT '',
	detail           text        NOT NULL DEFAULT '',
	version          integer     NOT NULL
);
CREATE INDEX IF NOT EXISTS approvals_requested ON approvals (requested_at, id)`, Apply: applyApprovals}

func applyApprovals(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	b := &pgx.Batch{}
	for _, r := range events {
		event, ok := r.Event.(approval.Event)
		if !ok {
			continue
		}
		id, err := domain.ParseApprovalStream(r.Stream)
		if err != nil {
			return err
		}
		queueApproval(b, id, r, event)
	}
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

func queueApproval(b *pgx.Batch, id string, r wire.Record, event approval.Event) {
	settled := func(status approval.Status, by approval.Settled, e approval.Approved) {
		b.Queue(`UPDATE approvals SET status = $2, decided_issuer = $3, decided_by = $4, decided_at = $5, decision_reason = $6,
			outcome = $7, code = $8, detail = $9, version = $10 WHERE id = $1`,
			id, status, by.By.Issuer, by.By.Subject, r.Time, by.Reason, e.Outcome, e.Code, e.Detail, r.Version)
	}
	switch e := event.(type) {
	case approval.Requested:
		b.Queue(`INSERT INTO approvals (id, kind, batch, batch_version, documents, unlisted_slices, coordinates, alone, reason,
				requested_issuer, requested_by, requested_at, expires_at, status, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::timestamptz, $14, $15)`,
			id, e.Kind, e.Batch, e.BatchVersion, e.Extent.Documents, e.Extent.UnlistedSlices, e.Extent.Coordinates, e.Limit, e.Reason,
			e.By.Issuer, e.By.Subject, r.Time, e.ExpiresAt, approval.StatusPending, r.Version)
	case approval.Approved:
		settled(approval.StatusApproved, e.Settled, e)
	case approval.Rejected:
		settled(approval.StatusRejected, e.Settled, approval.Approved{})
	case approval.Withdrawn:
		settled(approval.StatusWithdrawn, e.Settled, approval.Approved{})
	}
}

// Approval of an act. Its status is what it was decided, or pending.
type Approval struct {
	approval.State
	RequestedAt time.Time
	DecidedAt   *time.Time // nil: not yet
}

const approvalColumns = `id, kind, batch, batch_version, documents, unlisted_slices, coordinates, alone, reason, requested_issuer, requested_by, requested_at,
	expires_at, status, decided_issuer, decided_by, decided_at, decision_reason, outcome, code, detail, version`

func scanApproval(row pgx.CollectableRow) (a Approval, err error) {
	var ends time.Time
	err = row.Scan(&a.ID, &a.Kind, &a.Batch, &a.BatchVersion, &a.Extent.Documents, &a.Extent.UnlistedSlices, &a.Extent.Coordinates, &a.Limit, &a.Reason,
		&a.RequestedBy.Issuer, &a.RequestedBy.Subject, &a.RequestedAt, &ends, &a.Status, &a.DecidedBy.Issuer, &a.DecidedBy.Subject, &a.DecidedAt,
		&a.DecisionReason, &a.Outcome, &a.Code, &a.Detail, &a.Version)
	a.ExpiresAt = ends.UTC().Format(time.RFC3339)
	return a, err
}

// FindApproval by id; a *domain.Refusal when there is none.
func FindApproval(ctx context.Context, q Querier, id string) (Approval, error) {
	rows, err := q.Query(ctx, `SELECT `+approvalColumns+` FROM approvals WHERE id = $1`, id)
	if err != nil {
		return Approval{}, err
	}
	return one(rows, scanApproval, "approval", id)
}

// ApprovalFilter narrows a list of approvals; empty fields choose all.
type ApprovalFilter struct {
	Status approval.Status
	Now    time.Time       // at which those that are pending have expired or not
	After  *ApprovalCursor // only what comes after it
	Limit  int
}

// ApprovalCursor is a place in the list, as it was.
type ApprovalCursor struct {
	Pending     bool
	RequestedAt time.Time
	ID          string
}

// Cursor is the approval's place in the list of a time.
func (a Approval) Cursor(now time.Time) ApprovalCursor {
	return ApprovalCursor{a.StatusAt(now) == approval.StatusPending, a.RequestedAt, a.ID}
}

// Approvals give those that can be decided first, then all others; both newest
// first. One that is decided between two pages only moves on: it may be on both
// of them, and none is on neither.
func Approvals(ctx context.Context, q Querier, f ApprovalFilter) ([]Approval, error) {
	after := ApprovalCursor{Pending: true, RequestedAt: f.Now.AddDate(1, 0, 0)} // before the first
	if f.After != nil {
		after = *f.After
	}
	rows, err := q.Query(ctx, `WITH a AS (
			SELECT *, CASE WHEN status = 'pending' AND expires_at <= $1 THEN 'expired' ELSE status END AS standing FROM approvals)
		SELECT `+approvalColumns+` FROM a WHERE ($2 = '' OR standing = $2) AND (standing = 'pending', requested_at, id) < ($3, $4, $5)
		ORDER BY standing = 'pending' DESC, requested_at DESC, id DESC LIMIT $6`, f.Now, f.Status, after.Pending, after.RequestedAt, after.ID, f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanApproval)
}
