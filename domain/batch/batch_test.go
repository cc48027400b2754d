package batch_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/spec"
	"github.com/waybill-migration/waybill/domain/wire"
)

var batches = spec.Aggregate[batch.State, batch.Command, batch.Event]{
	Decide: batch.Decide, Evolve: batch.Evolve, Version: func(s batch.State) int { return s.Version },
}

var (
	march  = batch.Scope{Organizations: []string{"O1"}, DocumentTypes: []string{"T1"}, From: "2025-03-05", To: "2025-03-31"}
	create = batch.Create{Number: "B1", Source: "erp", SourceEnabled: true, SourceVersion: 3, Profile: "flagship", Scope: march}
	slice  = batch.Slice{ID: "2025-03@O1", Organization: "O1", DocumentTypes: []string{"T1"}, From: "2025-03-05", To: "2025-03-31"}
)

func TestCreate(t *testing.T) {
	t.Parallel()
	created := batch.Created{Number: "B1", Source: "erp", SourceVersion: 3, Profile: "flagship", Scope: march, Slices: []batch.Slice{slice}}
	o := batches.Given(t).When(create).Then(created)
	require.True(t, o.State.HasSlice("2025-03@O1"))
	require.False(t, o.State.HasSlice("2025-03"))
	require.Equal(t, batch.PhaseActive, o.State.Phase())
	o.When(create).ThenRefused(domain.Conflict, "batch-exists")
}

func TestABatchIsNotCreatedOfADisabledSourceNorOfAnImpossibleScope(t *testing.T) {
	t.Parallel()
	disabled, reversed := create, create
	disabled.SourceEnabled = false
	reversed.Scope = batch.Scope{From: "2025-03-02", To: "2025-03-01"}
	batches.Given(t).When(disabled).ThenRefused(domain.Conflict, "source-disabled")
	batches.Given(t).When(reversed).ThenRefused(domain.Invalid, "period-reversed")
}

// A preflight says so; a batch that migrates says nothing, as ever.
func TestModes(t *testing.T) {
	t.Parallel()
	preflight, migrate, other := create, create, create
	preflight.Mode, migrate.Mode, other.Mode = batch.Preflight, batch.Migrate, "rehearse"
	created := batch.Created{Number: "B1", Source: "erp", SourceVersion: 3, Profile: "flagship", Scope: march, Slices: []batch.Slice{slice}}
	o := batches.Given(t).When(migrate).Then(created)
	require.Equal(t, batch.Migrate, o.State.Mode)
	created.Mode = batch.Preflight
	o = batches.Given(t).When(preflight).Then(created)
	require.Equal(t, batch.Preflight, o.State.Mode)
	batches.Given(t).When(other).ThenRefused(domain.Invalid, "choice-unknown")
}

func TestRun(t *testing.T) {
	t.Parallel()
	preflight := create
	preflight.Mode = batch.Preflight
	finish := batch.Finish{Counts: batch.Counts{Total: 1, Passed: 1}, Coordinates: map[int]int64{0: 4}}
	judged := batches.After(t, preflight, finish).State()
	run := batch.Run{Number: "B2", Preflight: judged, SourceEnabled: true, SourceVersion: 4}
	o := batches.Given(t).When(run).Then(batch.Created{
		Number: "B2", RunOf: "B1", Source: "erp", SourceVersion: 4, Profile: "flagship", Scope: march, Slices: []batch.Slice{slice},
	})
	require.Equal(t, batch.Migrate, o.State.Mode)
	require.Equal(t, "B1", o.State.RunOf)
	o.When(run).ThenRefused(domain.Conflict, "batch-exists")

	for code, p := range map[string]batch.State{
		"batch-not-preflight":   batches.After(t, create, finish).State(),
		"preflight-in-progress": batches.After(t, preflight).State(),
		"batch-cancelled":       batches.After(t, preflight, finish, batch.Cancel{}).State(),
	} {
		batches.Given(t).When(batch.Run{Number: "B2", Preflight: p, SourceEnabled: true}).ThenRefused(domain.Conflict, code)
	}
	reopened := batches.After(t, preflight, finish, batch.Reopen{}).State()
	batches.Given(t).When(batch.Run{Number: "B2", Preflight: reopened, SourceEnabled: true}).ThenRefused(domain.Conflict, "preflight-in-progress")
	run.SourceEnabled = false
	batches.Given(t).When(run).ThenRefused(domain.Conflict, "source-disabled")
}

func TestNothingCanBeAskedOfABatchThatDoesNotExist(t *testing.T) {
	t.Parallel()
	for _, c := range []batch.Command{
		batch.Hold{}, batch.Release{}, batch.Pause{}, batch.Resume{}, batch.Cancel{}, batch.AcceptShortfall{}, batch.AcknowledgeEmpty{}, batch.Finish{}, batch.Reopen{},
	} {
		batches.Given(t).When(c).ThenRefused(domain.NotFound, "batch-not-found")
	}
}

func change(before, after batch.Phase) batch.PhaseChanged {
	return batch.PhaseChanged{Before: before, After: after, Reason: "why"}
}

// A pause outlasts a hold, and a hold shows over a pause.
func TestPhases(t *testing.T) {
	t.Parallel()
	const active, held, paused, cancelled = batch.PhaseActive, batch.PhaseHeld, batch.PhasePaused, batch.PhaseCancelled
	batches.After(t, create).
		When(batch.Resume{Reason: "why"}).ThenNothing().
		When(batch.Release{Reason: "why"}).ThenNothing().
		When(batch.Pause{Reason: "why"}).Then(batch.Paused{PhaseChanged: change(active, paused)}).
		When(batch.Pause{Reason: "why"}).ThenNothing().
		When(batch.Hold{Reason: "why"}).Then(batch.Held{PhaseChanged: change(paused, held)}).
		When(batch.Hold{Reason: "why"}).ThenNothing().
		When(batch.Release{Reason: "why"}).Then(batch.Released{PhaseChanged: change(held, paused)}).
		When(batch.Hold{Reason: "why"}).Then(batch.Held{PhaseChanged: change(paused, held)}).
		When(batch.Resume{Reason: "why"}).Then(batch.Resumed{PhaseChanged: change(held, held)}).
		When(batch.Release{Reason: "why"}).Then(batch.Released{PhaseChanged: change(held, active)}).
		When(batch.Cancel{Reason: "why"}).Then(batch.Cancelled{PhaseChanged: change(active, cancelled)}).
		When(batch.Cancel{Reason: "why"}).ThenNothing()
}

func TestACancelledBatchStaysCancelled(t *testing.T) {
	t.Parallel()
	stopped := batches.After(t, create, batch.Cancel{})
	stopped.When(batch.Pause{}).ThenRefused(domain.Conflict, "batch-cancelled")
	stopped.When(batch.Resume{}).ThenRefused(domain.Conflict, "batch-cancelled")
	stopped.When(batch.Hold{}).ThenNothing()
	batches.After(t, create, batch.Hold{}, batch.Cancel{}).When(batch.Release{}).ThenNothing()
}

func TestAcceptShortfall(t *testing.T) {
	t.Parallel()
	accept := batch.AcceptShortfall{Slice: slice.ID, Missing: 2, Reason: "destroyed in 2019"}
	less := batch.AcceptShortfall{Slice: slice.ID, Missing: 1, Reason: "one was found"}
	batches.After(t, create).
		When(accept).Then(batch.ShortfallAccepted{Slice: slice.ID, Missing: 2, Reason: "destroyed in 2019"}).
		When(accept).ThenNothing().
		When(less).Then(batch.ShortfallAccepted{Slice: slice.ID, Missing: 1, Before: 2, Reason: "one was found"})
	created := batches.After(t, create)
	created.When(batch.AcceptShortfall{Slice: "2025-04", Missing: 1, Reason: "r"}).ThenRefused(domain.NotFound, "slice-not-found")
	created.When(batch.AcceptShortfall{Slice: slice.ID, Missing: 1, Reason: " "}).ThenRefused(domain.Invalid, "reason-missing")
	created.When(batch.AcceptShortfall{Slice: slice.ID, Reason: "r"}).ThenRefused(domain.Conflict, "no-shortfall")
}

func TestAcknowledgeEmpty(t *testing.T) {
	t.Parallel()
	acknowledge := batch.AcknowledgeEmpty{Reason: "no vouchers in that month"}
	batches.After(t, create).When(acknowledge).ThenRefused(domain.Conflict, "batch-not-finished")
	finished := batches.After(t, create, batch.Finish{})
	finished.When(acknowledge).Then(batch.EmptyAcknowledged{Reason: "no vouchers in that month"}).When(acknowledge).ThenNothing()
	finished.When(batch.AcknowledgeEmpty{}).ThenRefused(domain.Invalid, "reason-missing")
	finished.When(batch.AcknowledgeEmpty{Total: 1, Reason: "r"}).ThenRefused(domain.Conflict, "batch-not-empty")
}

func TestFinishAndReopen(t *testing.T) {
	t.Parallel()
	counts := batch.Counts{Total: 3, Migrated: 1, Failed: 1, Excepted: 1}
	finish := batch.Finish{Counts: counts, Coordinates: map[int]int64{0: 4, 7: 12}}
	batches.After(t, create).
		When(batch.Reopen{}).ThenNothing().
		When(finish).Then(batch.Finished{Counts: counts, Coordinates: map[int]int64{0: 4, 7: 12}}).
		When(finish).ThenNothing().
		When(batch.Reopen{Counts: counts}).Then(batch.Reopened{Counts: counts}).
		When(batch.Reopen{Counts: counts}).ThenNothing().
		When(finish).Then(batch.Finished{Counts: counts, Coordinates: map[int]int64{0: 4, 7: 12}})
}

// The largest scope that is taken fits into a record.
func TestTheLargestScopeFitsIntoARecord(t *testing.T) {
	t.Parallel()
	large := create
	large.Scope = batch.Scope{Organizations: codes("O", 13), DocumentTypes: codes("T", 9), From: "1995-01-01", To: "2024-12-31"}
	o := batches.Given(t).When(large)
	require.NoError(t, o.Err)
	draft, err := wire.Encode(wire.Metadata{}, domain.BatchStream("B1"), 0, o.Events[0])
	require.NoError(t, err)
	require.Greater(t, draft.Size(), wire.MaxRecord*8/10, "a scope that comes near to the limit")
}

// texts that a record can hold: U+0000 is refused before it is history.
var texts = rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 }))

func TestAnySequenceOfCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		command := rapid.Custom(func(t *rapid.T) batch.Command {
			reason := texts.Draw(t, "reason")
			n := rapid.IntRange(0, 3).Draw(t, "n")
			counts := batch.Counts{Total: n, Failed: n}
			return rapid.SampledFrom([]batch.Command{
				create, batch.Hold{Reason: reason}, batch.Release{Reason: reason}, batch.Pause{Reason: reason}, batch.Resume{Reason: reason},
				batch.Cancel{Reason: reason}, batch.AcceptShortfall{Slice: slice.ID, Missing: n, Reason: reason}, batch.AcknowledgeEmpty{Total: n, Reason: reason},
				batch.Finish{Counts: counts, Coordinates: map[int]int64{n: 1}}, batch.Reopen{Counts: counts},
			}).Draw(t, "command")
		})
		past := batches.After(t, create)
		for _, c := range rapid.SliceOfN(command, 1, 25).Draw(t, "commands") {
			o := past.When(c)
			if o.Err != nil {
				continue
			}
			requirePhases(t, past.State(), o.Events)
			past = o.Past()
			past.When(c).ThenNothing()
		}
	})
}

// requirePhases: what events say of the phase is what the state says.
func requirePhases(t *rapid.T, s batch.State, events []batch.Event) {
	for _, event := range events {
		before := s.Phase()
		s = batch.Evolve(s, event)
		var changed batch.PhaseChanged
		switch e := event.(type) {
		case batch.Held:
			changed = e.PhaseChanged
		case batch.Released:
			changed = e.PhaseChanged
		case batch.Paused:
			changed = e.PhaseChanged
		case batch.Resumed:
			changed = e.PhaseChanged
		case batch.Cancelled:
			changed = e.PhaseChanged
		default:
			require.Equal(t, before, s.Phase())
			continue
		}
		require.Equal(t, before, changed.Before)
		require.Equal(t, s.Phase(), changed.After)
	}
}
