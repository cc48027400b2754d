package policies_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/wire"
)

func TestBatchesFollowTheirSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	w.Source("other")
	first, second, other := w.Batch("one"), w.Batch("one"), w.Batch("other")
	w.change(second, batch.Pause{Reason: "lunch"})

	w.disable("one")
	disabled := w.Control(w.Head() - 1)[0]
	w.settle()
	w.phases(batch.PhaseHeld, first, second)
	w.phases(batch.PhaseActive, other)
	held := w.Control(disabled.Offset)
	require.Len(t, held, 2)
	for _, r := range held {
		require.IsType(t, batch.Held{}, r.Event)
		require.Equal(t, disabled.ID.String(), r.Metadata.CausationID)
		require.Equal(t, disabled.Metadata.CorrelationID, r.Metadata.CorrelationID)
		require.Equal(t, domain.SystemActor("policy-hold"), r.Metadata.Actor)
		require.Equal(t, installationtest.Alice, r.Metadata.Initiator)
	}

	w.enable("one")
	w.settle()
	w.phases(batch.PhaseActive, first, other)
	w.phases(batch.PhasePaused, second)
}

func TestAReopenedBatchOfADisabledSourceIsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	finished := w.Batch("one")
	w.change(finished, batch.Finish{Counts: batch.Counts{Total: 1, Failed: 1}})
	w.disable("one")
	w.settle()
	w.phases(batch.PhaseActive, finished) // nothing of it is to be done

	w.change(finished, batch.Reopen{Counts: batch.Counts{Total: 1, Pending: 1}})
	w.settle()
	w.phases(batch.PhaseHeld, finished)
	w.enable("one")
	w.settle()
	w.phases(batch.PhaseActive, finished)

	w.change(finished, batch.Finish{})
	w.change(finished, batch.Reopen{})
	head := w.Head()
	w.settle()
	require.Equal(t, head, w.Head(), "a reopened batch of an enabled source is left alone")
}

// The work that was under way when its batch was held may finish the batch.
func TestABatchThatFinishedWhileItWasHeldIsReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	number := w.Batch("one")
	w.disable("one")
	w.settle()
	w.change(number, batch.Finish{Counts: batch.Counts{Total: 1, Migrated: 1}})
	w.phases(batch.PhaseHeld, number)
	w.enable("one")
	w.settle()
	w.phases(batch.PhaseActive, number)
}

// An event that is handled after later ones, as when two processes have the
// same policy for a moment, must not undo what those did.
func TestEventsHandledLateChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	old := w.Batch("one")
	w.disable("one")
	disabled := w.Control(w.Head() - 1)[0]
	w.settle()
	w.phases(batch.PhaseHeld, old)
	w.enable("one")
	w.settle()
	young := w.Batch("one")
	head := w.Head()
	hold := policies.Hold(w.Handler, w.Selection)
	w.Shown(wire.Position{0: head})
	require.NoError(t, hold.React(t.Context(), disabled))
	w.phases(batch.PhaseActive, old, young)
	require.Equal(t, head, w.Head())
}

func TestASourceThatChangesMeanwhileIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	number := w.Batch("one")
	w.disable("one")
	disabled := w.Control(w.Head() - 1)[0]
	hold := policies.Hold(w.Handler, racing{w.Selection, func() { w.enable("one") }})
	require.Error(t, hold.React(t.Context(), disabled))
	w.phases(batch.PhaseActive, number)
	w.settle()
	w.phases(batch.PhaseActive, number)
}

// What is done with access, which stands in the same partition, causes nothing.
func TestAccessCausesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	number := w.Batch("one")
	meta := installationtest.Meta()
	_, err := w.Handler.RecordTokenIssued(t.Context(), meta, commands.Token{ID: "9f86", Grant: commands.Grant{Subject: "erp", Roles: []string{"admin"}}})
	require.NoError(t, err)
	_, err = w.Handler.RecordTokenRevoked(t.Context(), installationtest.Meta(), "9f86", "erp")
	require.NoError(t, err)
	meta = installationtest.Meta()
	require.NoError(t, w.Handler.BeginExport(t.Context(), meta, access.BeginExport{Format: access.CSV, Filter: access.Filter{Batch: number}, Until: map[int]int64{0: 1}}))
	require.NoError(t, w.Handler.EndExport(t.Context(), meta, access.EndExport{Rows: 1, Complete: true}))
	require.NoError(t, w.Handler.RecordRefusal(t.Context(), installationtest.Meta(), access.CommandRefused{Method: "POST", Path: "/", Batch: number, Status: 409, Code: "x"}))
	head := w.Head()
	w.settle()
	require.Equal(t, head, w.Head())
	w.phases(batch.PhaseActive, number)
	for _, r := range w.runners {
		require.Equal(t, policies.Status{Policy: r.Name(), Offset: head}, r.Status())
	}
}
