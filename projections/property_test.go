package projections_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// TestAnyHistory: whatever happened, and in whatever batches and order of
// partitions it comes, the views are the same row for row, and at every
// checkpoint they are what the aggregates say and add up.
func TestAnyHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			j := tell(t, seed, 150)
			spec(t, j, func(t *testing.T, _ projections.Querier) {})
			random := rand.New(rand.NewPCG(seed, 1))
			requireEachCheckpoint(t, j, cut(interleaved(random, j.Records()), func() int { return 1 + random.IntN(40) }))
		})
	}
}

func requireEachCheckpoint(t *testing.T, history projections.History, batches [][]wire.Raw) {
	t.Helper()
	pool := openViews(t)
	engine := projections.NewEngine(pool, history, slog.New(slog.DiscardHandler), projections.Views()...)
	w := &world{documents: map[string]document.State{}, listings: map[string]discovery.State{}, batches: map[string]batch.State{}, finished: map[string]batch.Counts{}}
	for _, b := range batches {
		require.NoError(t, engine.Take(t.Context(), encoded(b)))
		requireRunning(t, engine)
		w.take(t, b)
		w.requireDocuments(t, pool)
		w.requireFiles(t, pool)
		w.requireWorklist(t, pool)
		requireClosure(t, pool)
		requireTotals(t, pool)
		w.requireReports(t, pool)
		requireLeftovers(t, pool)
		requireCoverage(t, pool)
	}
}

// requireCoverage: what the map adds up is what the documents say, also of those
// that were listed otherwise before.
func requireCoverage(t *testing.T, q projections.Querier) {
	t.Helper()
	require.ElementsMatch(t,
		lines(t, q, `SELECT concat_ws(' ', batch, organization, document_type, left(bill_date, 7), count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'migrated'),
				count(*) FILTER (WHERE status = 'passed'), count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'excepted'), count(*) FILTER (WHERE status = 'cancelled'), sum(files_skipped))
			FROM documents GROUP BY batch, organization, document_type, left(bill_date, 7)`),
		lines(t, q, `SELECT concat_ws(' ', batch, organization, document_type, month, pending, migrated, passed, failed, excepted, cancelled, skipped)
			FROM coverage_totals WHERE pending + migrated + passed + failed + excepted + cancelled > 0`))
	require.Empty(t, lines(t, q, `SELECT t::text FROM coverage_totals t WHERE pending + migrated + passed + failed + excepted + cancelled = 0 AND (pending, migrated, passed, failed, excepted, cancelled, skipped) <> (0, 0, 0, 0, 0, 0, 0)`))
}

// requireLeftovers: the documents with a cause are those that have failed, for
// that, and the files that are listed as skipped those that are.
func requireLeftovers(t *testing.T, q projections.Querier) {
	t.Helper()
	require.ElementsMatch(t,
		lines(t, q, `SELECT concat_ws(' ', batch, stream, organization, failure_code, failure_category, status = 'excepted') FROM documents WHERE status IN ('failed', 'excepted')`),
		lines(t, q, `SELECT concat_ws(' ', batch, stream, organization, cause->>'code', cause->>'category', excepted) FROM failed_documents`))
	require.ElementsMatch(t,
		lines(t, q, `SELECT concat_ws(' ', batch, stream, file_id, organization, skip->>'reason', skip->>'reviewOn') FROM document_files JOIN documents USING (batch, stream) WHERE document_files.status = 'skipped'`),
		lines(t, q, `SELECT concat_ws(' ', batch, stream, file_id, organization, reason, nullif(review_on, '')) FROM skipped_files`))
}

// requireReports: what reports add up is what the documents were judged last.
func (w *world) requireReports(t *testing.T, q projections.Querier) {
	t.Helper()
	expected := map[string]int64{}
	for _, state := range w.documents {
		for number, m := range state.Batches {
			if v := m.Verdict; v != nil {
				row := fmt.Sprintf("%s %s %s", number, v.Organization, v.DocumentType)
				expected[row+" documents"]++
				expected[row+" files"] += int64(v.Files)
				expected[row+" bytes"] += v.Bytes
				if v.Category != "" {
					expected[fmt.Sprintf("%s %s %s failed", number, v.Organization, v.Category)]++
				}
			}
		}
	}
	var rows []string
	for row, n := range expected {
		if n > 0 {
			rows = append(rows, fmt.Sprint(row, " ", n))
		}
	}
	require.ElementsMatch(t, rows, lines(t, q, `SELECT concat_ws(' ', batch, organization, value, figure, n) FROM preflight_totals,
		LATERAL (VALUES ('documents', documents), ('files', files), ('bytes', bytes)) f(figure, n) WHERE dimension = 'document-type' AND n > 0
		UNION ALL SELECT concat_ws(' ', batch, organization, value, 'failed', failed) FROM preflight_totals WHERE dimension = 'category' AND failed > 0`))
}

// requireTotals: what is counted by organisation is what the documents say, also
// of those that were of another before.
func requireTotals(t *testing.T, q projections.Querier) {
	t.Helper()
	const files = `files_pending, files_migrated, files_passed, files_failed, files_skipped, files_excepted, files_cancelled`
	require.ElementsMatch(t, lines(t, q, `SELECT concat_ws(' ', batch, organization, count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'migrated'),
			count(*) FILTER (WHERE status = 'passed'), count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'excepted'), count(*) FILTER (WHERE status = 'cancelled'),
			sum(files_pending), sum(files_migrated), sum(files_passed), sum(files_failed), sum(files_skipped), sum(files_excepted), sum(files_cancelled),
			count(*) FILTER (WHERE status = 'migrated' AND result = 'written'), count(*) FILTER (WHERE status = 'migrated' AND result = 'unchanged'),
			count(*) FILTER (WHERE status = 'migrated' AND result = 'new-version'))
		FROM documents GROUP BY batch, organization`),
		lines(t, q, `SELECT concat_ws(' ', batch, organization, pending, migrated, passed, failed, excepted, cancelled, `+files+`, written, unchanged, new_versions)
			FROM document_totals WHERE pending + migrated + passed + failed + excepted + cancelled > 0`))
	require.Empty(t, lines(t, q, `SELECT concat_ws(' ', batch, organization, `+files+`) FROM document_totals WHERE pending + migrated + passed + failed + excepted + cancelled = 0
		AND (files_pending, files_migrated, files_passed, files_failed, files_skipped, files_excepted, files_cancelled, written, unchanged, new_versions) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`))
}

// world is what the aggregates say of a history.
type world struct {
	documents map[string]document.State
	listings  map[string]discovery.State
	batches   map[string]batch.State  // by stream
	finished  map[string]batch.Counts // by number
}

func (w *world) take(t *testing.T, records []wire.Raw) {
	for _, raw := range records {
		r, err := wire.Decode(raw.Bytes)
		require.NoError(t, err)
		switch e := r.Event.(type) {
		case document.Event:
			w.documents[r.Stream] = document.Evolve(w.documents[r.Stream], e)
		case discovery.Event:
			w.listings[r.Stream] = discovery.Evolve(w.listings[r.Stream], e)
		case batch.Event:
			w.batches[r.Stream] = batch.Evolve(w.batches[r.Stream], e)
			if f, ok := e.(batch.Finished); ok {
				w.finished[w.batches[r.Stream].Number] = f.Counts
			}
		}
	}
}

func (w *world) requireDocuments(t *testing.T, q projections.Querier) {
	t.Helper()
	var expected []string
	for stream, state := range w.documents {
		for number, m := range state.Batches {
			row := fmt.Sprintf("%s %s %s %+v", number, stream, m.Status, m.Tally())
			if m.Status == document.StatusPending {
				row += fmt.Sprintf(" attempt %d", m.Attempt)
			}
			expected = append(expected, row)
		}
	}
	rows, err := q.Query(t.Context(), `SELECT batch, stream, status, attempt, files_pending, files_migrated, files_passed, files_failed, files_skipped, files_excepted, files_cancelled FROM documents`)
	require.NoError(t, err)
	actual, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var number, stream, status string
		var attempt int
		var f document.Tally
		err := row.Scan(&number, &stream, &status, &attempt, &f.Pending, &f.Migrated, &f.Passed, &f.Failed, &f.Skipped, &f.Excepted, &f.Cancelled)
		line := fmt.Sprintf("%s %s %s %+v", number, stream, status, f)
		if status == string(document.StatusPending) {
			line += fmt.Sprintf(" attempt %d", attempt)
		}
		return line, err
	})
	require.NoError(t, err)
	require.ElementsMatch(t, expected, actual)
}

func (w *world) requireFiles(t *testing.T, q projections.Querier) {
	t.Helper()
	var expected []string
	for stream, state := range w.documents {
		for number, m := range state.Batches {
			for _, f := range m.Files {
				expected = append(expected, fmt.Sprintf("%s %s %s %s %s", number, stream, f.ID, f.Status, f.Stored.Key))
			}
		}
	}
	require.ElementsMatch(t, expected, lines(t, q, `
		SELECT concat_ws(' ', batch, stream, file_id, status, CASE WHEN status = 'migrated' THEN outcome->'stored'->>'key' ELSE '' END) FROM document_files`))
}

// requireWorklist: rows exist exactly while there is something to do.
func (w *world) requireWorklist(t *testing.T, q projections.Querier) {
	t.Helper()
	var pending, open []string
	for stream, state := range w.documents {
		for number, m := range state.Batches {
			if m.Status == document.StatusPending {
				pending = append(pending, fmt.Sprintf("%s %s %d", stream, number, m.Work))
			}
		}
	}
	require.ElementsMatch(t, pending, lines(t, q, `SELECT concat_ws(' ', stream, batch, version) FROM worklist_documents`))
	for stream, state := range w.listings {
		if state.Status == discovery.StatusListing {
			open = append(open, fmt.Sprintf("%s %d", stream, state.Version))
		}
	}
	require.ElementsMatch(t, open, lines(t, q, `SELECT concat_ws(' ', stream, version) FROM worklist_slices WHERE open AND version > 0`))

	var conditions []string
	for _, b := range w.batches {
		if condition := w.condition(b); condition != "" {
			conditions = append(conditions, b.Number+" "+condition)
		}
	}
	require.ElementsMatch(t, conditions, lines(t, q, `SELECT number || ' ' || condition FROM worklist_batches WHERE condition <> ''`))
}

// condition says in the aggregates' terms what is due for a batch as a whole.
func (w *world) condition(b batch.State) string {
	pending, listed, closed, found := 0, 0, 0, 0
	var counts batch.Counts
	for _, d := range w.documents {
		if m, ok := d.Batches[b.Number]; ok {
			listed++
			if m.Status == document.StatusPending {
				pending++
			}
			tally(&counts, m.Status)
		}
	}
	for _, l := range w.listings {
		if l.Batch == b.Number {
			found += len(l.Seen) - len(l.Elsewhere) - len(l.Unlisted)
			if l.Status != discovery.StatusListing {
				closed++
			}
		}
	}
	switch {
	case b.Stopped && pending > 0:
		return "cancel"
	case b.Stopped && !b.Finished:
		return "finish"
	case !b.Stopped && !b.Finished && pending == 0 && closed == len(b.Slices) && found == listed:
		return "finish"
	case b.Finished && counts != w.finished[b.Number], !b.Stopped && b.Finished && (pending > 0 || closed < len(b.Slices)):
		return "reopen"
	}
	return ""
}

func tally(c *batch.Counts, status document.Status) {
	switch status {
	case document.StatusMigrated:
		c.Migrated++
	case document.StatusPassed:
		c.Passed++
	case document.StatusFailed:
		c.Failed++
	case document.StatusExcepted:
		c.Excepted++
	case document.StatusCancelled:
		c.Cancelled++
	}
}

// requireClosure: the overview's buckets are the counts of the documents and
// their files, at the same coordinates.
func requireClosure(t *testing.T, q projections.Querier) {
	t.Helper()
	overview := map[string][]int64{}
	rows, err := q.Query(t.Context(), `SELECT number, pending, migrated, passed, failed, excepted, cancelled,
		files_pending, files_migrated, files_passed, files_failed, files_skipped, files_excepted, files_cancelled FROM batches`)
	collect(t, overview, rows, err)
	documents := map[string][]int64{}
	rows, err = q.Query(t.Context(), `SELECT number, d.*, f.* FROM batches,
		LATERAL (SELECT count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'migrated'),
			count(*) FILTER (WHERE status = 'passed'), count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'excepted'), count(*) FILTER (WHERE status = 'cancelled') FROM documents WHERE batch = number) d,
		LATERAL (SELECT count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'migrated'),
			count(*) FILTER (WHERE status = 'passed'), count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'skipped'), count(*) FILTER (WHERE status = 'excepted'), count(*) FILTER (WHERE status = 'cancelled')
			FROM document_files WHERE batch = number) f`)
	collect(t, documents, rows, err)
	require.Equal(t, documents, overview)
}

func collect(t *testing.T, into map[string][]int64, rows pgx.Rows, err error) {
	t.Helper()
	require.NoError(t, err)
	var number string
	var n [13]int64
	_, err = pgx.ForEachRow(rows, []any{&number, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9], &n[10], &n[11], &n[12]}, func() error {
		into[number] = slices.Clone(n[:])
		return nil
	})
	require.NoError(t, err)
}

func lines(t *testing.T, q projections.Querier, sql string) []string {
	t.Helper()
	rows, err := q.Query(t.Context(), sql)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}
