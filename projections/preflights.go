package projections

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// What preflights found, added up from the verdicts that judgements carry: a
// document that is judged anew counts as it was judged last. Each row is of an
// organisation, for those who may see the documents of some alone.
var preflightsView = View{Name: "preflights", Tables: map[string]string{"preflight_totals": "batch"}, Schema: `
CREATE TABLE IF NOT EXISTS preflight_totals (
	batch        text   NOT NULL,
	organization text   NOT NULL,
	dimension    text   NOT NULL, -- document-type, category or rule
	value        text   NOT NULL,
	code         text   NOT NULL, -- of a rule's finding
	severity     text   NOT NULL, -- of a rule's finding
	documents    bigint NOT NULL,
	failed       bigint NOT NULL, -- of the documents
	files        bigint NOT NULL,
	bytes        bigint NOT NULL, -- of the files
	PRIMARY KEY (batch, organization, dimension, value, code, severity)
)`, Apply: applyPreflights}

// Dimensions of a report.
const (
	byDocumentType = "document-type"
	byCategory     = "category"
	byRule         = "rule"
	byOrganization = "organization" // whose figures are those of its document types
)

func applyPreflights(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	sums := reportSums{}
	for i := range events {
		if e, ok := events[i].Event.(document.Judged); ok {
			sums.add(e.Batch, e.Verdict, 1)
			if e.Withdrawn != nil {
				sums.add(e.Batch, *e.Withdrawn, -1)
			}
		}
	}
	if len(sums) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO preflight_totals AS t (batch, organization, dimension, value, code, severity, documents, failed, files, bytes)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
		ON CONFLICT (batch, organization, dimension, value, code, severity) DO UPDATE SET documents = t.documents + excluded.documents,
			failed = t.failed + excluded.failed, files = t.files + excluded.files, bytes = t.bytes + excluded.bytes`, arrays(sums.rows())...)
	return err
}

// reportKey and ReportFigures are the columns of preflight_totals in their order.
type reportKey struct{ Batch, Organization, Dimension, Value, Code, Severity string }

// ReportFigures of a preflight, or of what has something in common.
type ReportFigures struct {
	Documents int64
	Failed    int64 // of the documents
	Files     int64
	Bytes     int64 // of the files
}

type reportSums map[reportKey]ReportFigures

// add a verdict, or take one away.
func (s reportSums) add(batch string, v document.Verdict, times int64) {
	figures := ReportFigures{Documents: times, Files: times * int64(v.Files), Bytes: times * v.Bytes}
	if v.Category != "" {
		figures.Failed = times
		s.plus(reportKey{batch, v.Organization, byCategory, string(v.Category), "", ""}, figures)
	}
	s.plus(reportKey{batch, v.Organization, byDocumentType, v.DocumentType, "", ""}, figures)
	for _, f := range v.Findings {
		figures.Files, figures.Bytes = times*int64(f.Files), times*f.Bytes
		s.plus(reportKey{batch, v.Organization, byRule, f.Rule, f.Code, string(f.Severity)}, figures)
	}
}

func (s reportSums) plus(key reportKey, f ReportFigures) { s[key] = s[key].plus(f) }

func (f ReportFigures) plus(g ReportFigures) ReportFigures {
	return ReportFigures{f.Documents + g.Documents, f.Failed + g.Failed, f.Files + g.Files, f.Bytes + g.Bytes}
}

// reportRow is a row of preflight_totals.
type reportRow struct {
	Batch, Organization, Dimension, Value, Code, Severity string
	Documents, Failed, Files, Bytes                       int64
}

// rows in key order, since partitions share them.
func (s reportSums) rows() []reportRow {
	keys := slices.SortedFunc(maps.Keys(s), func(a, b reportKey) int {
		return cmp.Or(cmp.Compare(a.Batch, b.Batch), cmp.Compare(a.Organization, b.Organization), cmp.Compare(a.Dimension, b.Dimension),
			cmp.Compare(a.Value, b.Value), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Severity, b.Severity))
	})
	rows := make([]reportRow, len(keys))
	for i, k := range keys {
		f := s[k]
		rows[i] = reportRow{k.Batch, k.Organization, k.Dimension, k.Value, k.Code, k.Severity, f.Documents, f.Failed, f.Files, f.Bytes}
	}
	return rows
}

// Report of a preflight: its figures in all, and by what documents have in
// common, most documents first.
type Report struct {
	Judged                                   ReportFigures
	DocumentTypes, Organizations, Categories []ReportCount
	Rules                                    []RuleCount
}

// ReportCount is the figures of what shares a value.
type ReportCount struct {
	Value string
	ReportFigures
}

// RuleCount is the figures of what shares a finding. Files are those that it was
// found in: none where it is of what is listed of a document.
type RuleCount struct {
	document.Finding
	ReportFigures
}

// PreflightReport of a batch, of the documents of some organisations alone when
// there are any.
func PreflightReport(ctx context.Context, q Querier, number string, within domain.Organizations) (Report, error) {
	const sums = `sum(documents)::bigint, sum(failed)::bigint, sum(files)::bigint, sum(bytes)::bigint FROM preflight_totals
		WHERE batch = $1 AND (coalesce(cardinality($2::text[]), 0) = 0 OR organization = ANY ($2))`
	rows, err := q.Query(ctx, `SELECT * FROM (
			SELECT dimension, value, code, severity, `+sums+` GROUP BY 1, 2, 3, 4
			UNION ALL SELECT '`+byOrganization+`', organization, '', '', `+sums+` AND dimension = '`+byDocumentType+`' GROUP BY 2) t(dimension, value, code, severity, documents)
		WHERE documents > 0 ORDER BY documents DESC, value, code, severity`, number, within)
	if err != nil {
		return Report{}, err
	}
	var r Report
	var dimension, value, code string
	var severity document.Severity
	var n ReportFigures
	_, err = pgx.ForEachRow(rows, []any{&dimension, &value, &code, &severity, &n.Documents, &n.Failed, &n.Files, &n.Bytes}, func() error {
		switch dimension {
		case byDocumentType:
			r.DocumentTypes = append(r.DocumentTypes, ReportCount{value, n})
			r.Judged = r.Judged.plus(n)
		case byCategory:
			r.Categories = append(r.Categories, ReportCount{value, n})
		case byRule:
			r.Rules = append(r.Rules, RuleCount{document.Finding{Rule: value, Code: code, Severity: severity}, n})
		case byOrganization:
			r.Organizations = append(r.Organizations, ReportCount{value, n})
		}
		return nil
	})
	return r, err
}
