package projections

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
)

// CoverageBy is what the rows of the map are.
type CoverageBy string

// The rows that a map can have.
const (
	ByOrganization CoverageBy = "organization"
	ByDocumentType CoverageBy = "documentType"
)

// CoverageFilter chooses a map; empty fields choose all.
type CoverageFilter struct {
	Source   string
	By       CoverageBy
	From, To string               // months YYYY-MM, both inclusive
	Within   domain.Organizations // whose documents are seen; none: all
	Most     int                  // cells; more are refused
}

// Coverage is a map: months by organisation or document type.
type Coverage struct {
	From, To string // months
	Cells    []CoverageCell
}

// ReadCoverage gives the map that a filter chooses, in order of key and month. Months that the
// filter leaves open are those that batches have.
func ReadCoverage(ctx context.Context, q Querier, f CoverageFilter) (Coverage, error) {
	m := coverageMap{filter: f, rounds: map[string]*round{}, parts: map[place][]*part{}, keys: map[string]string{}}
	for _, read := range []func(context.Context, Querier) error{m.readRounds, m.readKeys, m.readPeriod, m.readSlices, m.readTotals, m.readNames} {
		if err := read(ctx, q); err != nil {
			return Coverage{}, err
		}
	}
	return m.draw()
}

// coverageMap while it is read.
type coverageMap struct {
	filter  CoverageFilter
	rounds  map[string]*round
	numbers []string // of these
	parts   map[place][]*part
	keys    map[string]string // with their names

	first, last string // months that batches reach from and to
}

// place in the map that something is of: a cell, or a month of all keys.
type place struct {
	key   string // empty: of documents that have none
	all   bool
	month string
}

// round is a batch that covers something.
type round struct {
	number string
	mode   batch.Mode
	phase  batch.Phase
	scope  batch.Scope
}

// of is what its scope names of the rows of a map, and of the other dimension.
func (r *round) of(by CoverageBy) (keys, others []string) {
	if by == ByOrganization {
		return r.scope.Organizations, r.scope.DocumentTypes
	}
	return r.scope.DocumentTypes, r.scope.Organizations
}

func (m *coverageMap) readRounds(ctx context.Context, q Querier) error {
	rows, err := q.Query(ctx, `SELECT b.number, b.mode, b.phase, b.scope FROM batches b WHERE b.created_at IS NOT NULL AND ($2 = '' OR b.source = $2)
		AND (coalesce(cardinality($1::text[]), 0) = 0 OR b.scope->'organizations' ?| $1 OR EXISTS (SELECT FROM document_totals t WHERE t.batch = b.number AND t.organization = ANY ($1)))`,
		m.filter.Within, m.filter.Source)
	if err != nil {
		return err
	}
	var r round
	var scope []byte
	_, err = pgx.ForEachRow(rows, []any{&r.number, &r.mode, &r.phase, &scope}, func() error {
		r.scope = batch.Scope{}
		if err := json.Unmarshal(scope, &r.scope); err != nil {
			return err
		}
		m.rounds[r.number] = new(r)
		m.numbers = append(m.numbers, r.number)
		keys, _ := r.of(m.filter.By)
		for _, key := range keys {
			if m.sees(key) {
				m.keys[key] = ""
			}
		}
		return nil
	})
	return err
}

// sees tells whether a key of a scope is shown. Types that a scope names may be
// there for the sake of others' organisations.
func (m *coverageMap) sees(key string) bool {
	return !m.filter.Within.Restricted() || m.filter.By == ByOrganization && m.filter.Within.Has(key)
}

// defaultMonths is how far a map goes back that is asked for without a period.
const defaultMonths = 36

// readKeys that documents have, whatever their months, and what these are.
func (m *coverageMap) readKeys(ctx context.Context, q Querier) error {
	rows, err := q.Query(ctx, `SELECT `+m.column()+`, coalesce(min(nullif(month, '') COLLATE "C"), ''), max(month COLLATE "C")
		FROM coverage_totals WHERE batch = ANY ($2) AND (coalesce(cardinality($1::text[]), 0) = 0 OR organization = ANY ($1))
			AND (pending > 0 OR migrated > 0 OR passed > 0 OR failed > 0 OR excepted > 0 OR cancelled > 0)
		GROUP BY 1`, m.filter.Within, m.numbers)
	if err != nil {
		return err
	}
	var key, first, last string
	_, err = pgx.ForEachRow(rows, []any{&key, &first, &last}, func() error {
		m.keys[key] = ""
		m.reach(first, last)
		return nil
	})
	return err
}

// column of coverage_totals that has the keys.
func (m *coverageMap) column() string {
	if m.filter.By == ByOrganization {
		return "organization"
	}
	return "document_type"
}

// reach from a month to another, as batches do; empty: there are none.
func (m *coverageMap) reach(first, last string) {
	if first != "" && (m.first == "" || first < m.first) {
		m.first = first
	}
	m.last = max(m.last, last)
}

func (m *coverageMap) readPeriod(ctx context.Context, q Querier) error {
	var first, last string
	err := q.QueryRow(ctx, `SELECT coalesce(min(from_date), ''), coalesce(max(from_date), '') FROM batch_slices
		WHERE from_date <> '' AND batch = ANY ($1)`, m.numbers).Scan(&first, &last)
	if err != nil {
		return err
	}
	m.reach(monthOf(first), monthOf(last))
	m.filter.To = cmp.Or(m.filter.To, m.last)
	if m.filter.From == "" && m.filter.To != "" {
		to, err := time.Parse(month, m.filter.To)
		if err != nil {
			return err
		}
		m.filter.From = min(m.filter.To, max(m.first, to.AddDate(0, 1-defaultMonths, 0).Format(month)))
	}
	return nil
}

const month = "2006-01"

// part of a round in a month, of a key or of all.
type part struct {
	*round
	from, to            string // days that were listed; empty: none
	listing, unlisted   bool   // slices are still being listed; could not be
	lacking, unaccepted int64
	CoverageFigures
	newer int64 // new documents and new contents
}

// at gives the part of a round, and makes it. They stay in the order of rounds.
func (m *coverageMap) at(number string, place place) *part {
	parts := m.parts[place]
	i, found := slices.BinarySearchFunc(parts, number, func(p *part, number string) int { return cmp.Compare(p.number, number) })
	if !found {
		parts = slices.Insert(parts, i, &part{round: m.rounds[number]})
		m.parts[place] = parts
	}
	return parts[i]
}

func (m *coverageMap) readSlices(ctx context.Context, q Querier) error {
	f := m.filter
	rows, err := q.Query(ctx, `SELECT batch, organization, left(from_date, 7), min(from_date), max(to_date), bool_or(status NOT IN ('completed', 'failed')), bool_or(status = 'failed'),
			sum(shortfall)::bigint, sum(greatest(shortfall - accepted, 0))::bigint
		FROM batch_slices WHERE left(from_date, 7) BETWEEN $3 AND $4 AND batch = ANY ($2)
			AND (coalesce(cardinality($1::text[]), 0) = 0 OR organization = '' OR organization = ANY ($1))
		GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, f.Within, m.numbers, f.From, f.To)
	if err != nil {
		return err
	}
	var number, organization, month, from, to string
	var listing, failed bool
	var lacking, unaccepted int64
	_, err = pgx.ForEachRow(rows, []any{&number, &organization, &month, &from, &to, &listing, &failed, &lacking, &unaccepted}, func() error {
		for _, place := range m.placesOf(m.rounds[number], organization, month) {
			p := m.at(number, place)
			p.from, p.to = from, to
			p.listing, p.unlisted = p.listing || listing, p.unlisted || failed
			p.lacking, p.unaccepted = p.lacking+lacking, p.unaccepted+unaccepted
		}
		return nil
	})
	return err
}

// placesOf what a round lists of an organisation, or of all, in a month.
func (m *coverageMap) placesOf(r *round, organization, month string) (all []place) {
	keys := r.scope.DocumentTypes
	if m.filter.By == ByOrganization && organization != "" {
		keys = []string{organization}
	} else if m.filter.By == ByOrganization {
		keys = nil
	}
	for _, key := range keys {
		all = append(all, place{key: key, month: month})
	}
	if len(keys) == 0 {
		all = append(all, place{all: true, month: month})
	}
	return all
}

// superseded are the rounds and months of which nothing is counted, whatever the
// key: a later round lists all of it again. Of many rounds over the same scope
// that is most of what there is, and it need not be read.
func (m *coverageMap) superseded() (numbers, months []string) {
	for place, parts := range m.parts {
		if !place.all {
			continue
		}
		for i, p := range parts {
			if p.coveredBy(parts[i+1:], m.filter.By) {
				numbers, months = append(numbers, p.number), append(months, place.month)
			}
		}
	}
	return numbers, months
}

func (m *coverageMap) readTotals(ctx context.Context, q Querier) error {
	f := m.filter
	numbers, months := m.superseded()
	rows, err := q.Query(ctx, `SELECT batch, `+m.column()+`, month, sum(pending)::bigint, sum(migrated)::bigint, sum(passed)::bigint, sum(failed)::bigint, sum(excepted)::bigint, sum(cancelled)::bigint,
			sum(skipped)::bigint, sum(new_documents + new_contents)::bigint
		FROM coverage_totals WHERE batch = ANY ($2) AND (coalesce(cardinality($1::text[]), 0) = 0 OR organization = ANY ($1))
			AND month BETWEEN $3 AND $4 AND month <> '' AND (batch, month) NOT IN (SELECT * FROM unnest($5::text[], $6::text[]))
		GROUP BY 1, 2, 3`, f.Within, m.numbers, f.From, f.To, numbers, months)
	if err != nil {
		return err
	}
	var number, key, month string
	var n CoverageFigures
	var newer int64
	_, err = pgx.ForEachRow(rows, []any{&number, &key, &month, &n.Pending, &n.Migrated, &n.Passed, &n.Failed, &n.Excepted, &n.Cancelled, &n.Skipped, &newer}, func() error {
		if n = n.clamped(); n.Documents() == 0 {
			return nil // they are listed elsewhere now
		}
		p := m.at(number, place{key: key, month: month})
		p.CoverageFigures, p.newer = n, newer
		return nil
	})
	return err
}

func (m *coverageMap) readNames(ctx context.Context, q Querier) error {
	if m.filter.By != ByOrganization {
		return nil
	}
	rows, err := q.Query(ctx, `SELECT organization, max(name COLLATE "C") FROM coverage_organizations WHERE batch = ANY ($1) GROUP BY 1`, m.numbers)
	if err != nil {
		return err
	}
	var key, name string
	_, err = pgx.ForEachRow(rows, []any{&key, &name}, func() error {
		if _, shown := m.keys[key]; shown {
			m.keys[key] = name
		}
		return nil
	})
	return err
}

func (m *coverageMap) draw() (Coverage, error) {
	c := Coverage{From: m.filter.From, To: m.filter.To}
	months := monthsBetween(m.filter.From, m.filter.To)
	if len(months)*len(m.keys) > m.filter.Most {
		return c, domain.RefuseInvalid("from", "coverage-too-large", "%d months of %d rows are %d cells, %d at most: ask for a shorter period or for one source",
			len(months), len(m.keys), len(months)*len(m.keys), m.filter.Most)
	}
	for _, key := range sortedKeys(m.keys) {
		for _, month := range months {
			cell := m.cell(key, month)
			if key == "" && cell.Documents()+cell.Found == 0 {
				continue // what has no key is nowhere missing
			}
			cell.Key, cell.Name, cell.Month = key, m.keys[key], month
			c.Cells = append(c.Cells, cell)
		}
	}
	return c, nil
}

func monthsBetween(from, to string) (all []string) {
	at, err := time.Parse(month, from)
	for ; err == nil && at.Format(month) <= to; at = at.AddDate(0, 1, 0) {
		all = append(all, at.Format(month))
	}
	return all
}

// cell of a key in a month: of what rounds did with it by name, and of what those
// did that name no key and so cover all.
func (m *coverageMap) cell(key, month string) CoverageCell {
	named, all := m.parts[place{key: key, month: month}], m.parts[place{all: true, month: month}]
	parts := make([]*part, 0, len(named)+len(all))
	for len(named) > 0 && len(all) > 0 {
		switch n, a := named[0], all[0]; cmp.Compare(n.number, a.number) {
		case -1:
			parts, named = append(parts, n), named[1:]
		case 1:
			parts, all = append(parts, a), all[1:]
		default:
			n.add(a) // once: no other cell has it
			parts, named, all = append(parts, n), named[1:], all[1:]
		}
	}
	return cellOf(append(append(parts, named...), all...), m.filter.By)
}

// add what is of the key, and of all keys.
func (p *part) add(q *part) {
	if q.from != "" {
		p.from, p.to = q.from, q.to
	}
	p.listing, p.unlisted = p.listing || q.listing, p.unlisted || q.unlisted
	p.lacking, p.unaccepted = p.lacking+q.lacking, p.unaccepted+q.unaccepted
	p.CoverageFigures, p.newer = p.plus(q.CoverageFigures), p.newer+q.newer
}

// covers tells that a round lists all that another does of a cell. What listed no
// days of the month, and has documents of it all the same, may have any.
func (p *part) covers(q *part, by CoverageBy) bool {
	days := p.from <= q.from && p.to >= q.to
	if q.from == "" {
		days = p.wholeMonth()
	}
	if p.from == "" || !days || p.scope.List != "" && p.scope.List != q.scope.List {
		return false
	}
	_, mine := p.of(by)
	_, theirs := q.of(by)
	return includes(mine, theirs)
}

func (p *part) wholeMonth() bool {
	from, err := time.Parse(time.DateOnly, p.from)
	return err == nil && from.Day() == 1 && p.to == from.AddDate(0, 1, -1).Format(time.DateOnly)
}

// includes tells that codes, of which none are all, include others.
func includes(all, some []string) bool {
	return len(all) == 0 || len(some) > 0 && !slices.ContainsFunc(some, func(code string) bool { return !slices.Contains(all, code) })
}
