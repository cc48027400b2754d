package projections

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Verifications of batches, and what the last round found of each document that
// is not intact. All of it comes from the control partition, so rows are added to
// in order. What runs is to be done: workers claim it.
var verificationsView = View{Name: "verifications", Tables: map[string]string{"verifications": "", "verification_findings": ""}, Schema: `
CREATE TABLE IF NOT EXISTS verifications (
	id           text        PRIMARY KEY,
	batch        text        NOT NULL,
	number       integer     NOT NULL,
	sample       json,
	migrated     integer     NOT NULL,
	selected     integer     NOT NULL,
	reason       text        NOT NULL,
	status       text        NOT NULL,
	round        integer     NOT NULL DEFAULT 1,
	intact       integer     NOT NULL DEFAULT 0,
	extra        integer     NOT NULL DEFAULT 0,
	unverifiable integer     NOT NULL DEFAULT 0,
	changed      integer     NOT NULL DEFAULT 0,
	missing      integer     NOT NULL DEFAULT 0,
	overtaken    integer     NOT NULL DEFAULT 0,
	objects      bigint      NOT NULL DEFAULT 0,
	bytes        bigint      NOT NULL DEFAULT 0,
	files        bigint      NOT NULL DEFAULT 0,
	unhashed     bigint      NOT NULL DEFAULT 0,
	requested_at timestamptz NOT NULL,
	requested_by text        NOT NULL,
	changed_at   timestamptz NOT NULL,
	version      integer     NOT NULL
);
CREATE INDEX IF NOT EXISTS verifications_batch ON verifications (batch, number);
CREATE INDEX IF NOT EXISTS verifications_running ON verifications (requested_at, id) WHERE status = 'running';
CREATE INDEX IF NOT EXISTS verifications_requested ON verifications (requested_at, id);
CREATE TABLE IF NOT EXISTS verification_findings (
	verification text    NOT NULL,
	document     text    NOT NULL,
	number       integer NOT NULL, -- of the document's, from 1
	outcome      text    NOT NULL, -- of the document
	fault        text    NOT NULL, -- of the object
	key          text    NOT NULL,
	file_id      text    NOT NULL,
	detail       text    NOT NULL,
	flawed       integer NOT NULL, -- objects of the document, of which the first are listed
	round        integer NOT NULL,
	PRIMARY KEY (verification, document, number)
);
CREATE INDEX IF NOT EXISTS verification_findings_fault ON verification_findings (verification, fault, document, number)`, Apply: applyVerifications}

// applyVerifications writes event by event: one stands for a page of documents.
func applyVerifications(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	b := &pgx.Batch{}
	for _, r := range events {
		event, ok := r.Event.(fixity.Event)
		if !ok {
			continue
		}
		id, err := domain.ParseVerificationStream(r.Stream)
		if err != nil {
			return err
		}
		queueVerification(b, id, r, event)
	}
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

func queueVerification(b *pgx.Batch, id string, r wire.Record, event fixity.Event) {
	set := func(assignment string, values ...any) {
		b.Queue(`UPDATE verifications SET version = $2, changed_at = $3, `+assignment+` WHERE id = $1`, append([]any{id, r.Version, r.Time}, values...)...)
	}
	switch e := event.(type) {
	case fixity.Requested:
		b.Queue(`INSERT INTO verifications (id, batch, number, sample, migrated, selected, reason, status, requested_at, requested_by, changed_at, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $11)`,
			id, e.Batch, e.Number, e.Sample, e.Migrated, e.Selected, e.Reason, string(fixity.StatusRunning), r.Time, askedBy(r.Metadata), r.Version)
	case fixity.Advanced:
		queueFindings(b, id, e)
		d := e.Difference()
		set(`intact = intact + $4, extra = extra + $5, unverifiable = unverifiable + $6, changed = changed + $7, missing = missing + $8, overtaken = overtaken + $9,
			objects = objects + $10, bytes = bytes + $11, files = files + $12, unhashed = unhashed + $13`,
			d[fixity.Intact], d[fixity.Extra], d[fixity.Unverifiable], d[fixity.Changed], d[fixity.Missing], d[fixity.Overtaken],
			e.Counts.Objects, e.Counts.Bytes, e.Counts.Files, e.Counts.Unhashed)
	case fixity.Completed:
		set(`status = $4, overtaken = $5`, string(fixity.StatusCompleted), e.Counts.Documents[fixity.Overtaken])
	case fixity.RetryRequested:
		set(`status = $4, round = $5`, string(fixity.StatusRunning), e.Round)
	case fixity.Cancelled:
		set(`status = $4`, string(fixity.StatusCancelled))
	}
}

// queueFindings puts what was found of documents in the place of what was found
// of them before.
func queueFindings(b *pgx.Batch, id string, e fixity.Advanced) {
	var again []string
	var rows []findingRow
	for _, item := range e.Items {
		if item.Was != "" {
			again = append(again, item.Document)
		}
		for i, f := range item.Flaws {
			rows = append(rows, findingRow{item.Document, i + 1, string(item.Outcome), string(f.Fault), f.Key, f.FileID, f.Detail, item.Flawed})
		}
	}
	if len(again) > 0 {
		b.Queue(`DELETE FROM verification_findings WHERE verification = $1 AND document = ANY ($2)`, id, again)
	}
	if len(rows) > 0 {
		b.Queue(`INSERT INTO verification_findings (document, number, outcome, fault, key, file_id, detail, flawed, verification, round)
			SELECT n.*, $9, $10 FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[]) n`,
			append(arrays(rows), id, e.Round)...)
	}
}

// findingRow is in the order of the statement's columns.
type findingRow struct {
	Document                          string
	Number                            int
	Outcome, Fault, Key, File, Detail string
	Flawed                            int
}

// Verification of a batch. The outcomes of documents and Left add up to Selected.
type Verification struct {
	ID, Batch                                                string
	Number                                                   int
	Sample                                                   *fixity.Sample // nil: all migrated documents
	Migrated, Selected                                       int
	Reason                                                   string
	Status                                                   fixity.Status
	Round                                                    int
	Intact, Extra, Unverifiable, Changed, Missing, Overtaken int
	Objects, Bytes, Files, Unhashed                          int64
	RequestedAt                                              time.Time
	RequestedBy                                              string
	ChangedAt                                                time.Time
	Version                                                  int
}

// Done is how many documents had their turn.
func (v Verification) Done() int {
	return v.Intact + v.Extra + v.Unverifiable + v.Changed + v.Missing + v.Overtaken
}

// Left are documents that have had no turn yet, or never will.
func (v Verification) Left() int { return max(v.Selected-v.Done(), 0) }

const verificationColumns = `id, batch, number, sample, migrated, selected, reason, status, round, intact, extra, unverifiable, changed, missing, overtaken,
	objects, bytes, files, unhashed, requested_at, requested_by, changed_at, version`

// ofTheirs is the condition that a verification is of a batch that is all of the
// organisations $1: its figures are of all of its documents.
const ofTheirs = `(coalesce(cardinality($1::text[]), 0) = 0 OR EXISTS (SELECT FROM batches b WHERE b.number = verifications.batch AND ` + wholly + `))`

// FindVerification by id, for those who see the documents of some organisations
// alone (none: all); a *domain.Refusal when there is none.
func FindVerification(ctx context.Context, q Querier, id string, within domain.Organizations) (Verification, error) {
	rows, err := q.Query(ctx, `SELECT `+verificationColumns+` FROM verifications WHERE `+ofTheirs+` AND id = $2`, within, id)
	if err != nil {
		return Verification{}, err
	}
	return one(rows, pgx.RowToStructByPos[Verification], "verification", id)
}

// VerificationFilter narrows verifications; empty fields choose all.
type VerificationFilter struct {
	Batch  string
	Status fixity.Status
	Within domain.Organizations // whose documents are seen; none: all
	Before string               // id of a verification: only older ones, to page on
	Limit  int
}

// Verifications, newest first.
func Verifications(ctx context.Context, q Querier, f VerificationFilter) ([]Verification, error) {
	rows, err := q.Query(ctx, `SELECT `+verificationColumns+` FROM verifications
		WHERE `+ofTheirs+` AND ($2 = '' OR batch = $2) AND ($3 = '' OR status = $3)
			AND ($4 = '' OR (requested_at, id) < (SELECT requested_at, id FROM verifications WHERE id = $4))
		ORDER BY requested_at DESC, id DESC LIMIT $5`, f.Within, f.Batch, string(f.Status), f.Before, f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Verification])
}

// Finding is an object of a document that is not as it should be.
type Finding struct {
	Document          string
	Number            int
	Outcome           fixity.Outcome // of the document
	Fault             fixity.Outcome
	Key, File, Detail string
	Flawed            int // objects of the document, of which the first are found here
	Round             int
}

// Findings of a verification in order of document, after one; of all faults when
// none is given.
func Findings(ctx context.Context, q Querier, id string, fault fixity.Outcome, document string, number, limit int) ([]Finding, error) {
	rows, err := q.Query(ctx, `SELECT document, number, outcome, fault, key, file_id, detail, flawed, round FROM verification_findings
		WHERE verification = $1 AND ($2 = '' OR fault = $2) AND (document, number) > ($3, $4) ORDER BY document, number LIMIT $5`, id, string(fault), document, number, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Finding])
}
