package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// overview of a batch, as the API answers it.
type overview struct {
	Number     string
	Status     string
	FinishedAt *time.Time
	Documents  struct{ Total, Pending, Migrated, Failed, Excepted, Cancelled int }
	Files      struct {
		Total int
		document.Tally
	}
	Listings struct{ Found, SourceTotal, Duplicates, Shortfall int }
	Failures map[string]int
}

// file of a document that was skipped.
type file struct{ document, id string }

func (f file) path(batch string) string {
	return "/v1/batches/" + batch + "/documents/" + url.PathEscape(f.document) + "/files/" + url.PathEscape(f.id)
}

var reason = map[string]any{"reason": "chaos"}

// create makes a batch of all that the source has.
func (r *run) create(ctx context.Context) error {
	var created struct{ Number string }
	err := r.api.post(ctx, "/v1/batches", map[string]any{
		"source": sourceID, "scope": map[string]any{"from": r.config.From, "to": r.config.To},
	}, &created)
	if err == nil {
		r.batches = append(r.batches, created.Number)
	}
	return err
}

// operate does what an operator might do in the middle of it all.
func (r *run) operate(ctx context.Context, s step) error {
	batch := "/v1/batches/" + r.batches[s.much%len(r.batches)]
	switch s.kind {
	case pause:
		return r.around(ctx, s, batch+"/pause", batch+"/resume")
	case disable:
		return r.around(ctx, s, "/v1/sources/"+sourceID+"/disable", "/v1/sources/"+sourceID+"/enable")
	case retry:
		return r.command(ctx, batch+"/retry", nil)
	case skip:
		return r.skip(ctx, s)
	default:
		if len(r.skipped) == 0 {
			return errNothing
		}
		return r.recall(ctx, r.skipped[s.target%len(r.skipped)])
	}
}

// around kills a process between a command and the one that takes it back.
func (r *run) around(ctx context.Context, s step, do, undo string) error {
	if err := r.command(ctx, do, nil); err != nil {
		return err
	}
	r.kill(s)
	return r.command(ctx, undo, nil)
}

// command is given; that it does not apply any more is no fault.
func (r *run) command(ctx context.Context, path string, answer any) error {
	if err := r.api.post(ctx, path, reason, answer); err != nil && asRefused(err) == nil {
		return err
	}
	return nil
}

// skip sets a failed file of one of the failed documents aside.
func (r *run) skip(ctx context.Context, s step) error {
	batch := r.batches[s.much%len(r.batches)]
	var failed struct{ Items []struct{ ID string } }
	if err := r.api.get(ctx, "/v1/batches/"+batch+"/documents?status=failed&limit=50", &failed); err != nil {
		return notRefused(err)
	}
	if len(failed.Items) == 0 {
		return errNothing
	}
	f := file{document: failed.Items[s.target%len(failed.Items)].ID}
	var found struct{ FileList []struct{ ID, Status string } }
	if err := r.api.get(ctx, "/v1/batches/"+batch+"/documents/"+url.PathEscape(f.document), &found); err != nil {
		return notRefused(err)
	}
	for _, one := range found.FileList {
		if one.Status == "failed" {
			f.id = one.ID
		}
	}
	if f.id == "" {
		return errNothing
	}
	err := r.api.post(ctx, f.path(batch)+"/skip", reason, nil)
	if err == nil {
		r.skipped = append(r.skipped, f)
	}
	return notRefused(err)
}

// errNothing: there is nothing that a command could be about.
var errNothing = errors.New("nothing to do it to")

func notRefused(err error) error {
	if asRefused(err) != nil {
		return errNothing
	}
	return err
}

// recall takes a skip back, in every batch: each that met the mark has it for
// itself.
func (r *run) recall(ctx context.Context, f file) error {
	for _, batch := range r.batches {
		if err := r.command(ctx, f.path(batch)+"/recall", nil); err != nil {
			return err
		}
	}
	return nil
}

// settle does what an operator does when the disturbance is over: waits for
// the batches, takes skips back, and tries again what an outage made fail.
func (r *run) settle(ctx context.Context) error {
	if err := r.api.get(ctx, "/readyz", nil); err != nil {
		return err
	}
	if err := r.finished(ctx); err != nil {
		return err
	}
	for _, f := range r.skipped {
		if err := r.recall(ctx, f); err != nil {
			return err
		}
	}
	if err := r.finished(ctx); err != nil {
		return err
	}
	for _, number := range r.batches {
		if err := r.retryAll(ctx, "/v1/batches/"+number); err != nil {
			return err
		}
	}
	if err := r.finished(ctx); err != nil {
		return err
	}
	return r.carried(ctx)
}

// carried waits until the relay and every view have come to the journal's end.
func (r *run) carried(ctx context.Context) error {
	heads, err := r.journal.Heads(ctx)
	if err != nil {
		return err
	}
	for _, view := range projections.Views() {
		err := eventually(ctx, "the view "+view.Name+" is complete", func() (bool, error) {
			seen, err := projections.Position(ctx, r.pool, view.Name)
			return err == nil && seen.Reached(heads), errors.Join(err, behind(seen, heads))
		})
		if err != nil {
			return err
		}
	}
	return eventually(ctx, "the relay is at the end", func() (bool, error) {
		marks, err := postgres.NewMarks(r.pool).Load(ctx)
		sent := wire.Position{}
		for partition, mark := range marks {
			sent[partition] = mark[1]
		}
		return err == nil && sent.Reached(heads), errors.Join(err, behind(sent, heads))
	})
}

func behind(seen, heads wire.Position) error {
	if seen.Reached(heads) {
		return nil
	}
	return fmt.Errorf("it has reached %s of %s", seen, heads)
}

// retryAll tries a batch's failed slices and documents again, and waits until
// all of them were asked for.
func (r *run) retryAll(ctx context.Context, batch string) error {
	var failed struct{ Items []struct{ ID string } }
	if err := r.api.get(ctx, batch+"/slices?status=failed&limit=100", &failed); err != nil {
		return err
	}
	for _, slice := range failed.Items {
		if err := r.command(ctx, batch+"/slices/"+slice.ID+"/retry", nil); err != nil {
			return err
		}
	}
	var accepted struct{ Operation, Position string }
	if err := r.command(ctx, batch+"/retry", &accepted); err != nil || accepted.Operation == "" {
		return err
	}
	return eventually(ctx, "the bulk retry ends", func() (bool, error) {
		var o struct{ Status string }
		if err := r.api.get(ctx, "/v1/operations/"+accepted.Operation+"?after="+accepted.Position, &o); err != nil {
			return false, err
		}
		if o.Status != "completed" {
			return false, fmt.Errorf("it is %s", o.Status)
		}
		return true, nil
	})
}

// finished waits until no batch has anything left to do.
func (r *run) finished(ctx context.Context) error {
	for _, number := range r.batches {
		err := eventually(ctx, "batch "+number+" finishes", func() (bool, error) {
			b, err := r.current(ctx, number)
			if err == nil && (b.FinishedAt == nil || b.Documents.Pending > 0) {
				err = fmt.Errorf("it stands at %+v", b)
			}
			return err == nil, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// current is the overview after all that is in the journal now, when no worker
// is about to finish or reopen a batch, which would put more there.
func (r *run) current(ctx context.Context, number string) (b overview, err error) {
	heads, err := r.journal.Heads(ctx)
	if err != nil {
		return b, err
	}
	seen, err := projections.Position(ctx, r.pool, "worklist")
	if err != nil || !seen.Reached(heads) {
		return b, errors.Join(err, fmt.Errorf("the worklist has only reached %s of %s", seen, heads))
	}
	var conditions int
	if err := r.pool.QueryRow(ctx, `SELECT count(*) FROM worklist_batches WHERE condition <> ''`).Scan(&conditions); err != nil {
		return b, err
	}
	if conditions > 0 {
		return b, fmt.Errorf("%d batches are about to finish or reopen", conditions)
	}
	err = r.api.once(ctx, request{method: http.MethodGet, path: "/v1/batches/" + number + "?after=" + heads.String()}, &b)
	return b, err
}
