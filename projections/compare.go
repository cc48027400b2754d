package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// comparePage is how many rows share a digest.
	comparePage = 5000
	// maxDifferences is how many rows that differ are told; all are counted.
	maxDifferences = 20
)

// Comparison of a live view with one that was built anew, at the same
// coordinates.
type Comparison struct {
	View        string
	Position    wire.Position // at which both were compared
	Rows        int64         // of the live view
	Different   int64         // rows that differ, all of them
	Differences []Difference  // the first of them, 20 at most
}

// Difference is a row that differs, or a table that has other columns or is
// only on one side (then there is no key).
type Difference struct {
	Table, Key    string // key as a JSON object
	Live, Rebuilt string // JSON of the columns that differ; empty: there is no such row
}

// table of a view, as the catalog knows it.
type table struct {
	name    string
	key     []string // columns of the primary key, in its order
	types   []string // theirs
	columns []string // all, in order of name
	given   []string // those that are not generated
}

const describeTables = `
	SELECT c.relname::text,
		coalesce((SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k(column_number, n)
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.column_number), '{}'),
		coalesce((SELECT array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k(column_number, n)
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.column_number), '{}'),
		(SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
		(SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
	FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
	WHERE s.nspname = $1 AND c.relkind = 'r' AND NOT starts_with(c.relname, 'projection_') ORDER BY 1`

// describe the tables of a schema that are not operational.
func describe(ctx context.Context, q Querier, schema string) ([]table, error) {
	rows, err := q.Query(ctx, describeTables, schema)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t table, err error) {
		return t, row.Scan(&t.name, &t.key, &t.types, &t.columns, &t.given)
	})
}

// comparer at work on one view.
type comparer struct {
	pool          *pgxpool.Pool
	live, rebuilt string            // schemas
	batch         string            // whose rows alone are compared; empty: all
	of            map[string]string // the column that names it, by table
	result        *Comparison
	progress      func(rows int64)
}

// compare all tables of both sides. Neither may change meanwhile; each page is a
// statement of its own, so that no snapshot is open for long.
func (c comparer) compare(ctx context.Context, live, rebuilt []table) error {
	columns := map[string][2]string{}
	for i, side := range [][]table{live, rebuilt} {
		for _, t := range side {
			both := columns[t.name]
			both[i] = "columns " + strings.Join(t.columns, ", ")
			columns[t.name] = both
		}
	}
	for _, name := range sortedKeys(columns) {
		if both := columns[name]; both[0] != both[1] {
			c.differ(1, Difference{Table: name, Live: both[0], Rebuilt: both[1]})
		}
	}
	for _, t := range rebuilt {
		if both := columns[t.name]; both[0] != both[1] {
			continue
		}
		if err := c.compareTable(ctx, t); err != nil {
			return fmt.Errorf("compare %s: %w", t.name, err)
		}
	}
	return nil
}

// between is the condition for the rows to compare after one key, up to another.
func (c comparer) between(t table, after, upTo []string) (where string, arguments []any) {
	where, arguments = t.between(after, upTo)
	if c.batch != "" {
		arguments = append(arguments, c.batch)
		where += fmt.Sprintf(" AND t.%s = $%d", quotedName(c.of[t.name]), len(arguments))
	}
	return where, arguments
}

func (c comparer) differ(count int64, found ...Difference) {
	c.result.Different += count
	room := maxDifferences - len(c.result.Differences)
	c.result.Differences = append(c.result.Differences, found[:min(room, len(found))]...)
}

// compareTable by pages: a page of the live rows says where it ends, and its digest is compared
// with that of the rebuilt rows in the same range of keys.
func (c comparer) compareTable(ctx context.Context, t table) error {
	if len(t.key) == 0 {
		return errors.New("it has no primary key by which rows could be compared")
	}
	pages := make(chan livePage)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { // the next page of one side while the other's is read
		defer close(pages)
		return c.livePages(ctx, t, pages)
	})
	group.Go(func() error {
		for p := range pages {
			if err := c.comparePage(ctx, t, p); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// livePage is a digest of live rows after a key, up to another; nil: no bound.
type livePage struct {
	after, last []string
	count       int64
	digest      string
}

func (c comparer) livePages(ctx context.Context, t table, pages chan<- livePage) error {
	for p := (livePage{}); ; p = (livePage{after: p.last}) {
		if err := c.read(ctx, t, &p); err != nil {
			return err
		}
		if p.count < comparePage {
			p.last = nil // what the other side has beyond belongs to the last range
		}
		select {
		case pages <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
		if p.last == nil {
			return nil
		}
	}
}

// comparePage holds the rebuilt rows of the page's range against it.
func (c comparer) comparePage(ctx context.Context, t table, p livePage) error {
	where, arguments := c.between(t, p.after, p.last)
	var other string
	err := c.byIndex(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, fmt.Sprintf(`SELECT %s FROM (SELECT %s FROM %s t WHERE %s ORDER BY %s) t`,
			t.digest(), t.digested(), qualified(c.rebuilt, t.name), where, t.keyColumns()), arguments...).Scan(&other)
	})
	if err == nil && p.digest != other {
		err = c.drillDown(ctx, t, where, arguments)
	}
	c.result.Rows += p.count
	c.progress(c.result.Rows)
	return err
}

// byIndex runs a query along the primary key: the planner, which knows nothing
// of fresh tables and little of pairs of columns, else reads a whole table for
// each page. The memory is for a page.
func (c comparer) byIndex(ctx context.Context, query func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;
			SET LOCAL jit = off; SET LOCAL work_mem = '64MB'`); err != nil {
			return err
		}
		return query(tx)
	})
}

// read the page of live rows: how many, their digest, and the last's key.
func (c comparer) read(ctx context.Context, t table, p *livePage) error {
	where, arguments := c.between(t, p.after, nil)
	key := t.keyColumns()
	return c.byIndex(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, fmt.Sprintf(`WITH t AS (SELECT %[1]s FROM %[2]s t WHERE %[3]s ORDER BY %[4]s LIMIT %[5]d)
			SELECT count(*), %[6]s, (SELECT ARRAY[%[7]s] FROM t ORDER BY %[8]s DESC LIMIT 1) FROM t`,
			t.digested(), qualified(c.live, t.name), where, key, comparePage, t.digest(), strings.ReplaceAll(key, ",", "::text,")+"::text",
			strings.ReplaceAll(key, ",", " DESC,")), arguments...).Scan(&p.count, &p.digest, &p.last)
	})
}

// drillDown finds the rows of a range that differ.
func (c comparer) drillDown(ctx context.Context, t table, where string, arguments []any) error {
	room := max(maxDifferences-len(c.result.Differences), 1) // the count comes with a row
	rows, err := c.pool.Query(ctx, fmt.Sprintf(`
		SELECT count(*) OVER (), coalesce(to_jsonb(l)::text, ''), coalesce(to_jsonb(r)::text, '')
		FROM (SELECT * FROM %[1]s t WHERE %[3]s) l FULL JOIN (SELECT * FROM %[2]s t WHERE %[3]s) r USING (%[4]s)
		WHERE ROW(%[5]s)::text IS DISTINCT FROM ROW(%[6]s)::text ORDER BY %[4]s LIMIT %[7]d`,
		qualified(c.live, t.name), qualified(c.rebuilt, t.name), where, quoted("", t.key), quoted("l.", t.columns), quoted("r.", t.columns), room), arguments...)
	if err != nil {
		return err
	}
	var total int64
	var live, rebuilt string
	var found []Difference
	_, err = pgx.ForEachRow(rows, []any{&total, &live, &rebuilt}, func() error {
		d, err := t.difference(live, rebuilt)
		found = append(found, d)
		return err
	})
	c.differ(total, found...)
	return err
}

// difference keeps of two rows the key and the columns that differ.
func (t table) difference(live, rebuilt string) (Difference, error) {
	var sides [2]map[string]json.RawMessage
	for i, text := range []string{live, rebuilt} {
		if text != "" {
			if err := json.Unmarshal([]byte(text), &sides[i]); err != nil {
				return Difference{}, err
			}
		}
	}
	key := map[string]json.RawMessage{}
	for _, side := range sides {
		for _, column := range t.key {
			if value, ok := side[column]; ok {
				key[column] = value
			}
		}
	}
	if sides[0] != nil && sides[1] != nil {
		for _, column := range t.columns {
			if string(sides[0][column]) == string(sides[1][column]) {
				delete(sides[0], column)
				delete(sides[1], column)
			}
		}
	}
	return Difference{Table: t.name, Key: asJSON(key), Live: asJSON(sides[0]), Rebuilt: asJSON(sides[1])}, nil
}

func asJSON(values map[string]json.RawMessage) string {
	if values == nil {
		return ""
	}
	text, _ := json.Marshal(values) // it was JSON before
	return string(text)
}

// digested is a row's key and its digest. Columns go by name, so that the order
// in which they were added does not matter.
func (t table) digested() string {
	return fmt.Sprintf(`%s, md5(ROW(%s)::text) AS "~digest"`, t.keyColumns(), quoted("t.", t.columns))
}

// digest of digested rows, in the order of their keys.
func (t table) digest() string {
	return fmt.Sprintf(`coalesce(md5(string_agg(t."~digest", '' ORDER BY %s)), '')`, t.keyColumns())
}

func (t table) keyColumns() string { return quoted("t.", t.key) }

// between is the condition for rows after one key, up to another; nil: no bound.
func (t table) between(after, upTo []string) (where string, arguments []any) {
	conditions := []string{"true"}
	for _, bound := range []struct {
		comparison string
		key        []string
	}{{">", after}, {"<=", upTo}} {
		if bound.key == nil {
			continue
		}
		values := make([]string, len(bound.key))
		for i, value := range bound.key {
			arguments = append(arguments, value)
			values[i] = fmt.Sprintf("$%d::text::%s", len(arguments), t.types[i])
		}
		conditions = append(conditions, fmt.Sprintf("ROW(%s) %s ROW(%s)", t.keyColumns(), bound.comparison, strings.Join(values, ", ")))
	}
	return strings.Join(conditions, " AND "), arguments
}

func quoted(prefix string, columns []string) string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = prefix + pgx.Identifier{column}.Sanitize()
	}
	return strings.Join(names, ", ")
}

func qualified(schema, name string) string { return pgx.Identifier{schema, name}.Sanitize() }

func equalPositions(a, b wire.Position) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	absent := func(_ int, offset int64) bool { return offset == 0 }
	maps.DeleteFunc(a, absent)
	maps.DeleteFunc(b, absent)
	return maps.Equal(a, b)
}
