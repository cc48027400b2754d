package projections

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// The worklist: what is to be done, as a projection. Workers claim its rows
// (adapters/postgres); leases live elsewhere, so that a replay rebuilds the
// list and fires nothing.
//
// A row of worklist_documents exists exactly while its document is pending in
// its batch; its version names the work. A row of worklist_slices names a
// listing by the version of its last event, 0 before the first. What depends
// on a condition over a whole batch (finish, reopen, cancel) is that batch's
// row, through an index that holds it exactly while the condition holds. A
// batch is reopened also when its counts are no longer those that it finished
// with: a retry may be over before anybody saw it pending.
var worklistView = View{Name: "worklist", Tables: map[string]string{"worklist_batches": "number", "worklist_slices": "batch", "worklist_documents": "batch"}, Schema: `
CREATE TABLE IF NOT EXISTS worklist_batches (
	number    text    PRIMARY KEY,
	source    text    NOT NULL DEFAULT '',
	created   boolean NOT NULL DEFAULT false,
	phase     text    NOT NULL DEFAULT 'active',
	finished  boolean NOT NULL DEFAULT false,
	version   integer NOT NULL DEFAULT 0,
	changed_at timestamptz,
	slices    bigint  NOT NULL DEFAULT 0,
	closed    bigint  NOT NULL DEFAULT 0,
	found     bigint  NOT NULL DEFAULT 0,
	pending   bigint  NOT NULL DEFAULT 0,
	migrated  bigint  NOT NULL DEFAULT 0,
	passed    bigint  NOT NULL DEFAULT 0,
	failed    bigint  NOT NULL DEFAULT 0,
	excepted  bigint  NOT NULL DEFAULT 0,
	cancelled bigint  NOT NULL DEFAULT 0,
	recorded  bigint[] NOT NULL DEFAULT '{}', -- migrated or passed, failed, excepted, cancelled of the last Finished
	condition text    NOT NULL GENERATED ALWAYS AS (` + condition + `) STORED
);
DO $$ BEGIN -- where it was made before there were preflights: what is generated cannot be changed, and is made anew
	IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'worklist_batches'::regclass AND attname = 'passed') THEN
		ALTER TABLE worklist_batches DROP COLUMN condition, ADD COLUMN passed bigint NOT NULL DEFAULT 0;
		ALTER TABLE worklist_batches ADD COLUMN condition text NOT NULL GENERATED ALWAYS AS (` + condition + `) STORED;
	END IF;
END $$;
ALTER TABLE worklist_batches SET (fillfactor = 50);
CREATE INDEX IF NOT EXISTS worklist_batches_condition ON worklist_batches (condition, number) WHERE condition <> '';
CREATE INDEX IF NOT EXISTS worklist_batches_runnable ON worklist_batches (number) WHERE created AND phase = 'active';
CREATE INDEX IF NOT EXISTS worklist_batches_source ON worklist_batches (source, number) WHERE NOT finished OR phase = 'held';
CREATE TABLE IF NOT EXISTS worklist_slices (
	stream  text        PRIMARY KEY,
	batch   text        NOT NULL,
	version integer     NOT NULL,
	open    boolean     NOT NULL,
	found   bigint, -- unknown until a page was listed
	due     timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS worklist_slices_due ON worklist_slices (batch, due, stream) WHERE open;
CREATE TABLE IF NOT EXISTS worklist_documents (
	stream  text        NOT NULL,
	batch   text        NOT NULL,
	version integer     NOT NULL,
	due     timestamptz NOT NULL,
	PRIMARY KEY (stream, batch)
);
ALTER TABLE worklist_documents SET (fillfactor = 70);
ALTER TABLE worklist_documents ADD COLUMN IF NOT EXISTS organization text NOT NULL DEFAULT ''; -- which take turns; before, all were one
DROP INDEX IF EXISTS worklist_documents_due; -- of before organisations took turns
CREATE INDEX IF NOT EXISTS worklist_documents_turn ON worklist_documents (batch, organization, due, stream)`, Apply: applyWorklist}

// condition of a batch that a worker does something about. Documents either
// arrive or pass: a batch is a preflight, or is none.
const condition = `CASE
		WHEN NOT created THEN ''
		WHEN phase = 'cancelled' AND pending > 0 THEN 'cancel'
		WHEN NOT finished AND pending = 0 AND (phase = 'cancelled' OR (closed = slices AND found = migrated + passed + failed + excepted + cancelled)) THEN 'finish'
		WHEN finished AND (recorded <> ARRAY[migrated + passed, failed, excepted, cancelled] OR phase <> 'cancelled' AND (pending > 0 OR closed < slices)) THEN 'reopen'
		ELSE '' END`

func applyWorklist(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	own := map[string][]wire.Record{}
	for _, r := range events {
		if _, ok := r.Event.(batch.Event); !ok {
			continue
		}
		number, err := domain.ParseBatchStream(r.Stream)
		if err != nil {
			return err
		}
		own[number] = append(own[number], r)
	}
	work := foldWork(events)
	counts := tallies(events)
	if err := work.writeSlices(ctx, tx, counts); err != nil {
		return err
	}
	b := &pgx.Batch{}
	work.queueDocuments(b)
	for _, number := range sortedUnion(own, counts) {
		for _, r := range own[number] {
			queueWorkBatch(b, number, r)
		}
		if counts[number] != nil {
			queueWorkTally(b, number, counts[number])
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

type openWork struct {
	version int
	due     time.Time
	open    bool
	fresh   bool // its document's first event is among the events: there is no row
}

type documentWork struct {
	openWork
	organization string
}

type sliceWork struct {
	openWork
	batch string
	found *int
}

// work is what a batch of events leaves to be done.
type work struct {
	documents map[[2]string]documentWork // stream, batch
	slices    map[string]*sliceWork      // stream
}

func foldWork(events []wire.Record) work {
	w := work{documents: map[[2]string]documentWork{}, slices: map[string]*sliceWork{}}
	for i := range events {
		r := &events[i]
		switch e := r.Event.(type) {
		case document.Event:
			change := e.GetChange()
			next := ""
			if failed, ok := e.(document.AttemptFailed); ok {
				next = failed.Next
			}
			key := [2]string{r.Stream, change.Batch}
			fresh := change.Before == "" || w.documents[key].fresh
			w.documents[key] = documentWork{openWork{r.Version, dueAt(next, r.Time), change.After == document.StatusPending, fresh}, change.Organization}
		case discovery.Event:
			w.foldSlice(*r, e)
		case batch.Created:
			for _, s := range e.Slices {
				stream := domain.DiscoveryStream(e.Number, s.ID)
				if w.slices[stream] == nil {
					w.slices[stream] = &sliceWork{batch: e.Number, openWork: openWork{due: r.Time, open: true}}
				}
			}
		}
	}
	return w
}

func (w work) foldSlice(r wire.Record, event discovery.Event) {
	change := event.GetChange()
	s := w.slices[r.Stream]
	if s == nil {
		s = &sliceWork{batch: change.Batch}
		w.slices[r.Stream] = s
	}
	next := ""
	switch e := event.(type) {
	case discovery.AttemptFailed:
		next = e.Next
	case discovery.PageListed:
		s.found = new(e.Found)
	case discovery.Completed:
		s.found = new(e.Found)
	}
	s.openWork = openWork{version: r.Version, due: dueAt(next, r.Time), open: change.After == discovery.StatusListing}
}

// dueAt is when work may begin: when the event says so, else at once.
func dueAt(next string, at time.Time) time.Time {
	if due, err := time.Parse(time.RFC3339, next); err == nil {
		return due
	}
	return at
}

func (w work) queueDocuments(b *pgx.Batch) {
	var streams, batches, organizations, doneStreams, doneBatches []string
	var versions []int
	var due []time.Time
	for _, key := range sortedPairs(w.documents) {
		o := w.documents[key]
		if !o.open && o.fresh {
			continue
		}
		if !o.open {
			doneStreams, doneBatches = append(doneStreams, key[0]), append(doneBatches, key[1])
			continue
		}
		streams, batches, organizations = append(streams, key[0]), append(batches, key[1]), append(organizations, o.organization)
		versions, due = append(versions, o.version), append(due, o.due)
	}
	if len(streams) > 0 {
		b.Queue(`INSERT INTO worklist_documents (stream, batch, version, due, organization)
			SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::text[])
			ON CONFLICT (stream, batch) DO UPDATE SET version = excluded.version, due = excluded.due, organization = excluded.organization`,
			streams, batches, versions, due, organizations)
	}
	if len(doneStreams) > 0 {
		b.Queue(`DELETE FROM worklist_documents w USING unnest($1::text[], $2::text[]) d(stream, batch)
			WHERE w.stream = d.stream AND w.batch = d.batch`, doneStreams, doneBatches)
	}
}

// writeSlices upserts the listings, and adds to each batch's counts by how
// much its sums over slices change. What a row was before is its own
// partition's, so the difference is the same however partitions interleave;
// the row that Created makes ahead of its listing differs in nothing that is
// added up.
func (w work) writeSlices(ctx context.Context, tx pgx.Tx, counts map[string]*tally) error {
	if len(w.slices) == 0 {
		return nil
	}
	rows := make([]sliceWorkRow, 0, len(w.slices))
	for _, stream := range sortedKeys(w.slices) {
		s := w.slices[stream]
		rows = append(rows, sliceWorkRow{stream, s.batch, s.version, s.open, s.found, s.due})
	}
	changed, err := tx.Query(ctx, `
		WITH n AS (SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bool[], $5::bigint[], $6::timestamptz[]) n(stream, batch, version, open, found, due)),
		before AS (SELECT w.* FROM worklist_slices w JOIN n USING (stream)),
		written AS (
			INSERT INTO worklist_slices AS w (stream, batch, version, open, found, due) SELECT * FROM n ORDER BY stream
			ON CONFLICT (stream) DO UPDATE SET version = excluded.version, open = excluded.open, found = coalesce(excluded.found, w.found), due = excluded.due
			WHERE excluded.version > w.version
			RETURNING stream, batch, open, found)
		SELECT w.batch, sum((NOT w.open)::int - coalesce((NOT b.open)::int, 0)), sum(coalesce(w.found, 0) - coalesce(b.found, 0))
		FROM written w LEFT JOIN before b USING (stream) GROUP BY 1`, arrays(rows)...)
	if err != nil {
		return err
	}
	var number string
	var closed, found int64
	_, err = pgx.ForEachRow(changed, []any{&number, &closed, &found}, func() error {
		if counts[number] == nil {
			counts[number] = &tally{}
		}
		counts[number].closed, counts[number].found = closed, found
		return nil
	})
	return err
}

// sliceWorkRow is in the order of the statement's columns.
type sliceWorkRow struct {
	Stream, Batch string
	Version       int
	Open          bool
	Found         *int
	Due           time.Time
}

func queueWorkTally(b *pgx.Batch, number string, t *tally) {
	d := t.documents
	b.Queue(`INSERT INTO worklist_batches AS b (number, pending, migrated, passed, failed, excepted, cancelled, closed, found) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (number) DO UPDATE SET pending = b.pending + $2, migrated = b.migrated + $3, passed = b.passed + $4, failed = b.failed + $5,
			excepted = b.excepted + $6, cancelled = b.cancelled + $7, closed = b.closed + $8, found = b.found + $9`,
		number, d[0], d[1], d[2], d[3], d[4], d[5], t.closed, t.found)
}

func queueWorkBatch(b *pgx.Batch, number string, r wire.Record) {
	set := func(column string, value any) {
		b.Queue(`UPDATE worklist_batches SET version = $2, changed_at = $3, `+column+` = $4 WHERE number = $1`, number, r.Version, r.Time, value)
	}
	switch e := r.Event.(type) {
	case batch.Created:
		b.Queue(`INSERT INTO worklist_batches (number, source, created, version, changed_at, slices) VALUES ($1, $2, true, $3, $4, $5)
			ON CONFLICT (number) DO UPDATE SET source = $2, created = true, version = $3, changed_at = $4, slices = $5`,
			number, e.Source, r.Version, r.Time, len(e.Slices))
	case batch.Held:
		set("phase", e.After)
	case batch.Released:
		set("phase", e.After)
	case batch.Paused:
		set("phase", e.After)
	case batch.Resumed:
		set("phase", e.After)
	case batch.Cancelled:
		set("phase", e.After)
	case batch.Finished:
		set("finished", true)
		set("recorded", []int{e.Counts.Migrated + e.Counts.Passed, e.Counts.Failed, e.Counts.Excepted, e.Counts.Cancelled})
	case batch.Reopened:
		set("finished", false)
	}
}
