package projections

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// The documents and files of batches by organisation and bucket: the figures
// for those who may see the documents of some organisations alone. They lie
// beside the documents, whose rows say of which organisation one was before its
// source told another.
const totalsSchema = `
CREATE TABLE IF NOT EXISTS document_totals (
	batch           text   NOT NULL,
	organization    text   NOT NULL,
	pending         bigint NOT NULL,
	migrated        bigint NOT NULL,
	failed          bigint NOT NULL,
	excepted        bigint NOT NULL,
	cancelled       bigint NOT NULL,
	files_pending   bigint NOT NULL,
	files_migrated  bigint NOT NULL,
	files_failed    bigint NOT NULL,
	files_skipped   bigint NOT NULL,
	files_excepted  bigint NOT NULL,
	files_cancelled bigint NOT NULL,
	PRIMARY KEY (batch, organization)
);
ALTER TABLE document_totals ADD COLUMN IF NOT EXISTS written bigint NOT NULL DEFAULT 0; -- of those that are migrated, as their results say
ALTER TABLE document_totals ADD COLUMN IF NOT EXISTS unchanged bigint NOT NULL DEFAULT 0;
ALTER TABLE document_totals ADD COLUMN IF NOT EXISTS new_versions bigint NOT NULL DEFAULT 0;
ALTER TABLE document_totals ADD COLUMN IF NOT EXISTS passed bigint NOT NULL DEFAULT 0;
ALTER TABLE document_totals ADD COLUMN IF NOT EXISTS files_passed bigint NOT NULL DEFAULT 0`

// totals are tallies by batch and organisation.
type totals map[[2]string]*tally

func (t totals) of(batch, organization string) *tally {
	key := [2]string{batch, organization}
	if t[key] == nil {
		t[key] = &tally{}
	}
	return t[key]
}

// foldTotals adds up the differences that document events carry. Only where a
// document was listed anew may it be of another organisation than before.
func foldTotals(ctx context.Context, tx pgx.Tx, events []wire.Record) (totals, error) {
	before, err := relistedOrganizations(ctx, tx, events)
	if err != nil {
		return nil, err
	}
	results, err := leftResults(ctx, tx, events)
	if err != nil {
		return nil, err
	}
	t := totals{}
	for i := range events {
		e, ok := events[i].Event.(document.Event)
		if !ok {
			continue
		}
		change := e.GetChange()
		was := change.Organization
		key := [2]string{change.Batch, events[i].Stream}
		if len(before) > 0 {
			if known, relisted := before[key]; relisted {
				was, before[key] = known, change.Organization
			}
		}
		if change.Before != "" {
			t.of(change.Batch, was).leave(change)
		}
		t.of(change.Batch, change.Organization).enter(change)
		switch migrated, is := e.(document.Migrated); {
		case is:
			t.of(change.Batch, change.Organization).arrive(migrated.Result, 1)
			if _, leaves := results[key]; leaves {
				results[key] = migrated.Result
			}
		case leaves(change):
			t.of(change.Batch, was).arrive(results[key], -1)
		}
	}
	return t, nil
}

// leaves tells that a document is migrated no longer.
func leaves(change document.Change) bool {
	return change.Before == document.StatusMigrated && change.After != document.StatusMigrated
}

// leftResults gives what the view has of the results of documents that one of
// the events takes away from those that are migrated. That is rare: a file was
// recalled, or lost.
func leftResults(ctx context.Context, tx pgx.Tx, events []wire.Record) (map[[2]string]document.Result, error) {
	var batches, streams []string
	results := map[[2]string]document.Result{}
	for i := range events {
		if e, ok := events[i].Event.(document.Event); ok && leaves(e.GetChange()) {
			batches, streams = append(batches, e.GetChange().Batch), append(streams, events[i].Stream)
			results[[2]string{e.GetChange().Batch, events[i].Stream}] = "" // it is migrated among the events
		}
	}
	if len(streams) == 0 {
		return results, nil
	}
	rows, err := tx.Query(ctx, `SELECT d.batch, d.stream, d.result FROM documents d JOIN unnest($1::text[], $2::text[]) n(batch, stream) USING (batch, stream)`, batches, streams)
	if err != nil {
		return nil, err
	}
	var key [2]string
	var result document.Result
	_, err = pgx.ForEachRow(rows, []any{&key[0], &key[1], &result}, func() error {
		results[key] = result
		return nil
	})
	return results, err
}

// relistedOrganizations gives the organisations, as the view has them, of the
// documents of which one of the events is a new listing.
func relistedOrganizations(ctx context.Context, tx pgx.Tx, events []wire.Record) (map[[2]string]string, error) {
	var batches, streams []string
	before := map[[2]string]string{}
	for i := range events {
		if e, ok := events[i].Event.(document.Relisted); ok {
			batches, streams = append(batches, e.Batch), append(streams, events[i].Stream)
			before[[2]string{e.Batch, events[i].Stream}] = "" // it is listed for the first time among the events
		}
	}
	if len(streams) == 0 {
		return before, nil
	}
	rows, err := tx.Query(ctx, `SELECT d.batch, d.stream, d.organization FROM documents d JOIN unnest($1::text[], $2::text[]) n(batch, stream) USING (batch, stream)`, batches, streams)
	if err != nil {
		return nil, err
	}
	var key [2]string
	var organization string
	_, err = pgx.ForEachRow(rows, []any{&key[0], &key[1], &organization}, func() error {
		before[key] = organization
		return nil
	})
	return before, err
}

// totalRow is a tally in the order of counterColumns.
type totalRow struct {
	Batch, Organization                                    string
	Pending, Migrated, Passed, Failed, Excepted, Cancelled int64
	FilesPending, FilesMigrated, FilesPassed, FilesFailed  int64
	FilesSkipped, FilesExcepted, FilesCancelled            int64
	Written, Unchanged, NewVersions                        int64
}

// queue the rows in key order, since partitions share them.
func (t totals) queue(b *pgx.Batch) {
	if len(t) == 0 {
		return
	}
	rows := make([]totalRow, 0, len(t))
	for _, key := range sortedPairs(t) {
		d, f, a := t[key].documents, t[key].files, t[key].arrived
		rows = append(rows, totalRow{key[0], key[1], d[0], d[1], d[2], d[3], d[4], d[5], f[0], f[1], f[2], f[3], f[4], f[5], f[6], a[0], a[1], a[2]})
	}
	b.Queue(`INSERT INTO document_totals AS t (batch, organization, `+counterColumns+`, written, unchanged, new_versions)
		SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
			$10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[])
		ON CONFLICT (batch, organization) DO UPDATE SET pending = t.pending + excluded.pending, migrated = t.migrated + excluded.migrated, passed = t.passed + excluded.passed,
			failed = t.failed + excluded.failed, excepted = t.excepted + excluded.excepted, cancelled = t.cancelled + excluded.cancelled,
			files_pending = t.files_pending + excluded.files_pending, files_migrated = t.files_migrated + excluded.files_migrated,
			files_passed = t.files_passed + excluded.files_passed, files_failed = t.files_failed + excluded.files_failed, files_skipped = t.files_skipped + excluded.files_skipped,
			files_excepted = t.files_excepted + excluded.files_excepted, files_cancelled = t.files_cancelled + excluded.files_cancelled,
			written = t.written + excluded.written, unchanged = t.unchanged + excluded.unchanged, new_versions = t.new_versions + excluded.new_versions`, arrays(rows)...)
}
