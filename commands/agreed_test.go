package commands_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// agreeing gives handlers of a command that is sent several times, and one that
// others use.
func agreeing(t *testing.T) (h, other *commands.Handler, journal *meddling, same wire.Metadata) {
	t.Helper()
	pool := postgrestest.New(t)
	journal = &meddling{Journal: postgres.NewJournal(pool)}
	t.Cleanup(journal.Close)
	repeats := postgres.NewRepeats(pool)
	claim, err := repeats.Claim(t.Context(), sha256.Sum256([]byte("key")), sha256.Sum256([]byte("body")))
	require.NoError(t, err)
	same = meta()
	same.Command = claim.Command
	other = commands.NewHandler(journal.Journal, wire.UUID(uuid.New()), "other", time.Now)
	register(t, other, "s")
	return commands.NewHandler(journal, wire.UUID(uuid.New()), "test", time.Now).Agreeing(repeats), other, journal, same
}

func settings(name string) source.Settings {
	return source.Settings{Name: name, TokenURL: "http://a.example/t", DataURL: "http://a.example/d"}
}

// Found by the fault harness, seed 10: of two who handled the same request one
// answered that the source was disabled already; then it was enabled, and the
// other disabled it.
func TestACommandThatHadNothingToDoDoesNothingLater(t *testing.T) {
	t.Parallel()
	h, other, _, same := agreeing(t)
	first, err := h.EnableSource(t.Context(), same, "s", nil, "it is")
	require.NoError(t, err)
	require.False(t, first.Written)
	_, err = other.DisableSource(t.Context(), meta(), "s", nil, "maintenance")
	require.NoError(t, err)
	second, err := h.EnableSource(t.Context(), same, "s", nil, "it is")
	require.NoError(t, err)
	require.Equal(t, first, second)
	state, err := other.LoadSource(t.Context(), "s")
	require.NoError(t, err)
	require.False(t, state.Enabled)
}

// The same of one that was refused.
func TestACommandThatWasRefusedIsRefusedLater(t *testing.T) {
	t.Parallel()
	h, other, _, same := agreeing(t)
	for range 2 {
		_, err := h.DisableSource(t.Context(), same, "s", new(2), "maintenance")
		var stale *commands.StaleVersion
		require.ErrorAs(t, err, &stale)
		require.Equal(t, 1, stale.Actual)
		_, err = other.ReconfigureSource(t.Context(), meta(), "s", nil, settings("2"))
		require.NoError(t, err)
	}
}

// What could not be written where it was decided is decided anew, by all.
func TestACommandThatLostIsDecidedAnew(t *testing.T) {
	t.Parallel()
	h, other, journal, same := agreeing(t)
	journal.meddle = func() {
		journal.meddle = nil
		_, err := other.ReconfigureSource(t.Context(), meta(), "s", nil, settings("2"))
		require.NoError(t, err)
	}
	result, err := h.DisableSource(t.Context(), same, "s", nil, "maintenance")
	require.NoError(t, err)
	require.Equal(t, 3, result.Version)
}

// Whoever has read less than the one who decided reads again.
func TestACommandIsDecidedOnWhatAnotherHasRead(t *testing.T) {
	t.Parallel()
	h, other, journal, same := agreeing(t)
	var first commands.Result
	journal.meddle = func() {
		journal.meddle = nil
		_, err := other.DisableSource(t.Context(), meta(), "s", nil, "maintenance")
		require.NoError(t, err)
		first, err = h.EnableSource(t.Context(), same, "s", nil, "again")
		require.NoError(t, err)
	}
	second, err := h.EnableSource(t.Context(), same, "s", nil, "again")
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.Equal(t, 3, second.Version)
}
