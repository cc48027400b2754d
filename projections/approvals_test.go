package projections_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

var (
	ann = approval.Person{Issuer: "token", Subject: "ann"}
	bo  = approval.Person{Issuer: "token", Subject: "bo"}
)

func askApproval(j *viewtest.Journal, id string) {
	j.Must(j.Approval(id, approval.Request{
		ID: id, Kind: approval.CancelBatch, Batch: "B1", BatchVersion: 3, Limit: 1000, Reason: "wrong scope", By: ann, At: j.Now(),
		Extent: approval.Extent{Documents: 1200, UnlistedSlices: 2, Coordinates: map[int]int64{0: 4, 7: 12}},
	}))
}

func decide(j *viewtest.Journal, by approval.Person) approval.Decision {
	return approval.Decision{By: by, At: j.Now(), Reason: "seen"}
}

func findApproval(t *testing.T, q projections.Querier, id string) projections.Approval {
	t.Helper()
	a, err := projections.FindApproval(t.Context(), q, id)
	require.NoError(t, err)
	a.RequestedAt = a.RequestedAt.UTC()
	if a.DecidedAt != nil {
		a.DecidedAt = new(a.DecidedAt.UTC())
	}
	return a
}

// A row is what the events leave, each time and by whom.
func TestApprovalsAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	requested := map[string]time.Time{}
	for _, id := range []string{"a/1", "approved", "rejected", "withdrawn"} {
		askApproval(j, id)
		requested[id] = j.Now()
	}
	decided := map[string]time.Time{}
	for _, c := range []struct {
		id      string
		command approval.Command
	}{
		{"approved", approval.Approve{Decision: decide(j, bo), Outcome: approval.Refused, Code: "version-stale", Detail: "it is at version 4"}},
		{"rejected", approval.Reject{Decision: decide(j, bo)}},
		{"withdrawn", approval.Withdraw{Decision: decide(j, ann)}},
	} {
		j.Must(j.Approval(c.id, c.command))
		decided[c.id] = j.Now()
	}
	spec(t, j, func(t *testing.T, q projections.Querier) {
		for id, at := range requested {
			expected := projections.Approval{State: viewtest.State(j, domain.ApprovalStream(id), approval.Evolve), RequestedAt: at}
			if end, ok := decided[id]; ok {
				expected.DecidedAt = &end
			}
			require.Equal(t, expected, findApproval(t, q, id))
		}
		_, err := projections.FindApproval(t.Context(), q, "none")
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, "approval-not-found", refusal.Code)
	})
}

// Those that can be decided come first, newest first, and then the others. What
// was decided or expired between two pages is on none too few.
func TestApprovalsPendingFirst(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		askApproval(j, id)
	}
	j.Must(j.Approval("3", approval.Reject{Decision: decide(j, bo)}))
	j.Must(j.Approval("4", approval.Withdraw{Decision: decide(j, ann)}))
	now := j.Now()
	spec(t, j, func(t *testing.T, q projections.Querier) {
		list := func(f projections.ApprovalFilter) (ids []string, last *projections.ApprovalCursor) {
			if f.Limit == 0 {
				f.Limit = 10
			}
			found, err := projections.Approvals(t.Context(), q, f)
			require.NoError(t, err)
			for _, a := range found {
				ids, last = append(ids, a.ID), new(a.Cursor(f.Now))
			}
			return ids, last
		}
		only := func(s approval.Status, at time.Time) []string {
			ids, _ := list(projections.ApprovalFilter{Status: s, Now: at})
			return ids
		}
		first, last := list(projections.ApprovalFilter{Now: now, Limit: 2})
		require.Equal(t, []string{"5", "2"}, first)
		rest, _ := list(projections.ApprovalFilter{Now: now, After: last})
		require.Equal(t, []string{"1", "4", "3"}, rest)
		require.Equal(t, []string{"5", "2", "1"}, only(approval.StatusPending, now))
		require.Equal(t, []string{"3"}, only(approval.StatusRejected, now))
		require.Equal(t, []string{"4"}, only(approval.StatusWithdrawn, now))
		require.Empty(t, only(approval.StatusExpired, now))
		require.Empty(t, only(approval.StatusApproved, now))

		later := viewtest.Begin.Add(2*time.Second + approval.Validity) // "1" and "2" have expired
		require.Equal(t, []string{"2", "1"}, only(approval.StatusExpired, later))
		require.Equal(t, []string{"5"}, only(approval.StatusPending, later))
		rest, _ = list(projections.ApprovalFilter{Now: later, After: last})
		require.Equal(t, []string{"4", "3", "2", "1"}, rest, "2 was on the page before as well, and 1 is not missing")
	})
}

// The audit log names both operators of what took two.
func TestAuditOfApprovals(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	askApproval(j, "1")
	j.Must(j.Approval("1", approval.Approve{Decision: decide(j, bo), Outcome: approval.Done}))
	j.Metadata.Actor, j.Metadata.Initiator = domain.SystemActor("four-eyes"), domain.Actor{Kind: domain.Person, Subject: "ann"}
	j.Metadata.Approver = domain.Actor{Kind: domain.Person, Subject: "bo"}
	j.Must(j.Batch("B1", batch.Cancel{Reason: "wrong scope"}))
	j.Metadata.Approver = domain.Actor{}
	askApproval(j, "2")
	j.Must(j.Approval("2", approval.Reject{Decision: decide(j, bo)}))
	askApproval(j, "3")
	j.Must(j.Approval("3", approval.Withdraw{Decision: decide(j, ann)}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		var said [][]string
		for _, e := range audit(t, q, projections.AuditFilter{Batch: "B1"})[1:] {
			said = append(said, []string{e.Type, e.Initiator, e.Approver, e.StatusBefore, e.StatusAfter, e.Reason})
		}
		require.Equal(t, [][]string{
			{"waybill.approval.requested.v1", "", "", "", "pending", "cancel-batch of 1200 documents and 2 slices that were not listed yet: wrong scope"},
			{"waybill.approval.approved.v1", "", "", "pending", "approved", "seen"},
			{"waybill.batch.cancelled.v1", "ann", "bo", "active", "cancelled", "wrong scope"},
			{"waybill.approval.requested.v1", "ann", "", "", "pending", "cancel-batch of 1200 documents and 2 slices that were not listed yet: wrong scope"},
			{"waybill.approval.rejected.v1", "ann", "", "pending", "rejected", "seen"},
			{"waybill.approval.requested.v1", "ann", "", "", "pending", "cancel-batch of 1200 documents and 2 slices that were not listed yet: wrong scope"},
			{"waybill.approval.withdrawn.v1", "ann", "", "pending", "withdrawn", "seen"},
		}, said)
	})
}
