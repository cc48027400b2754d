package projections

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// rebuilds that administrators asked for. Which process carries one out is
// nobody's concern: while it says that it is alive nobody else takes it, and
// when it is silent the next one goes on where the builds are.
const rebuilds = `;
CREATE TABLE IF NOT EXISTS projection_rebuilds (
	id           uuid        PRIMARY KEY,
	request      jsonb       NOT NULL,
	requested_at timestamptz NOT NULL DEFAULT now(),
	state        text        NOT NULL DEFAULT 'waiting',
	attempt      integer     NOT NULL DEFAULT 0, -- how often it was begun
	alive        timestamptz, -- when its process was last heard of
	cancel       boolean     NOT NULL DEFAULT false,
	progress     jsonb       NOT NULL DEFAULT '{}',
	results      jsonb       NOT NULL DEFAULT '[]',
	error        text        NOT NULL DEFAULT '',
	ended_at     timestamptz
)`

// Where a rebuild reads the history.
const (
	FromJournal = "journal"
	FromKafka   = "kafka"
)

// RebuildRequest is what somebody asks for.
type RebuildRequest struct {
	Rollback bool     // make the kept version of the one view live again
	Views    []string // none: all, or all that have rows of batches
	Batch    string   // alone; empty: whole views
	From     string
	Accept   bool // differences
	Reason   string
	By       string // subject of who asks
}

// RebuildState says how far a rebuild is.
type RebuildState string

// The states of a rebuild.
const (
	RebuildWaiting     RebuildState = "waiting"
	RebuildRunning     RebuildState = "running"
	RebuildInterrupted RebuildState = "interrupted" // its process is silent; another goes on
	RebuildSucceeded   RebuildState = "succeeded"
	RebuildDiffers     RebuildState = "differs" // some view was not swapped for that
	RebuildFailed      RebuildState = "failed"
	RebuildCancelled   RebuildState = "cancelled"
)

// RequestedRebuild is a rebuild and what became of it.
type RequestedRebuild struct {
	ID string
	RebuildRequest
	RequestedAt time.Time
	State       RebuildState
	Attempt     int
	Progress    Progress
	Results     []Rebuilt // of the views that it is done with
	Error       string
	EndedAt     *time.Time
}

// Choose gives the views that the request names.
func (r RebuildRequest) Choose() ([]View, error) {
	if r.From != FromJournal && r.From != FromKafka {
		return nil, domain.RefuseInvalid("from", "from-invalid", "the events are read from journal or kafka, not from %q", r.From)
	}
	if r.Rollback && len(r.Views) != 1 {
		return nil, domain.RefuseInvalid("views", "view-missing", "a rollback needs the name of one view")
	}
	chosen, err := ViewsNamed(r.Views)
	if err != nil || r.Batch == "" {
		return chosen, err
	}
	for _, view := range chosen {
		if len(r.Views) > 0 && !view.byBatch() {
			return nil, view.refuseBatch()
		}
	}
	return slices.DeleteFunc(chosen, func(view View) bool { return !view.byBatch() }), nil
}

// ViewsNamed gives views by their names; all when there are no names.
func ViewsNamed(names []string) ([]View, error) {
	var chosen []View
	var known []string
	for _, view := range Views() {
		known = append(known, view.Name)
		if len(names) == 0 || slices.Contains(names, view.Name) {
			chosen = append(chosen, view)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, domain.RefuseInvalid("views", "view-unknown", "there is no view %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// Do what a request asks for.
func (r *Rebuilder) Do(ctx context.Context, request RebuildRequest) ([]Rebuilt, error) {
	views, err := request.Choose()
	switch {
	case err != nil:
		return nil, err
	case request.Rollback:
		back, err := r.Rollback(ctx, views[0])
		if err != nil {
			return nil, err
		}
		return []Rebuilt{back}, nil
	case request.Batch != "":
		return r.RunBatch(ctx, request.Accept, request.Batch, views...)
	}
	return r.Run(ctx, request.Accept, views...)
}

// Database is a pool or a transaction that may write.
type Database interface {
	Querier
	Executor
}

// RequestRebuild has a rebuild carried out by a process that runs a
// RebuildRunner. The same id again is the same request.
func RequestRebuild(ctx context.Context, db Database, id wire.UUID, request RebuildRequest) error {
	views, err := request.Choose()
	if err != nil {
		return err
	}
	request.Views = nil
	for _, view := range views {
		request.Views = append(request.Views, view.Name)
	}
	if request.Rollback {
		if err := checkKept(ctx, db, request.Views[0]); err != nil {
			return err
		}
	}
	tag, err := db.Exec(ctx, `INSERT INTO projection_rebuilds (id, request)
		SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM projection_rebuilds WHERE ended_at IS NULL AND request->'Views' ?| $3)
		ON CONFLICT (id) DO NOTHING`, id, request, request.Views)
	if err != nil || tag.RowsAffected() == 1 {
		return err
	}
	var other wire.UUID
	err = db.QueryRow(ctx, `SELECT id FROM projection_rebuilds WHERE id = $1 OR ended_at IS NULL AND request->'Views' ?| $2
		ORDER BY id <> $1 LIMIT 1`, id, request.Views).Scan(&other)
	if err == nil && other != id {
		err = domain.RefuseConflict("rebuild-running", "the rebuild %s of such a view has not ended: wait for it, or cancel it", other)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		err = domain.RefuseConflict("rebuild-running", "a rebuild of such a view has just ended: ask again")
	}
	return err
}

func checkKept(ctx context.Context, db Database, view string) error {
	var kept bool
	err := db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM projection_versions WHERE view = $1 AND kept IS NOT NULL)`, view).Scan(&kept)
	if err == nil && !kept {
		err = refuseKept(view)
	}
	return err
}

func refuseKept(view string) error {
	return domain.RefuseConflict("view-not-kept", "no earlier version of the view %s is kept", view)
}

// CancelRebuild ends a rebuild, at once or as soon as its process hears of it.
// What was built stays, and the next rebuild by the same software goes on with
// it. One that has ended stays as it is.
func CancelRebuild(ctx context.Context, db Database, id string) error {
	tag, err := db.Exec(ctx, `UPDATE projection_rebuilds SET cancel = true,
			state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END, ended_at = CASE WHEN state = 'waiting' THEN now() END
		WHERE id::text = $1 AND ended_at IS NULL`, id)
	if err != nil || tag.RowsAffected() == 1 {
		return err
	}
	_, err = FindRebuild(ctx, db, id)
	return err
}

const rebuildColumns = `id::text, request, requested_at, CASE WHEN state = 'running' AND alive < clock_timestamp() - $1::interval THEN 'interrupted' ELSE state END,
	attempt, progress, results, error, ended_at`

func scanRebuild(row pgx.CollectableRow) (r RequestedRebuild, err error) {
	return r, row.Scan(&r.ID, &r.RebuildRequest, &r.RequestedAt, &r.State, &r.Attempt, &r.Progress, &r.Results, &r.Error, &r.EndedAt)
}

// FindRebuild by id; a *domain.Refusal when there is none.
func FindRebuild(ctx context.Context, q Querier, id string) (RequestedRebuild, error) {
	rows, err := q.Query(ctx, `SELECT `+rebuildColumns+` FROM projection_rebuilds WHERE id::text = $2`, silence, id)
	if err != nil {
		return RequestedRebuild{}, err
	}
	return one(rows, scanRebuild, "rebuild", id)
}

// Rebuilds are the latest that were asked for, newest first.
func Rebuilds(ctx context.Context, q Querier, limit int) ([]RequestedRebuild, error) {
	rows, err := q.Query(ctx, `SELECT `+rebuildColumns+` FROM projection_rebuilds ORDER BY requested_at DESC, id DESC LIMIT $2`, silence, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRebuild)
}
