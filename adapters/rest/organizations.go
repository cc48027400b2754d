package rest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// reach of an operation, for somebody who is restricted to organisations.
//
// The zero value refuses them: an operation is closed until it is decided what
// it may tell them. What is not theirs is answered as what is not there.
type reach string

const (
	// closed: it is for those who are not restricted.
	closed reach = ""
	// open: it tells and changes nothing of documents.
	open reach = "open"
	// confined: it tells of their organisations' documents, and touches these,
	// alone.
	confined reach = "confined"
	// wholly: it acts on a whole batch, and so on one whose scope is all theirs.
	wholly reach = "wholly"
)

// described is the reach as the API's document names it.
func (r reach) described() string {
	if r == closed {
		return "closed"
	}
	return string(r)
}

// restriction is the organisations that whoever asks is restricted to.
func restriction(ctx context.Context) domain.Organizations { return requestOf(ctx).organizations }

// confine refuses what an operation is closed to, before its input is looked at.
func (s *server) confine(ctx context.Context, op route, number string) error {
	switch {
	case !restriction(ctx).Restricted():
		return nil
	case op.reach == closed:
		return newProblem(http.StatusForbidden, "organizations-restricted", "this is for those who may see the documents of all organisations; you are restricted to "+named(restriction(ctx)))
	case op.reach == wholly:
		return s.coverBatch(ctx, number)
	}
	return nil
}

// coverBatch refuses a batch that is not all of the organisations of whoever
// asks.
func (s *server) coverBatch(ctx context.Context, number string) error {
	b, err := s.loadBatch(ctx, number)
	if err != nil {
		return err
	}
	whole, err := s.isWhole(ctx, b, restriction(ctx))
	if err != nil || whole {
		return err
	}
	return newProblem(http.StatusForbidden, "batch-not-covered",
		"this acts on the whole batch, which is not only of "+named(restriction(ctx))+": ask somebody who may see all of it")
}

// isWhole tells whether a batch is all of some organisations: its scope names
// them, as the journal has it, and nothing of another came.
func (s *server) isWhole(ctx context.Context, b batch.State, theirs domain.Organizations) (bool, error) {
	if !theirs.Cover(b.Organizations()) {
		return false, nil
	}
	others, err := projections.HoldsOthers(ctx, s.Views, b.Number, theirs)
	return !others, err
}

// loadBatch as the journal has it, and refuse one of which whoever asks may see
// nothing as one that is not there.
func (s *server) loadBatch(ctx context.Context, number string) (batch.State, error) {
	b, err := s.Handler.LoadBatch(ctx, number)
	if err != nil || len(restriction(ctx).Among(b.Organizations())) > 0 {
		return b, err
	}
	return b, s.see(ctx, number)
}

// see refuses a batch of which whoever asks may see nothing now, also where its
// past is asked for.
func (s *server) see(ctx context.Context, number string) error {
	if !restriction(ctx).Restricted() {
		return nil
	}
	_, err := projections.FindBatchWithin(ctx, s.Views, number, restriction(ctx))
	return err
}

// touch refuses a document of a batch that is not of the organisations of
// whoever asks, as one that is not there.
func (s *server) touch(ctx context.Context, number string, id domain.DocumentID) error {
	if !restriction(ctx).Restricted() {
		return nil
	}
	loaded, err := s.Journal.Load(ctx, id.Stream())
	if err != nil {
		return err
	}
	if isTheirs(loaded[id.Stream()], number, restriction(ctx)) {
		return nil
	}
	return noDocument(id, number)
}

// isTheirs tells whether a document of a batch is of some organisations, by its
// last event there.
func isTheirs(records []wire.Record, number string, theirs domain.Organizations) bool {
	for _, r := range slices.Backward(records) {
		if e, ok := r.Event.(document.Event); ok && e.GetChange().Batch == number {
			return theirs.Has(e.GetChange().Organization)
		}
	}
	return false
}

func noDocument(id domain.DocumentID, number string) error {
	return domain.RefuseNotFound("document", documentID(id.Stream())+" in batch "+number)
}

func isNotFound(err error) bool {
	var refusal *domain.Refusal
	return errors.As(err, &refusal) && refusal.Kind == domain.NotFound
}

// choose refuses organisations that are named and are not among those of whoever
// asks.
func choose(ctx context.Context, field string, asked ...string) error {
	for _, code := range asked {
		if code != "" && !restriction(ctx).Has(code) {
			return outside(field, "you are restricted to "+named(restriction(ctx)))
		}
	}
	return nil
}

// chooseScope refuses a scope that is not all of their organisations.
func chooseScope(ctx context.Context, scope NewScope) error {
	const field = "scope.organizations"
	if restriction(ctx).Restricted() && len(scope.Organizations) == 0 {
		return outside(field, "name organisations: none means all, and you are restricted to "+named(restriction(ctx)))
	}
	return choose(ctx, field, scope.Organizations...)
}

func outside(field, detail string) *Problem {
	p := newProblem(http.StatusForbidden, "organization-outside", detail)
	p.Field = field
	return p
}

// named are organisations as a text, the first of many.
func named(organizations domain.Organizations) string {
	const most = 10
	if len(organizations) > most {
		return strings.Join(organizations[:most], ", ") + " and others"
	}
	return strings.Join(organizations, ", ")
}
