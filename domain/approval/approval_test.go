package approval_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/spec"
	"github.com/waybill-migration/waybill/domain/wire"
)

var approvals = spec.Aggregate[approval.State, approval.Command, approval.Event]{
	Decide: approval.Decide, Evolve: approval.Evolve, Version: func(s approval.State) int { return s.Version },
}

var (
	ann    = approval.Person{Issuer: "token", Subject: "ann"}
	bo     = approval.Person{Issuer: "token", Subject: "bo"}
	asked  = time.Date(2026, 1, 30, 17, 0, 0, 0, time.FixedZone("CST", 8*3600))
	monday = asked.Add(approval.Validity - time.Second)
	ends   = "2026-02-02T09:00:00Z"

	request = approval.Request{
		ID: "a", Kind: approval.CancelBatch, Batch: "B1", BatchVersion: 3, Limit: 1000, Reason: "wrong scope", By: ann, At: asked,
		Extent: approval.Extent{Documents: 1200, UnlistedSlices: 1, Coordinates: map[int]int64{0: 4, 7: 1200}},
	}
	requested = approval.Requested{
		ID: "a", Kind: approval.CancelBatch, Batch: "B1", BatchVersion: 3, Limit: 1000, Reason: "wrong scope", By: ann, Extent: request.Extent, ExpiresAt: ends,
	}
)

func decision(by approval.Person) approval.Decision {
	return approval.Decision{By: by, At: monday, Reason: "seen"}
}

func settled(by approval.Person) approval.Settled {
	return approval.Settled{Batch: "B1", By: by, Reason: "seen"}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	approvals.Given(t).When(request).Then(requested).
		When(request).ThenRefused(domain.Conflict, "approval-exists")
	silent := request
	silent.Reason = "\t"
	approvals.Given(t).When(silent).ThenRefused(domain.Invalid, "reason-missing")
	approvals.Given(t).When(approval.Approve{Decision: decision(bo)}).ThenRefused(domain.NotFound, "approval-not-found")
}

// Another person approves, and what became of the act stands in the event.
func TestAnotherPersonDecides(t *testing.T) {
	t.Parallel()
	o := approvals.Given(t, requested).When(approval.Approve{Decision: decision(bo), Outcome: approval.Done}).
		Then(approval.Approved{Settled: settled(bo), Outcome: approval.Done})
	require.Equal(t, approval.StatusApproved, o.State.Status)
	require.Equal(t, bo, o.State.DecidedBy)

	refused := approval.Approve{Decision: decision(bo), Outcome: approval.Refused, Code: "version-stale", Detail: "it is at version 4"}
	o = approvals.Given(t, requested).When(refused).
		Then(approval.Approved{Settled: settled(bo), Outcome: approval.Refused, Code: "version-stale", Detail: "it is at version 4"})
	require.Equal(t, []string{"version-stale", "it is at version 4"}, []string{o.State.Code, o.State.Detail})

	approvals.Given(t, requested).When(approval.Reject{Decision: decision(bo)}).Then(approval.Rejected{Settled: settled(bo)})
}

// Nobody decides what he asked for himself; only he takes it back. Another
// issuer's subject of the same name is another person.
func TestWhoMayDecide(t *testing.T) {
	t.Parallel()
	pending := approvals.Given(t, requested)
	pending.When(approval.Approve{Decision: decision(ann)}).ThenRefused(domain.Forbidden, "approval-own")
	pending.When(approval.Reject{Decision: decision(ann)}).ThenRefused(domain.Forbidden, "approval-own")
	pending.When(approval.Withdraw{Decision: decision(bo)}).ThenRefused(domain.Forbidden, "approval-of-another")
	pending.When(approval.Withdraw{Decision: decision(ann)}).Then(approval.Withdrawn{Settled: settled(ann)})
	namesake := approval.Person{Issuer: "https://login.example", Subject: "ann"}
	pending.When(approval.Approve{Decision: decision(namesake)}).Then(approval.Approved{Settled: settled(namesake)})
	pending.When(approval.Withdraw{Decision: decision(namesake)}).ThenRefused(domain.Forbidden, "approval-of-another")
	pending.When(approval.Approve{Decision: approval.Decision{By: bo, At: monday, Reason: " "}}).ThenRefused(domain.Invalid, "reason-missing")
}

// It is good for 72 hours and not a second longer.
func TestItExpires(t *testing.T) {
	t.Parallel()
	pending := approvals.Given(t, requested)
	state := pending.State()
	require.Equal(t, approval.StatusPending, state.StatusAt(monday))
	require.Equal(t, approval.StatusExpired, state.StatusAt(monday.Add(time.Second)))
	late := approval.Decision{By: bo, At: monday.Add(time.Second), Reason: "seen"}
	pending.When(approval.Approve{Decision: late}).ThenRefused(domain.Conflict, "approval-expired")
	pending.When(approval.Reject{Decision: late}).ThenRefused(domain.Conflict, "approval-expired")
	late.By = ann
	pending.When(approval.Withdraw{Decision: late}).ThenRefused(domain.Conflict, "approval-expired")
	approved := approvals.Given(t, requested, approval.Approved{Settled: settled(bo), Outcome: approval.Done}).State()
	require.Equal(t, approval.StatusApproved, approved.StatusAt(monday.AddDate(1, 0, 0)), "what was decided does not expire")
}

func TestTheExtentThatOneMayChangeAlone(t *testing.T) {
	t.Parallel()
	require.False(t, approval.Extent{Documents: 10}.Exceeds(10))
	require.True(t, approval.Extent{Documents: 11}.Exceeds(10))
	require.True(t, approval.Extent{UnlistedSlices: 1}.Exceeds(10), "what nobody knows is not few")
}

func TestTheLongestTextsFitIntoARecord(t *testing.T) {
	t.Parallel()
	long := request
	long.Reason = strings.Repeat("\x02", 100_000)
	coordinates := map[int]int64{}
	for partition := range domain.Partitions {
		coordinates[partition] = 1 << 60
	}
	long.Extent.Coordinates = coordinates
	d := approval.Decision{By: bo, At: monday, Reason: long.Reason}
	for _, o := range []spec.Outcome[approval.State, approval.Command, approval.Event]{
		approvals.Given(t).When(long), approvals.Given(t, requested).When(approval.Approve{Decision: d, Detail: long.Reason}),
	} {
		_, err := wire.Encode(wire.Metadata{}, domain.ApprovalStream("a"), 0, o.Events[0])
		require.NoError(t, err)
	}
}

// Whoever says what in whatever order: it is settled once, by somebody who may,
// in time; and whoever did may say so again.
func TestAnySequenceOfDecisions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		command := rapid.Custom(func(t *rapid.T) approval.Command {
			d := approval.Decision{
				By: rapid.SampledFrom([]approval.Person{ann, bo, {Issuer: "other", Subject: "ann"}}).Draw(t, "by"), Reason: "seen",
				At: asked.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour),
			}
			return rapid.SampledFrom([]approval.Command{
				request, approval.Approve{Decision: d, Outcome: approval.Done}, approval.Reject{Decision: d}, approval.Withdraw{Decision: d},
			}).Draw(t, "command")
		})
		past, ended := approvals.After(t, request), 0
		for _, c := range rapid.SliceOfN(command, 1, 20).Draw(t, "commands") {
			o := past.When(c)
			if o.Err != nil {
				continue
			}
			ended += len(o.Events)
			require.LessOrEqual(t, ended, 1)
			s := o.State
			require.Equal(t, s.Status == approval.StatusWithdrawn, s.DecidedBy == s.RequestedBy)
			require.Equal(t, s.Status == approval.StatusApproved, s.Outcome != "")
			for _, d := range decisionsOf(c) {
				require.True(t, len(o.Events) == 0 || d.At.Before(asked.Add(approval.Validity)))
			}
			past = o.Past()
			past.When(c).ThenNothing()
		}
	})
}

func decisionsOf(c approval.Command) []approval.Decision {
	switch c := c.(type) {
	case approval.Approve:
		return []approval.Decision{c.Decision}
	case approval.Reject:
		return []approval.Decision{c.Decision}
	case approval.Withdraw:
		return []approval.Decision{c.Decision}
	}
	return nil
}
