package projections_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/projections"
)

// byBatch are the views that can be rebuilt batch by batch, with a statement
// that spoils a row of a batch in each of their tables.
var byBatch = map[string][]string{
	"batches":   {`UPDATE batches SET migrated = migrated + 7 WHERE number = $1`, `UPDATE batch_slices SET reason = 'spoiled' WHERE batch = $1`},
	"documents": {`UPDATE documents SET status = 'spoiled' WHERE batch = $1`, `DELETE FROM document_files WHERE batch = $1`},
	"worklist": {
		`UPDATE worklist_batches SET phase = 'cancelled', pending = pending + 1 WHERE number = $1`, `DELETE FROM worklist_slices WHERE batch = $1`,
		`INSERT INTO worklist_documents (stream, batch, version, due) VALUES ('invented', $1, 1, now())`,
	},
	"audit": {`UPDATE audit SET actor = 'mallory' WHERE batch = $1`},
	"coverage": {
		`UPDATE coverage_totals SET migrated = migrated + 7 WHERE batch = $1`, `INSERT INTO coverage_organizations VALUES ($1, 'invented', 'x')`,
	},
	"throughput": {`UPDATE throughput SET migrated = migrated + 7, failed = failed + 1 WHERE batch = $1`},
	"leftovers": {
		`INSERT INTO failed_documents VALUES ($1, 'invented', 'ORG-a', 'f', '{}', now(), false)`,
		`INSERT INTO skipped_files VALUES ($1, 'invented', 'f', 's', 'ORG-a', '', '', '', 'spoiled', '', '', now(), '')`,
	},
	"preflights": {
		`INSERT INTO preflight_totals VALUES ($1, 'ORG-a', 'category', 'invented', '', '', 1, 1, 1, 1)`, `UPDATE preflight_totals SET bytes = bytes + 1 WHERE batch = $1`,
	},
}

func TestABatchIsRebuiltAlone(t *testing.T) {
	t.Parallel()
	j := tell(t, 310, 300)
	pool, _ := openLive(t, j, j.Records())
	sound := viewRows(t, pool)
	rebuilder := newRebuilder(pool, j, nil)
	run := func(accept bool, view projections.View, number string) projections.Rebuilt {
		rebuilt, err := rebuilder.RunBatch(t.Context(), accept, number, view)
		require.NoError(t, err)
		return rebuilt[0]
	}
	batches := batchNumbers(t, pool)
	require.Greater(t, len(batches), 1)
	const spoiled = "B2" // a preflight has rows in every view
	require.Equal(t, batch.Preflight, modes[spoiled])
	require.Contains(t, batches, spoiled)
	other := batches[0]
	for _, view := range projections.Views() {
		spoil, ok := byBatch[view.Name]
		if !ok {
			_, err := rebuilder.RunBatch(t.Context(), false, spoiled, view)
			require.ErrorContains(t, err, "the rows of the view "+view.Name+" are not those of batches")
			require.ErrorContains(t, err, "batches, documents, worklist, audit")
			continue
		}
		r := run(false, view, spoiled)
		require.NotZero(t, r.Rows, view.Name)
		require.Equal(t, []any{int64(0), spoiled, false}, []any{r.Different, r.Batch, r.Replaced})
		for _, sql := range spoil {
			for _, number := range []string{spoiled, other} {
				tag, err := pool.Exec(t.Context(), sql, number)
				require.NoError(t, err)
				require.NotZero(t, tag.RowsAffected(), sql)
			}
		}
		planted := viewRows(t, pool)
		r = run(false, view, spoiled)
		require.NotZero(t, r.Different, view.Name)
		require.False(t, r.Replaced)
		require.Equal(t, planted, viewRows(t, pool), "live stays as it is")

		mended := run(true, view, spoiled)
		require.Equal(t, r.Differences, mended.Differences)
		require.True(t, mended.Replaced)
		left, err := rebuilder.Verify(t.Context(), view)
		require.NoError(t, err)
		require.NotZero(t, left[0].Different, "the other batch is left as it was")
		run(true, view, other)
		require.Equal(t, sound, viewRows(t, pool), view.Name)
	}
	require.Empty(t, siblings(t, pool), "no version is made")
	_, err := rebuilder.RunBatch(t.Context(), true, "B-none", projections.Views()[1], projections.Views()[2])
	require.ErrorContains(t, err, "B-none")
}

func batchNumbers(t *testing.T, pool *pgxpool.Pool) (numbers []string) {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT number FROM batches b
		WHERE EXISTS (SELECT FROM documents d JOIN document_files USING (batch, stream) WHERE d.batch = b.number) ORDER BY 1`)
	require.NoError(t, err)
	for rows.Next() {
		var number string
		require.NoError(t, rows.Scan(&number))
		numbers = append(numbers, number)
	}
	require.NoError(t, rows.Err())
	return numbers
}

// What a view says of its tables is what its schema makes.
func TestViewsKnowTheirTables(t *testing.T) {
	t.Parallel()
	for _, view := range projections.Views() {
		pool := openViewsOf(t, view)
		made := slices.DeleteFunc(tables(t, pool), func(name string) bool { return strings.HasPrefix(name, "projection_") })
		var said []string
		for table, column := range view.Tables {
			said = append(said, table)
			if column != "" {
				_, err := pool.Exec(t.Context(), fmt.Sprintf(`SELECT %s FROM %s`, column, table))
				require.NoError(t, err)
			}
		}
		require.ElementsMatch(t, made, said, view.Name)
	}
}

func TestABatchsBuildIsNotGoneOnWithForAnother(t *testing.T) {
	t.Parallel()
	j := tell(t, 311, 200)
	pool, _ := openLive(t, j, j.Records())
	batches := batchNumbers(t, pool)
	_, err := pool.Exec(t.Context(), `UPDATE documents SET status = 'spoiled'`)
	require.NoError(t, err)
	rebuilder := newRebuilder(pool, j, nil)
	for _, number := range batches[:2] { // the first leaves its build behind
		rebuilt, err := rebuilder.RunBatch(t.Context(), false, number, projections.Views()[2])
		require.NoError(t, err)
		r := rebuilt[0]
		require.EqualValues(t, count(t, pool, `SELECT count(*) FROM documents WHERE batch = $1`, number), r.Different, number)
		for _, d := range r.Differences {
			require.NotEmpty(t, d.Rebuilt)
		}
	}
}
