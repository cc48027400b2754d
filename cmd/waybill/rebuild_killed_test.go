package main

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// A rebuild whose process is killed goes on where it was: in the very tables
// that the killed one began.
func TestAKilledRebuildGoesOn(t *testing.T) {
	t.Parallel()
	const documents = 4000
	i := newInstallation(t, sound(1), os.Getenv("WAYBILL_TEST_KAFKA"))
	t.Cleanup(i.dropSiblings)
	total := i.fill(documents)
	view := projections.Views()[2]
	live := func(of projections.History) {
		require.NoError(t, projections.Rebuild(t.Context(), i.pool, of, slog.New(slog.DiscardHandler), view))
	}
	live(halfway{i.journal}) // which a rebuild does not pass
	schema := i.text(`SELECT current_schema() || '_documents_v2'`)
	build := pgx.Identifier{schema, "documents"}.Sanitize()
	checkpoints := pgx.Identifier{schema, "projection_checkpoints"}.Sanitize()
	applied := func(q projections.Querier) (n int64) {
		_ = q.QueryRow(t.Context(), `SELECT coalesce(sum("offset"), 0)::bigint FROM `+checkpoints).Scan(&n) // it is not there at first
		return n
	}

	var at int64
	require.NoError(t, pgx.BeginFunc(t.Context(), i.pool, func(tx pgx.Tx) error {
		// What has been built waits for the live view to stand still.
		_, err := tx.Exec(t.Context(), `SET LOCAL idle_in_transaction_session_timeout = 0; SELECT FROM projection_checkpoints WHERE view = 'documents' FOR UPDATE`)
		require.NoError(t, err)
		waybill := i.start("rebuild", "documents")
		i.eventually("it has applied something", func() error {
			if applied(i.pool) == 0 {
				return errNone
			}
			return nil
		})
		_, err = tx.Exec(t.Context(), `LOCK TABLE `+checkpoints+` IN SHARE ROW EXCLUSIVE MODE`) // it stands still
		at = applied(tx)
		waybill.kill()
		return err
	}))
	live(i.journal)
	require.Less(t, at, total, "it was killed in the middle")
	require.Equal(t, at, applied(i.pool))
	begun := i.text(`SELECT '` + build + `'::regclass::oid::text`)

	out, err := i.run("rebuild", "documents")
	require.NoError(t, err, out)
	require.Contains(t, out, "0 differ")
	require.Contains(t, out, "version 2 is live, version 1 is kept")
	require.Equal(t, begun, i.text(`SELECT 'documents'::regclass::oid::text`), "nothing was started over")
}

// halfway is a journal of which the second half is yet to come.
type halfway struct{ *postgres.Journal }

func (h halfway) Heads(ctx context.Context) (wire.Position, error) {
	heads, err := h.Journal.Heads(ctx)
	for partition := range heads {
		heads[partition] /= 2
	}
	return heads, err
}

// fill gives the journal a history of so many documents, as recovery does.
func (i *installation) fill(documents int) (events int64) {
	i.t.Helper()
	j := viewtest.New(i.t)
	j.Create("b", "2025-01-31")
	for n := range documents {
		j.Discover("b", n)
		j.Migrate("b", viewtest.ID(n))
	}
	partitions := map[int][][]byte{}
	for _, r := range j.Records() {
		partitions[r.Partition] = append(partitions[r.Partition], r.Bytes)
	}
	closed := func(closed bool) {
		_, err := i.pool.Exec(i.t.Context(), `UPDATE journal_identity SET closed = $1`, closed)
		require.NoError(i.t, err)
	}
	closed(true)
	for partition, records := range partitions {
		require.NoError(i.t, postgres.NewGate(i.pool, i.journal).Refill(i.t.Context(), partition, records))
	}
	closed(false)
	return int64(len(j.Records()))
}

func (i *installation) text(sql string) (text string) {
	i.t.Helper()
	require.NoError(i.t, i.pool.QueryRow(context.WithoutCancel(i.t.Context()), sql).Scan(&text))
	return text
}

// Kafka without Kafka, as the demo has it, serves a rebuild as well.
func TestRebuildFromTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	broker, err := embedded.StartBroker(t.TempDir(), 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	config := sound(20)
	i := newInstallation(t, config, broker.Address())
	t.Cleanup(i.dropSiblings)
	waybill := i.start("all")
	i.ready()
	i.finished(i.create(config))
	out, err := i.run("rebuild", "--from", "kafka", "batches", "audit")
	require.NoError(t, err, out)
	require.Contains(t, out, "audit: ")
	require.Contains(t, out, "version 2 is live, version 1 is kept")
	require.NotContains(t, out, "documents: ")
	require.NoError(t, waybill.stop())
}
