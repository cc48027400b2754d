package projections

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/wire"
)

// sliceRow is what events leave of a slice. A slice is fed by its batch, which
// knows its scope, and by its listing: fields that are nil stay as they are.
type sliceRow struct {
	organization, from, to                         *string
	accepted                                       *int
	status                                         *discovery.Status
	pass, page                                     *int
	found, elsewhere, total, duplicates, conflicts *int
	unlisted                                       *int
	shortfall, attempt                             *int
	failure                                        *domain.Failure // stays when there is no status
	next, reason                                   *string
	at                                             *time.Time
	version                                        *int
}

// slicesFold holds rows by batch and slice.
type slicesFold map[[2]string]*sliceRow

func (f slicesFold) row(number, slice string) *sliceRow {
	key := [2]string{number, slice}
	if f[key] == nil {
		f[key] = &sliceRow{}
	}
	return f[key]
}

func (f slicesFold) applyBatch(number string, event batch.Event) {
	switch e := event.(type) {
	case batch.Created:
		for _, s := range e.Slices {
			row := f.row(number, s.ID)
			row.organization, row.from, row.to = new(s.Organization), new(s.From), new(s.To)
		}
	case batch.ShortfallAccepted:
		f.row(number, e.Slice).accepted = new(e.Missing)
	}
}

func (f slicesFold) applyListing(r wire.Record, event discovery.Event) {
	change := event.GetChange()
	row := f.row(change.Batch, change.Slice)
	row.status, row.version, row.at = new(change.After), new(r.Version), new(r.Time)
	row.attempt, row.failure, row.next = new(0), nil, new("")
	switch e := event.(type) {
	case discovery.Started:
		row.pass = new(1)
	case discovery.PageListed:
		row.pass, row.page, row.total, row.found = new(e.Pass), new(e.Page), new(e.Total), new(e.Found)
	case discovery.ListedAgain:
		row.pass, row.page, row.reason = new(e.Pass), new(0), new(e.Reason)
	case discovery.Completed:
		row.found, row.elsewhere, row.unlisted, row.total = new(e.Found), new(e.Elsewhere), new(e.Unlisted), new(e.Total)
		row.duplicates, row.conflicts, row.shortfall = new(e.Duplicates), new(e.Conflicts), new(e.Missing)
	case discovery.AttemptFailed:
		row.attempt, row.failure, row.next = new(e.Attempt), &e.Failure, new(e.Next)
	case discovery.Failed:
		row.attempt, row.failure = new(e.Attempt), &e.Failure
	case discovery.RetryRequested:
		row.elsewhere, row.unlisted, row.duplicates, row.conflicts, row.shortfall = new(0), new(0), new(0), new(0), new(0)
		row.reason = new(e.Reason)
		if change.Before == discovery.StatusCompleted { // from the start; after a failure it resumes
			row.pass, row.page = new(1), new(0)
		}
	}
}

// queue writes the rows in key order, since batch and listing are of different
// partitions.
func (f slicesFold) queue(b *pgx.Batch) {
	for _, key := range sortedPairs(f) {
		s := f[key]
		b.Queue(`INSERT INTO batch_slices AS s (batch, slice, organization, from_date, to_date, accepted, status, pass, page, found, elsewhere, total,
				duplicates, conflicts, shortfall, attempt, failure, next_attempt, reason, changed_at, version, unlisted)
			VALUES ($1, $2, coalesce($3, ''), coalesce($4, ''), coalesce($5, ''), coalesce($6, 0), coalesce($7, 'waiting'), coalesce($8, 0), coalesce($9, 0),
				coalesce($10, 0), coalesce($11, 0), coalesce($12, 0), coalesce($13, 0), coalesce($14, 0), coalesce($15, 0), coalesce($16, 0), $17,
				coalesce($18, ''), coalesce($19, ''), $20, coalesce($21, 0), coalesce($22, 0))
			ON CONFLICT (batch, slice) DO UPDATE SET organization = coalesce($3, s.organization), from_date = coalesce($4, s.from_date),
				to_date = coalesce($5, s.to_date), accepted = coalesce($6, s.accepted), status = coalesce($7, s.status), pass = coalesce($8, s.pass),
				page = coalesce($9, s.page), found = coalesce($10, s.found), elsewhere = coalesce($11, s.elsewhere), total = coalesce($12, s.total),
				duplicates = coalesce($13, s.duplicates), conflicts = coalesce($14, s.conflicts), shortfall = coalesce($15, s.shortfall),
				attempt = coalesce($16, s.attempt), failure = CASE WHEN $7::text IS NULL THEN s.failure ELSE $17 END,
				next_attempt = coalesce($18, s.next_attempt), reason = coalesce($19, s.reason), changed_at = coalesce($20, s.changed_at),
				version = coalesce($21, s.version), unlisted = coalesce($22, s.unlisted)`,
			key[0], key[1], s.organization, s.from, s.to, s.accepted, s.status, s.pass, s.page, s.found, s.elsewhere, s.total,
			s.duplicates, s.conflicts, s.shortfall, s.attempt, s.failure, s.next, s.reason, s.at, s.version, s.unlisted)
	}
}
