package commands

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
)

// RequestOperation asks for a bulk operation and gives it an id. What qualifies
// is frozen by the coordinates of the view that counted it; a worker then goes
// through it page by page.
func (h *Handler) RequestOperation(ctx context.Context, meta wire.Metadata, selection Selection, c operation.Request) (operation.Requested, Result, error) {
	first := wire.EventID(meta.Command, 0)
	record, found, err := h.journal.Find(ctx, first)
	if err == nil && !found {
		if err = h.requestOperation(ctx, meta, selection, c); err == nil {
			record, _, err = h.journal.Find(ctx, first) // sent twice at the same moment, the other may have counted
		}
	}
	if err != nil {
		return operation.Requested{}, Result{}, err
	}
	requested, ok := record.Event.(operation.Requested)
	if !ok {
		return operation.Requested{}, Result{}, commandReused(record)
	}
	result := standing([]wire.Record{record})
	result.Written = true // as it was answered the first time
	return requested, result, nil
}

func (h *Handler) requestOperation(ctx context.Context, meta wire.Metadata, selection Selection, c operation.Request) error {
	chosen, err := h.ChooseFor(ctx, selection, c)
	if err != nil {
		return err
	}
	c.ID = wire.Derive(meta.Command, "operation").String()
	meta.OperationID = c.ID
	c.Count, c.Coordinates = chosen.Count, chosen.At
	_, err = Execute(ctx, h, meta, Operations, bulkOperation(c.ID, nil), operation.Command(c))
	return err
}

// ChooseFor tells which documents an operation would be for now. It refuses what
// RequestOperation refuses, and asks for nothing.
func (h *Handler) ChooseFor(ctx context.Context, selection Selection, c operation.Request) (Chosen, error) {
	if err := h.check(ctx, c); err != nil {
		return Chosen{}, err
	}
	choice := operation.Choice{Kind: c.Kind, Batch: c.Batch, Filter: c.Filter}
	chosen, err := selection.Chosen(ctx, choice)
	if err != nil || chosen.Count >= len(c.Filter.Documents) {
		return chosen, err
	}
	known, err := selection.ChosenAfter(ctx, choice, chosen.At, "", operation.MaxDocuments)
	if err != nil {
		return Chosen{}, err
	}
	return Chosen{}, notOfBatch(c, known)
}

func (h *Handler) check(ctx context.Context, c operation.Request) error {
	if err := c.Check(); err != nil {
		return err
	}
	b, err := h.LoadBatch(ctx, c.Batch)
	if err != nil {
		return err
	}
	if b.Stopped {
		return cancelled(c.Batch)
	}
	if c.Filter.List != "" {
		return h.checkList(ctx, c.Filter.List)
	}
	if c.Filter.FailedOf != "" {
		return h.checkFailedOf(ctx, c)
	}
	return nil
}

// checkList looks at no more than the list's head.
func (h *Handler) checkList(ctx context.Context, id string) error {
	records, err := h.journal.LoadAfter(ctx, domain.ListStream(id), 0, 1)
	if err != nil {
		return err
	}
	if s, err := Lists.Fold(list.State{}, records); err != nil || !s.Exists() {
		return errors.Join(err, domain.RefuseInvalid("list", "list-unknown", "there is no list %q; GET /v1/lists has those that there are", domain.TruncateTo(id, 100)))
	}
	return nil
}

// checkFailedOf refuses an operation of which not all outcomes are known, or
// that is of another batch.
func (h *Handler) checkFailedOf(ctx context.Context, c operation.Request) error {
	other, err := LoadOperation(ctx, h.journal, c.Filter.FailedOf)
	if err != nil {
		return err
	}
	if !other.Status.Ended() {
		return domain.RefuseConflict("operation-running", "operation %s is %s: wait for it, or cancel it", other.ID, other.Status)
	}
	if c.Batch != other.Batch {
		return domain.RefuseInvalid("batch", "choice-ambiguous", "operation %s is of batch %s", other.ID, other.Batch)
	}
	return nil
}

func notOfBatch(c operation.Request, known []string) error {
	var unknown []string
	for _, stream := range c.Filter.Documents {
		if !slices.Contains(known, stream) {
			_, id, _ := strings.Cut(stream, "/")
			unknown = append(unknown, id)
		}
	}
	return domain.RefuseInvalid("documents", "document-unknown", "%d of %d documents are not of batch %s: %s",
		len(unknown), len(c.Filter.Documents), c.Batch, domain.TruncateTo(strings.Join(unknown, ", "), 1000))
}

// stretch is how many records of an operation are held at once: one may have an
// outcome for each of 500 documents.
const stretch = 20

// LoadOperation gives an operation as the journal has it.
func LoadOperation(ctx context.Context, journal Journal, id string) (operation.State, error) {
	s := operation.State{ID: id}
	for {
		records, err := journal.LoadAfter(ctx, domain.OperationStream(id), s.Version, stretch)
		if err != nil {
			return s, err
		}
		if s, err = Operations.Fold(s, records); err != nil {
			return s, err
		}
		if len(records) < stretch {
			break
		}
	}
	if s.Version == 0 {
		return s, domain.RefuseNotFound("operation", domain.TruncateTo(id, 100))
	}
	return s, nil
}

// ChangeOperation pauses, resumes or cancels a bulk operation: a page that is
// being made is written before, or not at all.
func (h *Handler) ChangeOperation(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, c operation.Command) (Result, error) {
	meta.OperationID = id
	return Execute(ctx, h, meta, Operations, bulkOperation(id, ifMatch), c)
}

func bulkOperation(id string, ifMatch *int) Target[operation.State] {
	return Target[operation.State]{Stream: domain.OperationStream(id), Initial: operation.State{ID: id}, IfMatch: ifMatch}
}
