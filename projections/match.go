package projections

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/list"
)

// Match of a batch with its list, as far as its entries were looked for.
type Match struct {
	Batch, List, Name string
	Kind              list.Kind
	Entries           int
	Status            string // of the slice that goes through the list: waiting, listing, completed, failed
	Looked            int    // entries that were looked for
	NotFound          int    // of these, those of which the source has nothing in the scope
	Unlisted          int    // items of the period that the list has not
}

// Matched are the entries that both have.
func (m Match) Matched() int { return m.Looked - m.NotFound }

// FindMatch of a batch; a *domain.Refusal when its scope names no list.
func FindMatch(ctx context.Context, q Querier, number string) (Match, error) {
	rows, err := q.Query(ctx, `SELECT m.batch, l.id, l.name, l.kind, l.entries, m.status, m.looked,
			(SELECT count(*) FROM match_absent a WHERE a.batch = m.batch), (SELECT count(*) FROM match_unlisted u WHERE u.batch = m.batch)
		FROM matches m JOIN lists l ON l.id = m.list WHERE m.batch = $1`, number)
	if err != nil {
		return Match{}, err
	}
	return one(rows, pgx.RowToStructByPos[Match], "match", number)
}

// MatchedItem is an entry of a list, or an item of the source that the list has
// not.
type MatchedItem struct {
	Number                         string // of an entry
	Slice, ImageNumber, BillNumber string // of an item
	key                            string
}

// Cursor to go on after the item.
func (i MatchedItem) Cursor() string {
	if i.key == "" {
		return i.Number
	}
	cursor, _ := json.Marshal([]string{i.ImageNumber, i.Slice, i.key}) // texts always encode
	return string(cursor)
}

// MatchFilter narrows what a match consists of.
type MatchFilter struct {
	Match
	Text  string // that a number begins with
	After string // cursor, to page on
	Limit int
}

func (f MatchFilter) prefix() string { return prefixes.Replace(f.Text) + "%" }

// Met gives entries that both have, in order.
func Met(ctx context.Context, q Querier, f MatchFilter) ([]MatchedItem, error) {
	return matchedEntries(ctx, q, `SELECT number FROM list_entries e WHERE list = $1 AND position < $2 AND number LIKE $3 AND number > $4
			AND NOT EXISTS (SELECT FROM match_absent a WHERE a.batch = $6 AND a.number = e.number)
		ORDER BY number LIMIT $5`, f.List, f.Looked, f.prefix(), f.After, f.Limit, f.Batch)
}

// NotFound gives entries of which the source has nothing, in order.
func NotFound(ctx context.Context, q Querier, f MatchFilter) ([]MatchedItem, error) {
	return matchedEntries(ctx, q, `SELECT number FROM match_absent WHERE batch = $1 AND number LIKE $2 AND number > $3 ORDER BY number LIMIT $4`,
		f.Batch, f.prefix(), f.After, f.Limit)
}

func matchedEntries(ctx context.Context, q Querier, sql string, arguments ...any) ([]MatchedItem, error) {
	rows, err := q.Query(ctx, sql, arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (i MatchedItem, err error) {
		return i, row.Scan(&i.Number)
	})
}

// Unlisted gives items of the source that the list has not, by image number.
func Unlisted(ctx context.Context, q Querier, f MatchFilter) ([]MatchedItem, error) {
	after := []string{"", "", ""}
	if f.After != "" {
		if err := json.Unmarshal([]byte(f.After), &after); err != nil || len(after) != 3 {
			return nil, domain.RefuseInvalid("cursor", "cursor-invalid", "the cursor is not one that this list answered with")
		}
	}
	rows, err := q.Query(ctx, `SELECT slice, image_number, bill_number, key FROM match_unlisted
		WHERE batch = $1 AND (image_number LIKE $2 OR bill_number LIKE $2) AND (image_number, slice, key) > ($3, $4, $5)
		ORDER BY image_number, slice, key LIMIT $6`, f.Batch, f.prefix(), after[0], after[1], after[2], f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (i MatchedItem, err error) {
		return i, row.Scan(&i.Slice, &i.ImageNumber, &i.BillNumber, &i.key)
	})
}

// Ended tells that nothing more is looked for.
func (m Match) Ended() bool { return m.Status == string(discovery.StatusCompleted) }
