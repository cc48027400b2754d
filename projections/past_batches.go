package projections

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// BatchAt is a batch at a point, with its failed documents by category.
type BatchAt struct {
	Batch
	Failures map[domain.Category]int64
}

// FindBatch as it was at a point, as those see it who see the documents of some
// organisations alone, when there are any.
func (p *Past) FindBatch(ctx context.Context, number string, within domain.Organizations, point wire.Position) (BatchAt, error) {
	return p.findBatch(ctx, number, within, point, p.newBudget())
}

func (p *Past) findBatch(ctx context.Context, number string, within domain.Organizations, point wire.Position, allowed *budget) (b BatchAt, err error) {
	own, err := p.pastBatch(ctx, number, point)
	if err != nil {
		return b, err
	}
	err = p.scratch(ctx, batchesView, point, allowed, func(s *scratch) error {
		made, err := s.makeBatch(ctx, number, own)
		if err != nil {
			return err
		}
		b.Failures = made.failuresWithin(within)
		b.Batch, err = FindBatchWithin(ctx, s, number, within)
		return err
	})
	return b, err
}

// Slices of a batch as they were at a point, in order, after one.
func (p *Past) Slices(ctx context.Context, f SliceFilter, point wire.Position) (found []Slice, err error) {
	own, err := p.pastBatch(ctx, f.Batch, point)
	if err != nil {
		return nil, err
	}
	err = p.scratch(ctx, batchesView, point, p.newBudget(), func(s *scratch) error {
		if err := s.makeSlices(ctx, f.Batch, own); err != nil {
			return err
		}
		found, err = Slices(ctx, s, f)
		return err
	})
	return found, err
}

// Batches as they were at a point, newest first.
func (p *Past) Batches(ctx context.Context, f BatchFilter, point wire.Position) (found []Batch, err error) {
	if err := include(ctx, p.live, batchesView, point); err != nil {
		return nil, err
	}
	err = p.scratch(ctx, batchesView, point, p.newBudget(), func(s *scratch) error {
		for before, more := f.Before, true; more && len(found) < f.Limit; {
			numbers, err := p.candidates(ctx, f.Source, before, f.Limit)
			if err != nil {
				return err
			}
			if more = len(numbers) == f.Limit; len(numbers) > 0 {
				before = numbers[len(numbers)-1]
			}
			if err := s.makeBatches(ctx, numbers); err != nil {
				return err
			}
			if found, err = Batches(ctx, s, f); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// candidates are batches that there are by now; the source of one never changes.
func (p *Past) candidates(ctx context.Context, source, before string, limit int) ([]string, error) {
	rows, err := p.live.Query(ctx, `SELECT number FROM batches WHERE created_at IS NOT NULL AND ($1 = '' OR source = $1)
		AND ($2 = '' OR number < $2) ORDER BY number DESC LIMIT $3`, source, before, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// makeBatches makes those that were there at the point.
func (s *scratch) makeBatches(ctx context.Context, numbers []string) error {
	streams := make([]string, len(numbers))
	for i, number := range numbers {
		streams[i] = domain.BatchStream(number)
	}
	all, err := s.past.streams(ctx, s.point, streams...)
	if err != nil {
		return err
	}
	own := map[string][]wire.Record{}
	for _, r := range all {
		own[r.Stream] = append(own[r.Stream], r)
	}
	for i, number := range numbers {
		if len(own[streams[i]]) == 0 {
			continue
		}
		if _, err := s.makeBatch(ctx, number, own[streams[i]]); err != nil {
			return err
		}
	}
	return nil
}

func (s *scratch) makeBatch(ctx context.Context, number string, own []wire.Record) (all figures, err error) {
	if err := s.makeSlices(ctx, number, own); err != nil {
		return nil, err
	}
	all, changed, err := s.split(ctx, number)
	if err != nil {
		return nil, err
	}
	for streams := range slices.Chunk(changed, pastStreams) {
		if err := s.budget.spend(len(streams), s.point); err != nil {
			return nil, err
		}
		records, err := s.past.documentsOf(ctx, s.point, number, streams...)
		if err != nil {
			return nil, err
		}
		for _, row := range rowsAt(records) {
			all.add(row)
		}
	}
	b := &pgx.Batch{}
	byOrganization := totals{}
	for organization, f := range all {
		queueTally(b, number, &f.tally)
		byOrganization[[2]string{number, organization}] = &f.tally
	}
	byOrganization.queue(b)
	return all, s.SendBatch(ctx, b).Close()
}

// makeSlices makes the batch's own row and its listings.
func (s *scratch) makeSlices(ctx context.Context, number string, own []wire.Record) error {
	var streams []string
	for _, r := range own {
		if created, ok := r.Event.(batch.Created); ok {
			for _, slice := range created.Slices {
				streams = append(streams, domain.DiscoveryStream(number, slice.ID))
			}
		}
	}
	if err := s.apply(ctx, own); err != nil {
		return err
	}
	for chunk := range slices.Chunk(streams, pastListings) {
		records, err := s.past.streams(ctx, s.point, chunk...)
		if err == nil {
			err = s.apply(ctx, records)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pastListings are read at once: one has thousands of pages at times.
const pastListings = 20

// figures of a batch's documents, by organisation.
type figures map[string]*figure

type figure struct {
	tally
	failures map[domain.Category]int64
}

func (f figures) of(organization string) *figure {
	if f[organization] == nil {
		f[organization] = &figure{failures: map[domain.Category]int64{}}
	}
	return f[organization]
}

// add a document.
func (f figures) add(row *documentRow) {
	of := f.of(row.Organization)
	of.count(document.Status(row.Status), row.files(), 1)
	switch row.Status {
	case string(document.StatusFailed):
		of.failures[domain.Category(row.Category)]++
	case string(document.StatusMigrated):
		of.arrive(document.Result(orZero(row.Result)), 1)
	}
}

// failuresWithin are the failed documents by category.
func (f figures) failuresWithin(within domain.Organizations) map[domain.Category]int64 {
	failures := map[domain.Category]int64{}
	for organization, of := range f {
		if within.Has(organization) {
			for category, n := range of.failures {
				failures[category] += n
			}
		}
	}
	return failures
}

// split tells what of the batch's documents the live view can answer, since
// their last event belongs to the point, and which were changed after it. Both
// are of one snapshot.
func (s *scratch) split(ctx context.Context, number string) (unchanged figures, changed []string, err error) {
	err = pgx.BeginTxFunc(ctx, s.past.live, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := include(ctx, tx, documentsView, s.point); err != nil {
			return err
		}
		if unchanged, err = unchangedSince(ctx, tx, number, s.point); err != nil {
			return err
		}
		if changed, err = changedSince(ctx, tx, number, s.point, "", s.budget.documents+1); err != nil || len(changed) <= s.budget.documents {
			return err
		}
		return s.budget.spend(len(changed), s.point) // it is refused at once
	})
	return unchanged, changed, err
}

// include refuses a live view that has not come as far as the point.
func include(ctx context.Context, q Querier, view View, point wire.Position) error {
	at, err := Position(ctx, q, view.Name)
	if err == nil && !at.Reached(point) {
		err = &Late{View: view.Name, Position: at}
	}
	return err
}

// atOrBefore joins documents with a point's offsets.
const atOrBefore = ` FROM documents d JOIN unnest($2::int[], $3::bigint[]) p(partition, "offset") ON d.partition = p.partition WHERE d.batch = $1 AND d."offset" `

func unchangedSince(ctx context.Context, q Querier, number string, point wire.Position) (figures, error) {
	f := figures{}
	partitions, ends := offsets(point)
	rows, err := q.Query(ctx, `SELECT d.organization, d.status, d.failure_category, d.result, count(*), sum(d.files_pending), sum(d.files_migrated), sum(d.files_passed),
		sum(d.files_failed), sum(d.files_skipped), sum(d.files_excepted), sum(d.files_cancelled)`+atOrBefore+`<= p."offset" GROUP BY 1, 2, 3, 4`, number, partitions, ends)
	if err != nil {
		return f, err
	}
	var organization string
	var status document.Status
	var category domain.Category
	var result document.Result
	var n int64
	var files [7]int64
	_, err = pgx.ForEachRow(rows, []any{&organization, &status, &category, &result, &n, &files[0], &files[1], &files[2], &files[3], &files[4], &files[5], &files[6]}, func() error {
		of := f.of(organization)
		of.documents[slices.Index(documentStatuses, status)] += n
		for i := range files {
			of.files[i] += files[i]
		}
		switch status { //nolint:exhaustive // nothing more is counted of the others
		case document.StatusFailed:
			of.failures[category] += n
		case document.StatusMigrated:
			of.arrive(result, n)
		}
		return nil
	})
	return f, err
}

func changedSince(ctx context.Context, q Querier, number string, point wire.Position, after string, limit int) ([]string, error) {
	partitions, ends := offsets(point)
	rows, err := q.Query(ctx, `SELECT d.stream`+atOrBefore+`> p."offset" AND d.stream > $4 ORDER BY d.stream LIMIT $5`, number, partitions, ends, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// rowsAt folds whole streams of one batch, by stream.
func rowsAt(records []wire.Record) map[string]*documentRow {
	rows := map[string]*documentRow{}
	for _, r := range records {
		e, ok := r.Event.(document.Event)
		if !ok {
			continue
		}
		if rows[r.Stream] == nil {
			rows[r.Stream] = &documentRow{Batch: e.GetChange().Batch, Stream: r.Stream}
		}
		rows[r.Stream].apply(&r, e)
	}
	return rows
}
