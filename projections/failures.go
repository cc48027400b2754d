package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
)

// FailureGroup is documents that are failed for the same cause.
type FailureGroup struct {
	Fingerprint         string
	Cause               domain.Cause // of the sample
	Documents           int64
	FirstSeen, LastSeen time.Time // when the first and the last of them failed
	Batch, Stream       string    // of a sample
}

// FailureFilter narrows failures; empty fields choose all.
type FailureFilter struct {
	Batch  string // empty: all that migrate; a preflight and its run fail for the same
	Source string
	Within domain.Organizations // whose documents are seen; none: all
	Limit  int
}

// Failures of documents by cause, most documents first, and how many documents
// are failed in all.
//
// The causes are counted first, and a sample of each is looked up by the index.
func Failures(ctx context.Context, q Querier, f FailureFilter) (groups []FailureGroup, documents int64, err error) {
	const chosen = `NOT f.excepted AND ($1 = '' OR f.batch = $1) AND (coalesce(cardinality($2::text[]), 0) = 0 OR f.organization = ANY ($2))
		AND ($1 <> '' AND $3 = '' OR EXISTS (SELECT FROM batches b WHERE b.number = f.batch AND ($1 <> '' OR b.mode = 'migrate') AND ($3 = '' OR b.source = $3)))`
	rows, err := q.Query(ctx, `WITH groups AS (SELECT f.fingerprint, count(*) AS documents, min(f.failed_at) AS first_seen, max(f.failed_at) AS last_seen, sum(count(*)) OVER ()::bigint AS failed
			FROM failed_documents f WHERE `+chosen+` GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $4)
		SELECT g.fingerprint, s.cause, g.documents, g.first_seen, g.last_seen, s.batch, s.stream, g.failed FROM groups g CROSS JOIN LATERAL (
			SELECT f.batch, f.stream, f.cause FROM failed_documents f WHERE f.fingerprint = g.fingerprint AND `+chosen+` ORDER BY f.batch, f.stream LIMIT 1) s
		ORDER BY g.documents DESC, g.fingerprint`, f.Batch, f.Within, f.Source, f.Limit)
	if err != nil {
		return nil, 0, err
	}
	groups, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (FailureGroup, error) {
		var g FailureGroup
		err := row.Scan(&g.Fingerprint, &g.Cause, &g.Documents, &g.FirstSeen, &g.LastSeen, &g.Batch, &g.Stream, &documents)
		return g, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("group failures: %w", err)
	}
	return groups, documents, nil
}
