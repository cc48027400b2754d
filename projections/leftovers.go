package projections

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// What batches leave over: documents that are failed, with why, and files that
// are set aside. It is a view of its own, beside the documents: they are few, and
// what most events bring costs them nothing.
//
// A document has a fingerprint for as long as its failure stands: also while it is
// excepted, since the exception may be revoked.
var leftoversView = View{Name: "leftovers", Tables: map[string]string{"failed_documents": "batch", "skipped_files": "batch"}, Schema: `
CREATE TABLE IF NOT EXISTS failed_documents (
	batch        text        NOT NULL,
	stream       text        NOT NULL,
	organization text        NOT NULL,
	fingerprint  text        NOT NULL,
	cause        json        NOT NULL,
	failed_at    timestamptz NOT NULL,
	excepted     boolean     NOT NULL,
	PRIMARY KEY (batch, stream)
);
CREATE INDEX IF NOT EXISTS failed_documents_fingerprint ON failed_documents (fingerprint, batch, stream);` + skipsSchema, Apply: applyLeftovers}

// failedRow is a row of failed_documents, in the order of its columns.
type failedRow struct {
	Batch, Stream, Organization, Fingerprint string
	Cause                                    string
	FailedAt                                 time.Time
	Excepted                                 bool
}

// failedFold is what events leave of a document's row.
type failedFold struct {
	stored   bool       // there is a row
	row      *failedRow // to be written whole
	gone     bool
	excepted *bool // of the row that is there
}

func applyLeftovers(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	failed, skips := map[[2]string]*failedFold{}, skipsFold{}
	for i := range events {
		e, ok := events[i].Event.(document.Event)
		if !ok {
			continue
		}
		skips.apply(&events[i], e)
		change := e.GetChange()
		if !stands(change.Before) && !stands(change.After) {
			continue
		}
		key := [2]string{change.Batch, events[i].Stream}
		if failed[key] == nil {
			failed[key] = &failedFold{stored: stands(change.Before)}
		}
		failed[key].apply(&events[i], e)
	}
	b := &pgx.Batch{}
	queueFailed(b, failed)
	skips.queue(b)
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

// stands tells that a document of the status has a failure that stands.
func stands(status document.Status) bool {
	return status == document.StatusFailed || status == document.StatusExcepted
}

func (f *failedFold) apply(r *wire.Record, event document.Event) {
	change := event.GetChange()
	if !stands(change.After) {
		f.row, f.gone, f.excepted = nil, f.stored, nil
		return
	}
	if cause, told := document.CauseOf(event); told {
		encoded, _ := json.Marshal(cause) // strings and booleans always encode
		f.row = &failedRow{change.Batch, r.Stream, change.Organization, cause.Fingerprint(), string(encoded), r.Time, false}
		return
	}
	excepted := change.After == document.StatusExcepted
	if f.row != nil {
		f.row.Excepted = excepted
	} else if excepted != (change.Before == document.StatusExcepted) {
		f.excepted = &excepted
	}
}

func queueFailed(b *pgx.Batch, folds map[[2]string]*failedFold) {
	type key struct{ Batch, Stream string }
	type change struct {
		Batch, Stream string
		Excepted      bool
	}
	var gone []key
	var changed []change
	var rows []failedRow
	for _, k := range sortedPairs(folds) {
		switch f := folds[k]; {
		case f.row != nil:
			rows = append(rows, *f.row)
		case f.gone:
			gone = append(gone, key{k[0], k[1]})
		case f.excepted != nil:
			changed = append(changed, change{k[0], k[1], *f.excepted})
		}
	}
	if len(gone) > 0 {
		b.Queue(`DELETE FROM failed_documents f USING unnest($1::text[], $2::text[]) n(batch, stream) WHERE f.batch = n.batch AND f.stream = n.stream`, arrays(gone)...)
	}
	if len(changed) > 0 {
		b.Queue(`UPDATE failed_documents f SET excepted = n.excepted FROM unnest($1::text[], $2::text[], $3::bool[]) n(batch, stream, excepted)
			WHERE f.batch = n.batch AND f.stream = n.stream`, arrays(changed)...)
	}
	if len(rows) > 0 {
		b.Queue(`INSERT INTO failed_documents (batch, stream, organization, fingerprint, cause, failed_at, excepted)
			SELECT batch, stream, organization, fingerprint, cause::json, failed_at, excepted
			FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bool[]) n(batch, stream, organization, fingerprint, cause, failed_at, excepted)
			ON CONFLICT (batch, stream) DO UPDATE SET organization = excluded.organization, fingerprint = excluded.fingerprint, cause = excluded.cause,
				failed_at = excluded.failed_at, excepted = excluded.excepted`, arrays(rows)...)
	}
}
