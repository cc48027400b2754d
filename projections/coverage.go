package projections

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Documents of batches by organisation, type and month of their bill date: what
// the coverage map is drawn of. A document that is listed otherwise later is
// counted as what it is now, since its event says what it was.
var coverageView = View{Name: "coverage", Tables: map[string]string{"coverage_totals": "batch", "coverage_organizations": "batch"}, Schema: `
CREATE TABLE IF NOT EXISTS coverage_totals (
	batch         text   NOT NULL,
	organization  text   NOT NULL,
	document_type text   NOT NULL,
	month         text   NOT NULL, -- YYYY-MM; empty: there is no date that could be read
	pending       bigint NOT NULL,
	migrated      bigint NOT NULL,
	passed        bigint NOT NULL,
	failed        bigint NOT NULL,
	excepted      bigint NOT NULL,
	cancelled     bigint NOT NULL,
	skipped       bigint NOT NULL, -- files
	new_documents bigint NOT NULL, -- that no batch that migrates had met
	new_contents  bigint NOT NULL, -- of which the archive had what was listed otherwise
	PRIMARY KEY (batch, organization, document_type, month)
);
CREATE TABLE IF NOT EXISTS coverage_organizations (
	batch        text NOT NULL,
	organization text NOT NULL,
	name         text NOT NULL, -- the last by order of letters, where there are several
	PRIMARY KEY (batch, organization)
)`, Apply: applyCoverage}

// coverageKey and coverageCounts are the columns of coverage_totals in their order.
type coverageKey struct{ Batch, Organization, DocumentType, Month string }

type coverageCounts struct {
	documents    [6]int64 // in the order of documentStatuses
	skipped      int64
	newDocuments int64
	newContents  int64
}

type coverageFold struct {
	counts map[coverageKey]*coverageCounts
	names  map[[2]string]string
}

func applyCoverage(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	f := coverageFold{map[coverageKey]*coverageCounts{}, map[[2]string]string{}}
	for i := range events {
		if e, ok := events[i].Event.(document.Event); ok {
			f.apply(&events[i], e)
		}
	}
	b := &pgx.Batch{}
	f.queue(b)
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

func (f coverageFold) apply(r *wire.Record, event document.Event) {
	change := event.GetChange()
	was, now := change.GetDimensions(), change.GetDimensions()
	switch e := event.(type) {
	case document.Discovered:
		f.discovered(r, e)
	case document.Relisted:
		f.name(e.Change, e.Listed)
		if e.Was != nil {
			was = *e.Was
		}
	}
	if was == now && change.Before == change.After && change.FilesBefore.Skipped == change.FilesAfter.Skipped {
		return // as most attempts and pages of files
	}
	if change.Before != "" {
		f.of(change.Batch, was).count(change.Before, change.FilesBefore, -1)
	}
	f.of(change.Batch, now).count(change.After, change.FilesAfter, 1)
}

func (f coverageFold) discovered(r *wire.Record, e document.Discovered) {
	f.name(e.Change, e.Listed)
	switch counts := f.of(e.Batch, e.GetDimensions()); {
	case e.Novelty == document.NewContent:
		counts.newContents++
	case e.Novelty == document.NewDocument || r.Version == 1:
		counts.newDocuments++
	}
}

// name of an organisation. It must not depend on which partition comes first.
func (f coverageFold) name(c document.Change, l document.Listed) {
	if key := [2]string{c.Batch, l.Organization}; l.Organization != "" && l.OrganizationName > f.names[key] {
		f.names[key] = l.OrganizationName
	}
}

func (f coverageFold) of(batch string, d document.Dimensions) *coverageCounts {
	key := coverageKey{batch, d.Organization, d.DocumentType, monthOf(d.BillDate)}
	if f.counts[key] == nil {
		f.counts[key] = &coverageCounts{}
	}
	return f.counts[key]
}

func (c *coverageCounts) count(status document.Status, files document.Tally, times int64) {
	if i := slices.Index(documentStatuses, status); i >= 0 {
		c.documents[i] += times
	}
	c.skipped += times * int64(files.Skipped)
}

var dated = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])`)

// monthOf a date as a source writes it.
func monthOf(date string) string { return dated.FindString(date) }

// queue the rows in key order, since partitions share them.
func (f coverageFold) queue(b *pgx.Batch) {
	type row struct {
		Batch, Organization, DocumentType, Month               string
		Pending, Migrated, Passed, Failed, Excepted, Cancelled int64
		Skipped, NewDocuments, NewContents                     int64
	}
	rows := make([]row, 0, len(f.counts))
	for _, k := range slices.SortedFunc(maps.Keys(f.counts), func(a, b coverageKey) int {
		return cmp.Or(cmp.Compare(a.Batch, b.Batch), cmp.Compare(a.Organization, b.Organization), cmp.Compare(a.DocumentType, b.DocumentType), cmp.Compare(a.Month, b.Month))
	}) {
		c := f.counts[k]
		d := c.documents
		rows = append(rows, row{k.Batch, k.Organization, k.DocumentType, k.Month, d[0], d[1], d[2], d[3], d[4], d[5], c.skipped, c.newDocuments, c.newContents})
	}
	if len(rows) > 0 {
		b.Queue(`INSERT INTO coverage_totals AS t (batch, organization, document_type, month, pending, migrated, passed, failed, excepted, cancelled, skipped, new_documents, new_contents)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
			ON CONFLICT (batch, organization, document_type, month) DO UPDATE SET pending = t.pending + excluded.pending, migrated = t.migrated + excluded.migrated,
				passed = t.passed + excluded.passed, failed = t.failed + excluded.failed, excepted = t.excepted + excluded.excepted, cancelled = t.cancelled + excluded.cancelled,
				skipped = t.skipped + excluded.skipped, new_documents = t.new_documents + excluded.new_documents, new_contents = t.new_contents + excluded.new_contents`, arrays(rows)...)
	}
	type named struct{ Batch, Organization, Name string }
	names := make([]named, 0, len(f.names))
	for _, k := range sortedPairs(f.names) {
		names = append(names, named{k[0], k[1], f.names[k]})
	}
	if len(names) > 0 {
		b.Queue(`INSERT INTO coverage_organizations AS t (batch, organization, name) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
			ON CONFLICT (batch, organization) DO UPDATE SET name = greatest(t.name COLLATE "C", excluded.name COLLATE "C") WHERE t.name <> excluded.name`, arrays(names)...)
	}
}
