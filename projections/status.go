package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// ViewState says whether a view is kept up.
type ViewState string

// The states of a view.
const (
	ViewRunning ViewState = "running"
	ViewHeld    ViewState = "held"    // a rebuild compares it; it goes on by itself
	ViewStopped ViewState = "stopped" // it waits for a remedy
)

// ViewStatus is what the database knows of a view, whichever process keeps it
// up.
type ViewStatus struct {
	View     string
	Version  int
	Kept     int // the version that a rollback would bring back; 0: none
	Position wire.Position
	Lag      int64         // events of the journal that it has not
	Behind   time.Duration // since the oldest of them
	State    ViewState
	Stop     *Stop // while it is stopped
}

// Stop is why a process cannot go on with a view.
type Stop struct {
	Partition int
	Offset    int64 // of the event that it cannot apply; 0: no event is to blame
	Error     string
	Since     time.Time
}

// Event that cannot be applied, as partition:offset; empty when none is to
// blame.
func (s Stop) Event() string {
	if s.Offset == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d", s.Partition, s.Offset)
}

// Remedy tells what to do about it.
func (s Stop) Remedy() string {
	if s.Offset == 0 {
		return "mend what the error names, then resume the view; nothing was skipped"
	}
	return fmt.Sprintf("run a build of waybill that can apply the event %s, or mend what the error names, then resume the view; nothing was skipped", s.Event())
}

// Survey reads the status of views, as of now.
func Survey(ctx context.Context, q Querier, history History, now time.Time, views ...View) ([]ViewStatus, error) {
	heads, err := history.Heads(ctx)
	if err != nil {
		return nil, err
	}
	statuses := make([]ViewStatus, len(views))
	for i, view := range views {
		s := ViewStatus{View: view.Name}
		if s.Position, err = Position(ctx, q, view.Name); err != nil {
			return nil, err
		}
		if err := s.readState(ctx, q); err != nil {
			return nil, fmt.Errorf("status of the view %s: %w", view.Name, err)
		}
		if err := s.measure(ctx, history, heads, now); err != nil {
			return nil, fmt.Errorf("lag of the view %s: %w", view.Name, err)
		}
		statuses[i] = s
	}
	return statuses, nil
}

func (s *ViewStatus) readState(ctx context.Context, q Querier) error {
	var held bool
	var stop Stop
	var failure *string
	err := q.QueryRow(ctx, `SELECT coalesce(v.live, 1), coalesce(v.kept, 0), coalesce(h.till > now(), false),
			coalesce(s.partition, 0), coalesce(s."offset", 0), s.error, coalesce(s.since, now())
		FROM (SELECT $1::text AS view) n LEFT JOIN projection_versions v USING (view)
		LEFT JOIN projection_holds h USING (view) LEFT JOIN projection_stops s USING (view)`, s.View).
		Scan(&s.Version, &s.Kept, &held, &stop.Partition, &stop.Offset, &failure, &stop.Since)
	s.State = ViewRunning
	switch {
	case failure != nil:
		stop.Error = *failure
		s.State, s.Stop = ViewStopped, &stop
	case held:
		s.State = ViewHeld
	}
	return err
}

// measure the lag. How old what is missing is stands in the records.
func (s *ViewStatus) measure(ctx context.Context, history History, heads wire.Position, now time.Time) error {
	for partition, head := range heads {
		at := s.Position[partition]
		if at >= head {
			continue
		}
		s.Lag += head - at
		next, err := history.Read(ctx, partition, at, 1)
		if err != nil {
			return err
		}
		if len(next) == 0 {
			return fmt.Errorf("the journal lacks what follows %d/%d", partition, at)
		}
		var record struct{ Time time.Time }
		if err := json.Unmarshal(next[0].Bytes, &record); err != nil {
			return fmt.Errorf("record %d/%d: %w", partition, at+1, err)
		}
		s.Behind = max(s.Behind, now.Sub(record.Time))
	}
	return nil
}

// Executor is a pool or a transaction that may write.
type Executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Resume lets a stopped view be tried again, by whichever processes keep it up.
func Resume(ctx context.Context, db Executor, name string) error {
	for _, view := range Views() {
		if view.Name == name {
			return clearStop(ctx, db, name)
		}
	}
	return domain.RefuseNotFound("view", name)
}

func clearStop(ctx context.Context, db Executor, view string) error {
	_, err := db.Exec(ctx, `DELETE FROM projection_stops WHERE view = $1`, view)
	return err
}

// recordStop tells the other processes. The first to stop is told of; when it
// is resumed, what stops the view next is.
func recordStop(ctx context.Context, p *projector, failure error) error {
	event := &eventError{}
	errors.As(failure, &event)
	_, err := p.pool.Exec(ctx, `INSERT INTO projection_stops (view, partition, "offset", error) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		p.view.Name, event.partition, event.offset, failure.Error())
	return err
}

const selectHeld = `SELECT EXISTS (SELECT FROM projection_holds WHERE view = $1 AND till > clock_timestamp())`

func isHeld(ctx context.Context, q Querier, view string) (held bool, err error) {
	err = q.QueryRow(ctx, selectHeld, view).Scan(&held)
	return held, err
}

func isStopped(ctx context.Context, q Querier, view string) (stopped bool, err error) {
	err = q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM projection_stops WHERE view = $1)`, view).Scan(&stopped)
	return stopped, err
}

// tendInterval is how often views that are set aside are looked at.
const tendInterval = 200 * time.Millisecond

// Tend brings views back that were set aside: those that were held, when the
// hold has ended, and those that stopped, when they are resumed. What they
// missed is read from the journal. It runs until ctx ends.
func (e *Engine) Tend(ctx context.Context) error {
	// A process that begins is another try, with another build perhaps.
	for _, p := range e.projectors {
		if err := clearStop(ctx, p.pool, p.view.Name); err != nil && !Transient(err) {
			return err
		}
	}
	ticker := time.NewTicker(tendInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for _, p := range e.projectors {
			if p.aside() {
				e.tend(ctx, p)
			}
		}
	}
}

func (e *Engine) tend(ctx context.Context, p *projector) {
	wait := isHeld
	if p.status().Error != "" {
		wait = isStopped
	}
	if waits, err := wait(ctx, p.pool, p.view.Name); err != nil || waits {
		return
	}
	e.mu.Lock()
	partitions := e.partitions
	e.mu.Unlock()
	again := func(p *projector) error {
		return p.rejoin(func() error { return p.catchUpAll(ctx, partitions) })
	}
	if err := e.try(ctx, p, again); err != nil && ctx.Err() == nil {
		e.log.Warn("the view is tried again", "view", p.view.Name, "error", err)
	}
}
