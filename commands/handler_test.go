package commands_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// meddling is a real journal in which somebody else writes between a load and
// the append that follows, as often as a test wants.
type meddling struct {
	*postgres.Journal
	meddle func()
	loads  atomic.Int32 // of whole streams
}

func (m *meddling) Load(ctx context.Context, streams ...string) (map[string][]wire.Record, error) {
	m.loads.Add(1)
	loaded, err := m.Journal.Load(ctx, streams...)
	if m.meddle != nil {
		m.meddle()
	}
	return loaded, err
}

func (m *meddling) LoadAfter(ctx context.Context, stream string, version, limit int) ([]wire.Record, error) {
	records, err := m.Journal.LoadAfter(ctx, stream, version, limit)
	if m.meddle != nil {
		m.meddle()
	}
	return records, err
}

func newHandler(t *testing.T) (*commands.Handler, *meddling) {
	t.Helper()
	journal := postgres.NewJournal(postgrestest.New(t))
	t.Cleanup(journal.Close)
	m := &meddling{Journal: journal}
	return commands.NewHandler(m, wire.UUID(uuid.New()), "1.2.3+abc", time.Now), m
}

func meta() wire.Metadata {
	return wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.Actor{Kind: domain.Person, Issuer: "test", Subject: "alice"}}
}

func register(t *testing.T, h *commands.Handler, id string) {
	t.Helper()
	_, err := h.RegisterSource(t.Context(), meta(), source.Register{ID: id, Settings: source.Settings{
		Name: id, TokenURL: "http://a.example/token", DataURL: "http://a.example/data", ClientID: "c", SecretRef: "env:S",
	}})
	require.NoError(t, err)
}

func scope() batch.Scope { return batch.Scope{From: "2025-01-01", To: "2025-01-31"} }

// Others write between load and append: the command is decided again on what
// is there then, three times, of which no more is loaded than is new; after that it is refused, and nothing is written.
func TestACommandIsDecidedAgainOnAConflict(t *testing.T) {
	t.Parallel()
	for meddlings, works := range map[int]bool{1: true, 2: true, 3: false} {
		h, journal := newHandler(t)
		other := commands.NewHandler(journal.Journal, wire.UUID(uuid.New()), "other", time.Now)
		register(t, other, "s")
		left := meddlings
		journal.meddle = func() {
			if left > 0 {
				left--
				settings := source.Settings{Name: fmt.Sprint("renamed ", left), TokenURL: "http://a.example/t", DataURL: "http://a.example/d", ClientID: "c"}
				_, err := other.ReconfigureSource(t.Context(), meta(), "s", nil, settings)
				require.NoError(t, err)
			}
		}
		result, err := h.DisableSource(t.Context(), meta(), "s", nil, "maintenance")
		if works {
			require.NoError(t, err)
			require.Equal(t, 2+meddlings, result.Version)
			require.EqualValues(t, 1, journal.loads.Load(), "what was loaded is not loaded again")
			continue
		}
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, "too-busy", refusal.Code)
		journal.meddle = nil
		state, err := h.LoadSource(t.Context(), "s")
		require.NoError(t, err)
		require.True(t, state.Enabled)
	}
}

// With If-Match a stale command is refused at once, whatever it would do.
func TestAStaleVersionIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	h, _ := newHandler(t)
	register(t, h, "s")
	_, err := h.DisableSource(t.Context(), meta(), "s", new(1), "maintenance")
	require.NoError(t, err)
	_, err = h.EnableSource(t.Context(), meta(), "s", new(1), "again")
	var stale *commands.StaleVersion
	require.ErrorAs(t, err, &stale)
	require.Equal(t, commands.StaleVersion{Stream: "source-s", Expected: 1, Actual: 2}, *stale)
}

// The same command again, at once or after others: the same answer, and no
// second event (I2).
func TestACommandSentTwiceHasOneEffect(t *testing.T) {
	t.Parallel()
	h, journal := newHandler(t)
	register(t, h, "s")
	m := meta()
	first, err := h.DisableSource(t.Context(), m, "s", nil, "maintenance")
	require.NoError(t, err)
	_, err = h.EnableSource(t.Context(), meta(), "s", nil, "over")
	require.NoError(t, err)
	again, err := h.DisableSource(t.Context(), m, "s", nil, "maintenance")
	require.NoError(t, err)
	require.Equal(t, first, again)
	heads, err := journal.Heads(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, heads[0])

	m = meta()
	number, made, err := h.CreateBatch(t.Context(), m, commands.NewBatch{Source: "s", Scope: scope()})
	require.NoError(t, err)
	sameNumber, same, err := h.CreateBatch(t.Context(), m, commands.NewBatch{Source: "s", Scope: scope()})
	require.NoError(t, err)
	require.Equal(t, number, sameNumber)
	require.Equal(t, made, same)
}

// A command whose effect is there writes nothing, and answers with where the
// stream stands.
func TestNothingToDoIsAnAnswer(t *testing.T) {
	t.Parallel()
	h, _ := newHandler(t)
	register(t, h, "s")
	result, err := h.EnableSource(t.Context(), meta(), "s", nil, "")
	require.NoError(t, err)
	require.Equal(t, commands.Result{Position: wire.Position{0: 1}, Version: 1}, result)
}

// No batch is ever created of a source that was disabled before it, however
// the two race: the append asserts the source's version.
func TestCreatingABatchCannotRaceItsSource(t *testing.T) {
	t.Parallel()
	for round := range 20 {
		h, journal := newHandler(t)
		id := fmt.Sprint("s", round)
		register(t, h, id)
		var racing sync.WaitGroup
		racing.Go(func() { _, _ = h.DisableSource(context.WithoutCancel(t.Context()), meta(), id, nil, "race") })
		for range 4 {
			racing.Go(func() {
				_, _, _ = h.CreateBatch(context.WithoutCancel(t.Context()), meta(), commands.NewBatch{Source: id, Scope: scope()})
			})
		}
		racing.Wait()
		disabled := false
		records, err := journal.Read(t.Context(), 0, 0, 100)
		require.NoError(t, err)
		for _, raw := range records {
			r, err := wire.Decode(raw.Bytes)
			require.NoError(t, err)
			switch r.Event.(type) {
			case source.Disabled:
				disabled = true
			case batch.Created:
				require.False(t, disabled, "a batch was created of a disabled source")
			}
		}
		require.True(t, disabled)
	}
}

func TestUnknownThingsAreNamed(t *testing.T) {
	t.Parallel()
	h, _ := newHandler(t)
	for code, ask := range map[string]func() error{
		"source-not-found": func() error {
			_, _, err := h.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "none", Scope: scope()})
			return err
		},
		"batch-not-found": func() error {
			_, err := h.ChangeBatch(t.Context(), meta(), "B0", nil, batch.Pause{Reason: "r"})
			return err
		},
		"time-zone-unknown": func() error {
			_, err := h.RegisterSource(t.Context(), meta(), source.Register{ID: "z", Settings: source.Settings{Name: "z", TimeZone: "Mars/Base"}})
			return err
		},
	} {
		var refusal *domain.Refusal
		require.ErrorAs(t, ask(), &refusal, code)
		require.Equal(t, code, refusal.Code)
	}
}

// What a command writes names the installation, the build and the command.
func TestRecordsNameWhoWroteThem(t *testing.T) {
	t.Parallel()
	h, journal := newHandler(t)
	m := meta()
	_, err := h.RegisterSource(t.Context(), m, source.Register{ID: "s", Disabled: true, Settings: source.Settings{Name: "s"}})
	require.NoError(t, err)
	r, found, err := journal.Find(t.Context(), wire.EventID(m.Command, 0))
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "1.2.3+abc", r.Metadata.Build)
	require.Equal(t, m.Command, r.Metadata.Command)
	require.Equal(t, "alice", r.Metadata.Actor.Subject)
}
