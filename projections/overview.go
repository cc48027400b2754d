package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
)

// BatchStatus is a function of a batch's counts (domain.md, decision 1).
type BatchStatus string

const (
	InProgress              BatchStatus = "in-progress"
	Succeeded               BatchStatus = "succeeded"
	SucceededWithExceptions BatchStatus = "succeeded-with-exceptions"
	BatchFailed             BatchStatus = "failed"
)

// Documents of a batch by bucket. Their sum is what was listed, each document
// counted once: the closure equation of domain.md holds by construction, and
// Listed, counted by the listings, must equal it once they are completed.
type Documents struct {
	Pending, Migrated, Passed, Failed, Excepted, Cancelled int64
}

// Total of distinct documents listed.
func (d Documents) Total() int64 {
	return d.Pending + d.Migrated + d.Passed + d.Failed + d.Excepted + d.Cancelled
}

// Arrived are a batch's migrated documents by what migrating them did to the
// archive: of a later round over the same scope most are unchanged.
type Arrived struct {
	Written, Unchanged, NewVersions int64
}

// Files of a batch by bucket.
type Files struct {
	Pending, Migrated, Passed, Failed, Skipped, Excepted, Cancelled int64
}

// Total of files listed.
func (f Files) Total() int64 {
	return f.Pending + f.Migrated + f.Passed + f.Failed + f.Skipped + f.Excepted + f.Cancelled
}

// Listings of a batch's slices, added up.
type Listings struct {
	Slices, Completed, Failed int64
	Found                     int64 // distinct documents, as the listings counted them
	SourceTotal               int64 // the source's own total
	Duplicates, Conflicts     int64
	Shortfall                 int64 // what the source said it has and never listed
	Unaccepted                int64 // of the shortfall
	Unlisted                  int64 // what the source has and the batch's list has not
}

// Batch overview.
type Batch struct {
	Number, Source, Profile string
	Mode                    batch.Mode
	RunOf                   string   // the preflight whose run it is
	Runs                    []string // of the preflight, the newest first
	Scope                   batch.Scope
	CreatedAt               time.Time
	CreatedBy               string
	Phase                   batch.Phase
	FinishedAt              *time.Time
	EmptyAcknowledged       bool
	Version                 int
	Documents               Documents
	Files                   Files
	Arrived                 Arrived
	Listings                Listings
	// Shared are what those listings lack that cover other organisations too. It
	// is not of what is shown, and counts: nobody knows whose it is.
	Shared Lack
}

// Lack is what sources said they have and never listed.
type Lack struct{ Shortfall, Unaccepted int64 }

// Status of the batch.
func (b Batch) Status() BatchStatus {
	listing := b.Listings.Completed+b.Listings.Failed < b.Listings.Slices
	lack := Lack{b.Listings.Shortfall + b.Shared.Shortfall, b.Listings.Unaccepted + b.Shared.Unaccepted}
	switch {
	case b.Phase == batch.PhaseCancelled:
		if listing || b.Listings.Failed > 0 || lack.Unaccepted > 0 || b.Documents.Migrated+b.Documents.Passed < b.Documents.Total() {
			return BatchFailed
		}
	case listing, b.Documents.Pending > 0:
		return InProgress
	case b.Documents.Failed > 0, b.Listings.Failed > 0, lack.Unaccepted > 0:
		return BatchFailed
	}
	if b.Documents.Excepted > 0 || b.Files.Skipped > 0 || lack.Shortfall > 0 {
		return SucceededWithExceptions
	}
	return Succeeded
}

// Empty tells that the listing ended and brought nothing.
func (b Batch) Empty() bool {
	return b.Listings.Completed == b.Listings.Slices && b.Documents.Total() == 0
}

const batchColumns = `b.number, b.source, b.profile, b.scope, b.created_at, b.created_by, b.phase, b.finished_at, b.empty_ok, b.version,
	b.mode, b.run_of, ` + runs + `,
	d.pending, d.migrated, d.passed, d.failed, d.excepted, d.cancelled,
	d.files_pending, d.files_migrated, d.files_passed, d.files_failed, d.files_skipped, d.files_excepted, d.files_cancelled,
	a.written, a.unchanged, a.new_versions,
	s.slices, s.completed, s.failed, s.found, s.total, s.duplicates, s.conflicts, s.shortfall, s.unaccepted, s.unlisted, s.shared, s.shared_unaccepted`

// runs of a preflight, the newest first, and the hundredth at last.
const runs = `CASE b.mode WHEN 'preflight' THEN ARRAY(SELECT r.number FROM batches r WHERE r.run_of = b.number AND r.run_of <> '' ORDER BY r.number DESC LIMIT 100) END`

// partOfBatch is what is counted for those who see the documents of the
// organisations $1.
const partOfBatch = `(SELECT coalesce(sum(pending), 0) AS pending, coalesce(sum(migrated), 0) AS migrated, coalesce(sum(passed), 0) AS passed, coalesce(sum(failed), 0) AS failed,
		coalesce(sum(excepted), 0) AS excepted, coalesce(sum(cancelled), 0) AS cancelled, coalesce(sum(files_pending), 0) AS files_pending,
		coalesce(sum(files_migrated), 0) AS files_migrated, coalesce(sum(files_passed), 0) AS files_passed, coalesce(sum(files_failed), 0) AS files_failed, coalesce(sum(files_skipped), 0) AS files_skipped,
		coalesce(sum(files_excepted), 0) AS files_excepted, coalesce(sum(files_cancelled), 0) AS files_cancelled
	FROM document_totals WHERE batch = b.number AND organization = ANY ($1)) d`

// arrivals of a batch. They are counted by organisation alone, so that the whole
// is the sum.
const arrivals = `(SELECT coalesce(sum(written), 0) AS written, coalesce(sum(unchanged), 0) AS unchanged, coalesce(sum(new_versions), 0) AS new_versions
	FROM document_totals WHERE batch = b.number AND (coalesce(cardinality($1::text[]), 0) = 0 OR organization = ANY ($1))) a`

// listings are the figures of a batch's slices: of those that are shown, and of
// the others what they lack. What a list's entries met among what the months had
// brought already adds nothing to the source's total.
const listings = `(SELECT count(*) AS slices, count(*) FILTER (WHERE status = 'completed') AS completed, count(*) FILTER (WHERE status = 'failed') AS failed,
		coalesce(sum(found) FILTER (WHERE shown), 0) AS found, coalesce(sum(total - CASE slice WHEN '` + domain.ListSlice + `' THEN elsewhere ELSE 0 END) FILTER (WHERE shown), 0) AS total,
		coalesce(sum(duplicates) FILTER (WHERE shown), 0) AS duplicates, coalesce(sum(conflicts) FILTER (WHERE shown), 0) AS conflicts,
		coalesce(sum(shortfall) FILTER (WHERE shown), 0) AS shortfall, coalesce(sum(greatest(shortfall - accepted, 0)) FILTER (WHERE shown), 0) AS unaccepted,
		coalesce(sum(unlisted) FILTER (WHERE shown), 0) AS unlisted,
		coalesce(sum(shortfall) FILTER (WHERE NOT shown), 0) AS shared, coalesce(sum(greatest(shortfall - accepted, 0)) FILTER (WHERE NOT shown), 0) AS shared_unaccepted
	FROM (SELECT *, coalesce(cardinality($1::text[]), 0) = 0 OR organization <> '' AS shown FROM batch_slices
		WHERE batch = b.number AND (coalesce(cardinality($1::text[]), 0) = 0 OR organization = '' OR organization = ANY ($1))) listing) s`

// selectBatches as those see them who see the documents of the organisations
// $1, or all: batches that hold such a document, or whose scope names one of
// the organisations.
func selectBatches(within domain.Organizations) string {
	if !within.Restricted() {
		return `SELECT ` + batchColumns + ` FROM batches b CROSS JOIN LATERAL (SELECT b.*) d CROSS JOIN LATERAL ` + arrivals + ` CROSS JOIN LATERAL ` + listings + ` WHERE b.created_at IS NOT NULL`
	}
	return `SELECT ` + batchColumns + ` FROM batches b CROSS JOIN LATERAL ` + partOfBatch + ` CROSS JOIN LATERAL ` + arrivals + ` CROSS JOIN LATERAL ` + listings + ` WHERE b.created_at IS NOT NULL
		AND (b.scope->'organizations' ?| $1 OR d.pending + d.migrated + d.passed + d.failed + d.excepted + d.cancelled > 0)`
}

// BatchFilter narrows a list of batches; empty fields choose all.
type BatchFilter struct {
	Source string
	Phase  batch.Phase
	Mode   batch.Mode
	Within domain.Organizations // whose documents are seen; none: all
	Before string               // batch number: only older ones, to page on
	Limit  int
}

// Batches, newest first.
func Batches(ctx context.Context, q Querier, f BatchFilter) ([]Batch, error) {
	rows, err := q.Query(ctx, selectBatches(f.Within)+`
		AND ($2 = '' OR b.source = $2) AND ($3 = '' OR b.phase = $3) AND ($4 = '' OR b.number < $4) AND ($6 = '' OR b.mode = $6)
		ORDER BY b.number DESC LIMIT $5`, f.Within, f.Source, f.Phase, f.Before, f.Limit, f.Mode)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanBatch)
}

// FindBatch by number; a *domain.Refusal when there is none.
func FindBatch(ctx context.Context, q Querier, number string) (Batch, error) {
	return FindBatchWithin(ctx, q, number, nil)
}

// FindBatchWithin is FindBatch for those who see the documents of some
// organisations alone. For them there is none either where they see nothing.
func FindBatchWithin(ctx context.Context, q Querier, number string, within domain.Organizations) (Batch, error) {
	rows, err := q.Query(ctx, selectBatches(within)+` AND b.number = $2`, within, number)
	if err != nil {
		return Batch{}, err
	}
	return one(rows, scanBatch, "batch", number)
}

func scanBatch(row pgx.CollectableRow) (Batch, error) {
	var b Batch
	var scope []byte
	d, f, l, a := &b.Documents, &b.Files, &b.Listings, &b.Arrived
	err := row.Scan(&b.Number, &b.Source, &b.Profile, &scope, &b.CreatedAt, &b.CreatedBy, &b.Phase, &b.FinishedAt, &b.EmptyAcknowledged, &b.Version,
		&b.Mode, &b.RunOf, &b.Runs,
		&d.Pending, &d.Migrated, &d.Passed, &d.Failed, &d.Excepted, &d.Cancelled,
		&f.Pending, &f.Migrated, &f.Passed, &f.Failed, &f.Skipped, &f.Excepted, &f.Cancelled,
		&a.Written, &a.Unchanged, &a.NewVersions,
		&l.Slices, &l.Completed, &l.Failed, &l.Found, &l.SourceTotal, &l.Duplicates, &l.Conflicts, &l.Shortfall, &l.Unaccepted, &l.Unlisted,
		&b.Shared.Shortfall, &b.Shared.Unaccepted)
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal(scope, &b.Scope)
}

// Slice of a batch and its listing.
type Slice struct {
	ID, Organization, From, To string
	Status                     string // waiting, listing, completed, failed
	Pass, Page                 int
	Found, Elsewhere, Total    int
	Unlisted                   int
	Duplicates, Conflicts      int
	Shortfall, Accepted        int
	Attempt                    int
	Failure                    *domain.Failure
	NextAttempt                string
	Reason                     string // why it is or was listed again
	ChangedAt                  *time.Time
	Version                    int
}

// SliceFilter narrows the slices of a batch; empty fields choose all.
type SliceFilter struct {
	Batch, Status string
	ID            string               // that slice alone
	Within        domain.Organizations // slices of these organisations alone: one of all is not of theirs
	After         string               // slice, to page on
	Limit         int
}

// Slices of a batch, in order.
func Slices(ctx context.Context, q Querier, f SliceFilter) ([]Slice, error) {
	rows, err := q.Query(ctx, `SELECT slice, organization, from_date, to_date, status, pass, page, found, elsewhere, total, duplicates, conflicts,
		shortfall, accepted, attempt, failure, next_attempt, reason, changed_at, version, unlisted
		FROM batch_slices WHERE batch = $1 AND ($2 = '' OR status = $2) AND (coalesce(cardinality($3::text[]), 0) = 0 OR organization = ANY ($3))
			AND slice > $4 AND ($6 = '' OR slice = $6) ORDER BY slice LIMIT $5`, f.Batch, f.Status, f.Within, f.After, f.Limit, f.ID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Slice, error) {
		var s Slice
		err := row.Scan(&s.ID, &s.Organization, &s.From, &s.To, &s.Status, &s.Pass, &s.Page, &s.Found, &s.Elsewhere, &s.Total, &s.Duplicates, &s.Conflicts,
			&s.Shortfall, &s.Accepted, &s.Attempt, &s.Failure, &s.NextAttempt, &s.Reason, &s.ChangedAt, &s.Version, &s.Unlisted)
		return s, err
	})
}

// FailureCounts of a batch's failed documents, by category; of those of some
// organisations alone, when there are any.
func FailureCounts(ctx context.Context, q Querier, number string, within domain.Organizations) (map[domain.Category]int64, error) {
	rows, err := q.Query(ctx, `SELECT failure_category, count(*) FROM documents WHERE batch = $1 AND status = 'failed'
		AND (coalesce(cardinality($2::text[]), 0) = 0 OR organization = ANY ($2)) GROUP BY 1`, number, within)
	if err != nil {
		return nil, err
	}
	counts := map[domain.Category]int64{}
	var category domain.Category
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&category, &n}, func() error {
		counts[category] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count failures: %w", err)
	}
	return counts, nil
}
