package projections

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// skipsSchema: a file that is set aside in two batches is set aside twice, as it
// is counted. What is to be looked at first comes first, and what has no date last.
const skipsSchema = `
CREATE TABLE IF NOT EXISTS skipped_files (
	batch         text        NOT NULL,
	stream        text        NOT NULL,
	file_id       text        NOT NULL,
	source        text        NOT NULL,
	organization  text        NOT NULL,
	document_type text        NOT NULL,
	image_number  text        NOT NULL,
	bill_number   text        NOT NULL,
	reason        text        NOT NULL,
	owner         text        NOT NULL,
	review_on     text        NOT NULL, -- YYYY-MM-DD; may be empty
	skipped_at    timestamptz NOT NULL,
	skipped_by    text        NOT NULL, -- empty: the mark was there before the batch
	PRIMARY KEY (batch, stream, file_id)
);
CREATE INDEX IF NOT EXISTS skipped_files_review ON skipped_files ((review_on = ''), review_on, batch, stream, file_id)`

// skippedRow is a row of skipped_files, in the order of its columns.
type skippedRow struct {
	Batch, Stream, FileID                                       string
	Source, Organization, DocumentType, ImageNumber, BillNumber string
	Reason, Owner, ReviewOn                                     string
	SkippedAt                                                   time.Time
	SkippedBy                                                   string
}

// skipsFold is what events leave of the skipped files of documents.
type skipsFold map[[2]string]*documentSkips

type documentSkips struct {
	replaced bool                   // all rows that are there go
	files    map[string]*skippedRow // nil: recalled
}

func (f skipsFold) of(c document.Change, stream string) *documentSkips {
	key := [2]string{c.Batch, stream}
	if f[key] == nil {
		f[key] = &documentSkips{files: map[string]*skippedRow{}}
	}
	return f[key]
}

func (f skipsFold) apply(r *wire.Record, event document.Event) {
	switch e := event.(type) {
	case document.Discovered:
		f.mark(r, e.Change, e.Skipped)
	case document.FilesListed:
		f.mark(r, e.Change, e.Skipped)
	case document.Relisted:
		if e.FilesBefore.Skipped > 0 {
			all := f.of(e.Change, r.Stream)
			all.replaced = true
			clear(all.files)
		}
		f.mark(r, e.Change, e.Skipped)
	case document.FileSkipped:
		by := skippedBy(r.Metadata)
		row := skippedOf(r, e.Change, document.Mark{FileID: e.FileID, Reason: e.Reason, Owner: cmp.Or(e.Owner, by), ReviewOn: e.ReviewOn})
		row.SkippedBy = by
		f.of(e.Change, r.Stream).files[e.FileID] = row
	case document.FileRecalled:
		f.of(e.Change, r.Stream).files[e.FileID] = nil
	}
}

// mark files that were set aside before.
func (f skipsFold) mark(r *wire.Record, c document.Change, marks []document.Mark) {
	for _, m := range marks {
		f.of(c, r.Stream).files[m.FileID] = skippedOf(r, c, m)
	}
}

func skippedOf(r *wire.Record, c document.Change, m document.Mark) *skippedRow {
	return &skippedRow{
		Batch: c.Batch, Stream: r.Stream, FileID: m.FileID, Source: c.Source, Organization: c.Organization, DocumentType: c.DocumentType,
		ImageNumber: imageNumber(c), BillNumber: c.BillNumber, Reason: m.Reason, Owner: m.Owner, ReviewOn: m.ReviewOn, SkippedAt: r.Time,
	}
}

// skippedBy is the person who skips, by themselves or by an operation. A worker
// only takes in what was marked in another batch.
func skippedBy(m wire.Metadata) string {
	switch {
	case m.Actor.Kind == domain.Person:
		return m.Actor.Subject
	case m.OperationID != "":
		return m.Initiator.Subject
	}
	return ""
}

func (f skipsFold) queue(b *pgx.Batch) {
	var replaced []struct{ Batch, Stream string }
	var recalled []struct{ Batch, Stream, FileID string }
	var rows []skippedRow
	for _, key := range sortedPairs(f) {
		all := f[key]
		if all.replaced {
			replaced = append(replaced, struct{ Batch, Stream string }{key[0], key[1]})
		}
		for _, id := range sortedKeys(all.files) {
			if row := all.files[id]; row != nil {
				rows = append(rows, *row)
			} else {
				recalled = append(recalled, struct{ Batch, Stream, FileID string }{key[0], key[1], id})
			}
		}
	}
	if len(replaced) > 0 {
		b.Queue(`DELETE FROM skipped_files f USING unnest($1::text[], $2::text[]) n(batch, stream) WHERE f.batch = n.batch AND f.stream = n.stream`, arrays(replaced)...)
	}
	if len(recalled) > 0 {
		b.Queue(`DELETE FROM skipped_files f USING unnest($1::text[], $2::text[], $3::text[]) n(batch, stream, file_id)
			WHERE f.batch = n.batch AND f.stream = n.stream AND f.file_id = n.file_id`, arrays(recalled)...)
	}
	if len(rows) > 0 {
		b.Queue(`INSERT INTO skipped_files (`+skipColumns+`)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
				$11::text[], $12::timestamptz[], $13::text[])
			ON CONFLICT (batch, stream, file_id) DO UPDATE SET organization = excluded.organization, document_type = excluded.document_type,
				image_number = excluded.image_number, bill_number = excluded.bill_number, reason = excluded.reason, owner = excluded.owner,
				review_on = excluded.review_on, skipped_at = excluded.skipped_at, skipped_by = excluded.skipped_by`, arrays(rows)...)
	}
}

const skipColumns = `batch, stream, file_id, source, organization, document_type, image_number, bill_number, reason, owner, review_on, skipped_at, skipped_by`

// SkippedFile is a file that is set aside in a batch.
type SkippedFile struct {
	skippedRow
	Name, Class string // as its document's files have them; empty: they are not there yet
}

// Key of the skipped file in its list.
func (s SkippedFile) Key() SkipKey { return SkipKey{s.ReviewOn, s.Batch, s.Stream, s.FileID} }

// SkipKey is a place in the list of skipped files.
type SkipKey struct{ ReviewOn, Batch, Stream, FileID string }

// SkipFilter narrows skipped files; empty fields choose all.
type SkipFilter struct {
	Due    *Today
	Before string // review date, which is earlier than this
	Owner  string
	Batch  string
	Source string
	Within domain.Organizations // whose documents are seen; none: all
	After  *SkipKey             // to page on
	Limit  int
}

// Today is the date at each source: a day begins where its operators are.
type Today struct {
	sources, dates []string
	elsewhere      string // of a source that is not known yet
}

// TodayAt tells the dates at sources.
func TodayAt(now time.Time, sources []Source) (*Today, error) {
	today := &Today{elsewhere: now.UTC().Format(time.DateOnly)}
	for _, s := range sources {
		zone, err := time.LoadLocation(s.Settings.TimeZone)
		if err != nil {
			return nil, err
		}
		today.sources, today.dates = append(today.sources, s.ID), append(today.dates, now.In(zone).Format(time.DateOnly))
	}
	return today, nil
}

// Due tells whether a review date has come at a source.
func (t *Today) Due(source, reviewOn string) bool {
	date := t.elsewhere
	if i := slices.Index(t.sources, source); i >= 0 {
		date = t.dates[i]
	}
	return reviewOn != "" && reviewOn <= date
}

// where is the filter as a condition and what it is called with.
func (f SkipFilter) where() (string, []any) {
	conditions, values := []string{"true"}, []any{}
	add := func(condition string, of ...any) {
		for _, value := range of {
			values = append(values, value)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(values)), 1)
		}
		conditions = append(conditions, condition)
	}
	if f.Due != nil {
		add(`s.review_on <> '' AND s.review_on <= coalesce((SELECT t.today FROM unnest(?::text[], ?::text[]) t(source, today) WHERE t.source = s.source), ?)`,
			f.Due.sources, f.Due.dates, f.Due.elsewhere)
	}
	for _, one := range []struct{ value, condition string }{
		{f.Before, "s.review_on <> '' AND s.review_on < ?"}, {f.Owner, "s.owner = ?"}, {f.Batch, "s.batch = ?"}, {f.Source, "s.source = ?"},
	} {
		if one.value != "" {
			add(one.condition, one.value)
		}
	}
	if f.Within.Restricted() {
		add("s.organization = ANY (?::text[])", []string(f.Within))
	}
	if k := f.After; k != nil {
		add("((s.review_on = ''), s.review_on, s.batch, s.stream, s.file_id) > (?::bool, ?::text, ?::text, ?::text, ?::text)", k.ReviewOn == "", k.ReviewOn, k.Batch, k.Stream, k.FileID)
	}
	return strings.Join(conditions, " AND "), values
}

// SkippedFiles by their review dates, those without one last.
func SkippedFiles(ctx context.Context, q Querier, f SkipFilter) ([]SkippedFile, error) {
	where, values := f.where()
	columns := "s." + strings.ReplaceAll(skipColumns, ", ", ", s.")
	rows, err := q.Query(ctx, `SELECT `+columns+`, coalesce(d.name, ''), coalesce(d.class, '') FROM skipped_files s LEFT JOIN document_files d USING (batch, stream, file_id)
		WHERE `+where+` ORDER BY (s.review_on = ''), s.review_on, s.batch, s.stream, s.file_id LIMIT `+strconv.Itoa(f.Limit), values...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (SkippedFile, error) {
		var s SkippedFile
		err := row.Scan(&s.Batch, &s.Stream, &s.FileID, &s.Source, &s.Organization, &s.DocumentType, &s.ImageNumber, &s.BillNumber,
			&s.Reason, &s.Owner, &s.ReviewOn, &s.SkippedAt, &s.SkippedBy, &s.Name, &s.Class)
		return s, err
	})
}

// CountSkippedFiles that a filter chooses.
func CountSkippedFiles(ctx context.Context, q Querier, f SkipFilter) (n int64, err error) {
	where, values := f.where()
	rows, err := q.Query(ctx, `SELECT count(*) FROM skipped_files s WHERE `+where, values...)
	if err != nil {
		return 0, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
}
