package projections

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
)

// Overview of all batches. Preflights, by which nothing arrives, are none of
// them.
type Overview struct {
	Batches   map[BatchStatus]int64
	Documents Documents
	Files     Files
	Failures  map[domain.Category]int64 // of failed documents
	SkipsDue  int64                     // skipped files whose review date has come
}

const migrating = ` AND b.mode = 'migrate'`

// ReadOverview adds up what those see who see the documents of some
// organisations alone, or all.
func ReadOverview(ctx context.Context, q Querier, within domain.Organizations, today *Today) (Overview, error) {
	o := Overview{Batches: map[BatchStatus]int64{}, Failures: map[domain.Category]int64{}}
	if err := o.addBatches(ctx, q, within); err != nil {
		return o, fmt.Errorf("add up the batches: %w", err)
	}
	rows, err := q.Query(ctx, `SELECT d.failure_category, count(*) FROM documents d JOIN batches b ON b.number = d.batch`+migrating+`
		WHERE d.status = 'failed' AND (coalesce(cardinality($1::text[]), 0) = 0 OR d.organization = ANY ($1)) GROUP BY 1`, within)
	if err != nil {
		return o, err
	}
	var category domain.Category
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&category, &n}, func() error { o.Failures[category] = n; return nil }); err != nil {
		return o, fmt.Errorf("count failures: %w", err)
	}
	where, values := SkipFilter{Due: today, Within: within}.where()
	err = q.QueryRow(ctx, `SELECT count(*) FROM skipped_files s WHERE `+where, values...).Scan(&o.SkipsDue)
	return o, err
}

// addBatches one by one: how a batch stands is a function of its counts.
func (o *Overview) addBatches(ctx context.Context, q Querier, within domain.Organizations) error {
	rows, err := q.Query(ctx, selectBatches(within)+migrating, within)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		b, err := scanBatch(rows)
		if err != nil {
			return err
		}
		o.Batches[b.Status()]++
		o.Documents.add(b.Documents)
		o.Files.add(b.Files)
	}
	return rows.Err()
}

func (d *Documents) add(e Documents) {
	d.Pending += e.Pending
	d.Migrated += e.Migrated
	d.Passed += e.Passed
	d.Failed += e.Failed
	d.Excepted += e.Excepted
	d.Cancelled += e.Cancelled
}

func (f *Files) add(e Files) {
	f.Pending += e.Pending
	f.Migrated += e.Migrated
	f.Passed += e.Passed
	f.Failed += e.Failed
	f.Skipped += e.Skipped
	f.Excepted += e.Excepted
	f.Cancelled += e.Cancelled
}
