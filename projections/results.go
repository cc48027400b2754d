package projections

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// What became of documents by the work that bulk operations caused: an
// operation's own events tell what it asked of each. A document's rows come from
// its own partition alone.
var resultsView = View{Name: "results", Tables: map[string]string{"operation_results": ""}, Schema: `
CREATE TABLE IF NOT EXISTS operation_results (
	operation text NOT NULL,
	document  text NOT NULL,
	status    text NOT NULL,
	code      text NOT NULL, -- of the failure, as what follows
	detail    text NOT NULL,
	PRIMARY KEY (operation, document)
);
CREATE INDEX IF NOT EXISTS operation_results_status ON operation_results (operation, status, document)`, Apply: applyResults}

// resultRow is in the order of the statement's columns.
type resultRow struct{ Operation, Document, Status, Code, Detail string }

func applyResults(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	results := map[[2]string]resultRow{}
	for i := range events {
		r := &events[i]
		if r.Metadata.OperationID == "" {
			continue
		}
		var status document.Status
		var failure *domain.Failure
		switch e := r.Event.(type) {
		case document.Migrated:
			status = e.After
		case document.Failed:
			status, failure = e.After, &e.Failure
		case document.Judged:
			status, failure = e.After, e.Failure
		default:
			continue
		}
		row := resultRow{Operation: r.Metadata.OperationID, Document: r.Stream, Status: string(status)}
		if failure != nil {
			row.Code, row.Detail = failure.Code, failure.Detail
		}
		results[[2]string{row.Operation, row.Document}] = row
	}
	if len(results) == 0 {
		return nil
	}
	rows := make([]resultRow, 0, len(results))
	for _, key := range sortedPairs(results) {
		rows = append(rows, results[key])
	}
	_, err := tx.Exec(ctx, `INSERT INTO operation_results (operation, document, status, code, detail)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
		ON CONFLICT (operation, document) DO UPDATE SET status = excluded.status, code = excluded.code, detail = excluded.detail`, arrays(rows)...)
	return err
}
