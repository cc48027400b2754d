package policies_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// witness is a policy that keeps what it was brought.
func witness(seen *[]int64) policies.Policy {
	return policies.Policy{Name: "witness", React: func(_ context.Context, event wire.Record) error {
		*seen = append(*seen, event.Offset)
		return nil
	}}
}

func TestAPolicyBeginsAtTheHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	w.Source("two")
	var seen []int64
	r := w.begin(witness(&seen))
	require.EqualValues(t, 2, r.Status().Offset)
	require.NoError(t, r.Take(t.Context(), w.record(1)))
	require.NoError(t, r.Take(t.Context(), w.record(2)))
	w.Source("three")
	w.Source("four")

	// A process that starts later goes on where the policy is, not at the head.
	r = w.begin(witness(&seen))
	require.NoError(t, r.Take(t.Context(), w.record(3)))
	require.NoError(t, r.Take(t.Context(), w.record(4)))
	require.Equal(t, []int64{3, 4}, seen)
}

func TestGapsAreReadFromTheJournalAndDuplicatesDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen []int64
	r := w.begin(witness(&seen))
	w.Source("one")
	switches := w.Handler.Write(installationtest.Meta())
	require.NoError(t, commands.AddTo(switches, domain.SourceStream("one"), 1, slices.Repeat([]source.Event{source.Disabled{}, source.Enabled{}}, 150)))
	_, err := switches.Append(t.Context())
	require.NoError(t, err)
	for _, offset := range []int64{2, 1, 2, 250, 3, 249, 301, 301} { // 246 in a row are missing before the 250th
		require.NoError(t, r.Take(t.Context(), w.record(offset)))
	}
	expected := make([]int64, 301)
	for i := range expected {
		expected[i] = int64(i + 1)
	}
	require.Equal(t, expected, seen)
	require.EqualValues(t, 301, r.Status().Offset)
}

func TestWhatIsNoRecordOfTheControlPartitionIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen []int64
	r := w.begin(witness(&seen))
	w.Source("one")
	require.NoError(t, r.Take(t.Context(), []byte("hello")))
	require.NoError(t, r.Take(t.Context(), bytes.Replace(w.record(1), []byte(`{"partition":0`), []byte(`{"partition":5`), 1)))
	require.Empty(t, seen)
	require.NoError(t, r.Take(t.Context(), w.record(1)))
	require.Equal(t, []int64{1}, seen)
}

func TestAnUnknownEventStopsAPolicyVisibly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen []int64
	r := w.begin(witness(&seen))
	w.Source("one")
	unknown := bytes.Replace(w.record(1), []byte("waybill.source.registered.v2"), []byte("waybill.source.registered.v9"), 1)
	require.ErrorContains(t, r.Take(t.Context(), unknown), "registered.v9")
	require.Contains(t, r.Status().Error, "newer")
	require.Zero(t, r.Status().Offset)
	require.Empty(t, seen)
}

func TestAFailingPolicyStopsVisiblyAndGoesOnAfterMending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	first, second := w.Batch("one"), w.Batch("one")
	w.disable("one")
	hold := w.runners[0]
	w.closed(true)
	err := hold.Take(t.Context(), w.record(w.Head()))
	require.ErrorContains(t, err, "closed")
	status := hold.Status()
	require.Equal(t, err.Error(), status.Error)
	require.NotZero(t, status.Since)
	require.Equal(t, w.Head()-1, status.Offset, "it stands before the event that it cannot handle")

	w.closed(false)
	w.settle()
	w.phases(batch.PhaseHeld, first, second)
	require.Empty(t, hold.Status().Error)
}

// closed closes the journal or opens it, as the gate does.
func (w *world) closed(closed bool) {
	w.t.Helper()
	_, err := w.Pool.Exec(w.t.Context(), `UPDATE journal_identity SET closed = $1`, closed)
	require.NoError(w.t, err)
}

// A batch that cannot be held keeps no other from being held: here a view names
// one that the journal does not have.
func TestOneBatchKeepsNoOtherFromBeingHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	first, last := w.Batch("one"), w.Batch("one")
	w.Shown(wire.Position{0: w.Head()})
	_, err := w.Pool.Exec(t.Context(), `INSERT INTO worklist_batches (number, source, created) VALUES ('B0', 'one', true)`)
	require.NoError(t, err)
	w.disable("one")
	hold := w.runners[0]
	require.ErrorContains(t, hold.Take(t.Context(), w.record(w.Head())), "hold/B0")
	w.phases(batch.PhaseHeld, first, last)
	require.NotEmpty(t, hold.Status().Error)
}

func TestBeingToldToStopIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen []int64
	r := w.begin(witness(&seen))
	w.Source("one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Take(ctx, w.record(1)), context.Canceled)
	require.Empty(t, r.Status().Error)
	require.NoError(t, r.Take(t.Context(), w.record(1)))
	require.Equal(t, []int64{1}, seen)
}

// Kafka brings nothing though the journal has something.
func TestMissedEventsAreFoundInTheJournal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen []int64
	r := w.begin(witness(&seen))
	missed := func() []byte {
		record, err := r.Missed(t.Context())
		require.NoError(t, err)
		return record
	}
	require.Nil(t, missed(), "there is nothing")
	w.Source("one")
	w.Source("two")
	require.NoError(t, r.Take(t.Context(), w.record(1)))
	require.Nil(t, missed(), "it has moved since")
	require.Equal(t, w.record(2), missed())
	require.NoError(t, r.Take(t.Context(), w.record(2)))
	require.Nil(t, missed())
}
