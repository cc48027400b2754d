package projections

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Uploaded lists, and how batches match with theirs: what a list has and the
// source has not, and what the source has and the list has not. The rest of a
// list's entries, as far as they were looked for, match.
var listsView = View{Name: "lists", Tables: map[string]string{
	"lists": "", "list_entries": "", "matches": "batch", "match_absent": "batch", "match_unlisted": "batch",
}, Schema: `
CREATE TABLE IF NOT EXISTS lists (
	id          text        PRIMARY KEY,
	kind        text        NOT NULL,
	name        text        NOT NULL,
	column_name text        NOT NULL,
	entries     integer     NOT NULL,
	digest      text        NOT NULL,
	blank       integer     NOT NULL,
	duplicates  integer     NOT NULL,
	uploaded_at timestamptz NOT NULL,
	uploaded_by text        NOT NULL,
	version     integer     NOT NULL
);
CREATE TABLE IF NOT EXISTS list_entries (
	list     text    NOT NULL,
	number   text    COLLATE "C" NOT NULL,
	position integer NOT NULL, -- in the list, from 0
	PRIMARY KEY (list, number)
);
CREATE TABLE IF NOT EXISTS matches (
	batch  text    PRIMARY KEY,
	list   text    NOT NULL DEFAULT '',
	status text    NOT NULL DEFAULT 'waiting', -- of the slice that goes through the list
	looked integer NOT NULL DEFAULT 0          -- entries that were looked for
);
CREATE TABLE IF NOT EXISTS match_absent (
	batch  text NOT NULL,
	number text COLLATE "C" NOT NULL,
	PRIMARY KEY (batch, number)
);
CREATE TABLE IF NOT EXISTS match_unlisted (
	batch        text NOT NULL,
	slice        text NOT NULL,
	key          text NOT NULL,
	image_number text COLLATE "C" NOT NULL,
	bill_number  text COLLATE "C" NOT NULL,
	PRIMARY KEY (batch, image_number, slice, key)
)`, Apply: applyLists}

// applyLists writes event by event: pages of batches without a list cost nothing.
// A batch's row is shared by two partitions, and written last.
func applyLists(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	b := &pgx.Batch{}
	matches := matchesFold{}
	for _, r := range events {
		switch e := r.Event.(type) {
		case list.Event:
			if err := queueList(b, r, e); err != nil {
				return err
			}
		case batch.Created:
			if e.List != nil {
				matches.of(e.Number).list = new(e.List.ID)
			}
		case discovery.Event:
			queueMatch(b, e)
			matches.apply(e)
		}
	}
	matches.queue(b)
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

func queueList(b *pgx.Batch, r wire.Record, event list.Event) error {
	id, err := domain.ParseListStream(r.Stream)
	if err != nil {
		return err
	}
	switch e := event.(type) {
	case list.Uploaded:
		b.Queue(`INSERT INTO lists (id, kind, name, column_name, entries, digest, blank, duplicates, uploaded_at, uploaded_by, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			id, string(e.Kind), e.Name, e.Column, e.Count, e.Digest, e.Blank, e.Duplicates, r.Time, r.Metadata.Actor.Subject, r.Version)
	case list.EntriesAdded:
		b.Queue(`INSERT INTO list_entries (list, number, position) SELECT $1, n.number, $2 + n.ordinality - 1 FROM unnest($3::text[]) WITH ORDINALITY n(number, ordinality)`,
			id, e.First, e.Entries)
		b.Queue(`UPDATE lists SET version = $2 WHERE id = $1`, id, r.Version)
	}
	return nil
}

// queueMatch writes what a page says of entries and of items beside the list.
// A pass that begins anew says all of it anew.
func queueMatch(b *pgx.Batch, event discovery.Event) {
	change := event.GetChange()
	again := false
	switch e := event.(type) {
	case discovery.PageListed:
		if len(e.Absent) > 0 {
			b.Queue(`INSERT INTO match_absent (batch, number) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, change.Batch, e.Absent)
		}
		queueUnlisted(b, change, e.Items)
	case discovery.ListedAgain:
		again = true
	case discovery.RetryRequested:
		again = change.Before == discovery.StatusCompleted // after a failure it resumes
	}
	if !again {
		return
	}
	b.Queue(`DELETE FROM match_unlisted WHERE batch = $1 AND slice = $2`, change.Batch, change.Slice)
	if change.Slice == domain.ListSlice {
		b.Queue(`DELETE FROM match_absent WHERE batch = $1`, change.Batch)
	}
}

func queueUnlisted(b *pgx.Batch, change discovery.Change, items []discovery.Item) {
	var keys, images, bills []string
	for _, item := range items {
		if item.Unlisted != nil {
			keys, images, bills = append(keys, item.Key), append(images, item.Unlisted.ImageNumber), append(bills, item.Unlisted.BillNumber)
		}
	}
	if len(keys) > 0 {
		b.Queue(`INSERT INTO match_unlisted (batch, slice, key, image_number, bill_number)
			SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`, change.Batch, change.Slice, keys, images, bills)
	}
}

// matchRow is what events leave of a batch's row. The batch says which list it
// is of, its slice how far it came: fields that are nil stay as they are.
type matchRow struct {
	list, status *string
	looked       *int
}

type matchesFold map[string]*matchRow

func (f matchesFold) of(number string) *matchRow {
	if f[number] == nil {
		f[number] = &matchRow{}
	}
	return f[number]
}

func (f matchesFold) apply(event discovery.Event) {
	change := event.GetChange()
	if change.Slice != domain.ListSlice {
		return
	}
	row := f.of(change.Batch)
	row.status = new(string(change.After))
	switch e := event.(type) {
	case discovery.PageListed:
		row.looked = new(e.Looked)
	case discovery.ListedAgain:
		row.looked = new(0)
	case discovery.RetryRequested:
		if change.Before == discovery.StatusCompleted {
			row.looked = new(0)
		}
	}
}

func (f matchesFold) queue(b *pgx.Batch) {
	for _, number := range sortedKeys(f) {
		row := f[number]
		b.Queue(`INSERT INTO matches AS m (batch, list, status, looked) VALUES ($1, coalesce($2, ''), coalesce($3, 'waiting'), coalesce($4, 0))
			ON CONFLICT (batch) DO UPDATE SET list = coalesce($2, m.list), status = coalesce($3, m.status), looked = coalesce($4, m.looked)`,
			number, row.list, row.status, row.looked)
	}
}

// List that was uploaded.
type List struct {
	ID                string
	Kind              list.Kind
	Name              string
	Column            string // of the table that it was read from
	Entries           int
	Digest            string
	Blank, Duplicates int // cells that are no entries
	UploadedAt        time.Time
	UploadedBy        string
	Version           int
}

const selectLists = `SELECT id, kind, name, column_name, entries, digest, blank, duplicates, uploaded_at, uploaded_by, version FROM lists `

// Lists, newest first, those before an id when it is given.
func Lists(ctx context.Context, q Querier, before string, limit int) ([]List, error) {
	rows, err := q.Query(ctx, selectLists+`WHERE $1 = '' OR id < $1 ORDER BY id DESC LIMIT $2`, before, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[List])
}

// FindList by id; a *domain.Refusal when there is none.
func FindList(ctx context.Context, q Querier, id string) (List, error) {
	rows, err := q.Query(ctx, selectLists+`WHERE id = $1`, id)
	if err != nil {
		return List{}, err
	}
	return one(rows, pgx.RowToStructByPos[List], "list", id)
}

// ListEntries in order, those after one that begin with a text.
func ListEntries(ctx context.Context, q Querier, id, text, after string, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT number FROM list_entries WHERE list = $1 AND number LIKE $2 AND number > $3 ORDER BY number LIMIT $4`,
		id, prefixes.Replace(text)+"%", after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
