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
	Pending, Migrated, Failed, Excepted, Cancelled int64
}

// Total of distinct documents listed.
func (d Documents) Total() int64 {
	return d.Pending + d.Migrated + d.Failed + d.Excepted + d.Cancelled
}

// Files of a batch by bucket.
type Files struct {
	Pending, Migrated, Failed, Skipped, Excepted, Cancelled int64
}

// Total of files listed.
func (f Files) Total() int64 {
	return f.Pending + f.Migrated + f.Failed + f.Skipped + f.Excepted + f.Cancelled
}

// Listings of a batch's slices, added up.
type Listings struct {
	Slices, Completed, Failed int64
	Found                     int64 // distinct documents, as the listings counted them
	SourceTotal               int64 // the source's own total
	Duplicates, Conflicts     int64
	Shortfall                 int64 // what the source said it has and never listed
	Unaccepted                int64 // of the shortfall
}

// Batch overview.
type Batch struct {
	Number, Source, Profile string
	Scope                   batch.Scope
	CreatedAt               time.Time
	CreatedBy               string
	Phase                   batch.Phase
	FinishedAt              *time.Time
	EmptyAcknowledged       bool
	Version                 int
	Documents               Documents
	Files                   Files
	Listings                Listings
}

// Status of the batch.
func (b Batch) Status() BatchStatus {
	listing := b.Listings.Completed+b.Listings.Failed < b.Listings.Slices
	switch {
	case b.Phase == batch.PhaseCancelled:
		if listing || b.Listings.Failed > 0 || b.Listings.Unaccepted > 0 || b.Documents.Migrated < b.Documents.Total() {
			return BatchFailed
		}
	case listing, b.Documents.Pending > 0:
		return InProgress
	case b.Documents.Failed > 0, b.Listings.Failed > 0, b.Listings.Unaccepted > 0:
		return BatchFailed
	}
	if b.Documents.Excepted > 0 || b.Files.Skipped > 0 || b.Listings.Shortfall > 0 {
		return SucceededWithExceptions
	}
	return Succeeded
}

// Empty tells that the listing ended and brought nothing.
func (b Batch) Empty() bool {
	return b.Listings.Completed == b.Listings.Slices && b.Documents.Total() == 0
}

const batchColumns = `b.number, b.source, b.profile, b.scope, b.created_at, b.created_by, b.phase, b.finished_at, b.empty_ok, b.version,
	b.pending, b.migrated, b.failed, b.excepted, b.cancelled,
	b.files_pending, b.files_migrated, b.files_failed, b.files_skipped, b.files_excepted, b.files_cancelled,
	b.slices, s.completed, s.failed, s.found, s.total, s.duplicates, s.conflicts, s.shortfall, s.unaccepted`

const batchTables = ` FROM batches b CROSS JOIN LATERAL (
	SELECT count(*) FILTER (WHERE status = 'completed') AS completed, count(*) FILTER (WHERE status = 'failed') AS failed,
		coalesce(sum(found), 0) AS found, coalesce(sum(total), 0) AS total, coalesce(sum(duplicates), 0) AS duplicates,
		coalesce(sum(conflicts), 0) AS conflicts, coalesce(sum(shortfall), 0) AS shortfall,
		coalesce(sum(greatest(shortfall - accepted, 0)), 0) AS unaccepted
	FROM batch_slices WHERE batch = b.number) s WHERE b.created_at IS NOT NULL`

// BatchFilter narrows a list of batches; empty fields choose all.
type BatchFilter struct {
	Source string
	Phase  batch.Phase
	Before string // batch number: only older ones, to page on
	Limit  int
}

// Batches, newest first.
func Batches(ctx context.Context, q Querier, f BatchFilter) ([]Batch, error) {
	rows, err := q.Query(ctx, `SELECT `+batchColumns+batchTables+`
		AND ($1 = '' OR b.source = $1) AND ($2 = '' OR b.phase = $2) AND ($3 = '' OR b.number < $3)
		ORDER BY b.number DESC LIMIT $4`, f.Source, f.Phase, f.Before, f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanBatch)
}

// FindBatch by number; a *domain.Refusal when there is none.
func FindBatch(ctx context.Context, q Querier, number string) (Batch, error) {
	rows, err := q.Query(ctx, `SELECT `+batchColumns+batchTables+` AND b.number = $1`, number)
	if err != nil {
		return Batch{}, err
	}
	return one(rows, scanBatch, "batch", number)
}

func scanBatch(row pgx.CollectableRow) (Batch, error) {
	var b Batch
	var scope []byte
	d, f, l := &b.Documents, &b.Files, &b.Listings
	err := row.Scan(&b.Number, &b.Source, &b.Profile, &scope, &b.CreatedAt, &b.CreatedBy, &b.Phase, &b.FinishedAt, &b.EmptyAcknowledged, &b.Version,
		&d.Pending, &d.Migrated, &d.Failed, &d.Excepted, &d.Cancelled,
		&f.Pending, &f.Migrated, &f.Failed, &f.Skipped, &f.Excepted, &f.Cancelled,
		&l.Slices, &l.Completed, &l.Failed, &l.Found, &l.SourceTotal, &l.Duplicates, &l.Conflicts, &l.Shortfall, &l.Unaccepted)
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
	Duplicates, Conflicts      int
	Shortfall, Accepted        int
	Attempt                    int
	Failure                    *domain.Failure
	NextAttempt                string
	Reason                     string // why it is or was listed again
	ChangedAt                  *time.Time
	Version                    int
}

// Slices of a batch, in order, after one.
func Slices(ctx context.Context, q Querier, number, status, after string, limit int) ([]Slice, error) {
	rows, err := q.Query(ctx, `SELECT slice, organization, from_date, to_date, status, pass, page, found, elsewhere, total, duplicates, conflicts,
		shortfall, accepted, attempt, failure, next_attempt, reason, changed_at, version
		FROM batch_slices WHERE batch = $1 AND ($2 = '' OR status = $2) AND slice > $3 ORDER BY slice LIMIT $4`, number, status, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Slice, error) {
		var s Slice
		err := row.Scan(&s.ID, &s.Organization, &s.From, &s.To, &s.Status, &s.Pass, &s.Page, &s.Found, &s.Elsewhere, &s.Total, &s.Duplicates, &s.Conflicts,
			&s.Shortfall, &s.Accepted, &s.Attempt, &s.Failure, &s.NextAttempt, &s.Reason, &s.ChangedAt, &s.Version)
		return s, err
	})
}

// FailureCounts of a batch's failed documents, by category.
func FailureCounts(ctx context.Context, q Querier, number string) (map[domain.Category]int64, error) {
	rows, err := q.Query(ctx, `SELECT failure_category, count(*) FROM documents WHERE batch = $1 AND status = 'failed' GROUP BY 1`, number)
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
