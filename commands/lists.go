package commands

import (
	"context"
	"errors"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Lists is the aggregate of uploaded lists.
var Lists = Aggregate[list.State, list.Command, list.Event]{list.Decide, list.Evolve}

// UploadList makes a list, and gives it an id.
func (h *Handler) UploadList(ctx context.Context, meta wire.Metadata, c list.Upload) (list.Uploaded, Result, error) {
	first := wire.EventID(meta.Command, 0)
	record, found, err := h.journal.Find(ctx, first)
	if err == nil && !found {
		c.ID = h.sortable("L", meta.Command)
		if _, err := Execute(ctx, h, meta, Lists, Target[list.State]{Stream: domain.ListStream(c.ID)}, list.Command(c)); err != nil {
			return list.Uploaded{}, Result{}, err
		}
		record, _, err = h.journal.Find(ctx, first) // sent twice at the same moment, the other may have made it under its id
	}
	if err != nil {
		return list.Uploaded{}, Result{}, err
	}
	return h.uploaded(ctx, record)
}

// uploaded answers with the list that a command made.
func (h *Handler) uploaded(ctx context.Context, record wire.Record) (list.Uploaded, Result, error) {
	event, ok := record.Event.(list.Uploaded)
	if !ok {
		return list.Uploaded{}, Result{}, commandReused(record)
	}
	loaded, err := h.journal.Load(ctx, record.Stream)
	if err != nil {
		return list.Uploaded{}, Result{}, err
	}
	result := standing(loaded[record.Stream])
	result.Written = true // as it was answered the first time
	return event, result, nil
}

// LoadList gives a list as the journal has it.
func LoadList(ctx context.Context, journal Journal, id string) (list.State, error) {
	stream := domain.ListStream(id)
	loaded, err := journal.Load(ctx, stream)
	if err != nil {
		return list.State{}, err
	}
	s, err := Lists.Fold(list.State{}, loaded[stream])
	if err == nil && !s.Exists() {
		err = domain.RefuseNotFound("list", domain.TruncateTo(id, 100))
	}
	return s, err
}

// knownList gives the list that a scope names. One that there is stays as it is
// for ever, so that nothing needs to be asserted.
func (h *Handler) knownList(ctx context.Context, scope batch.Scope) (*list.Head, error) {
	if scope.List == "" {
		return nil, nil
	}
	s, err := LoadList(ctx, h.journal, scope.List)
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		return nil, domain.RefuseInvalid("scope.list", "list-unknown", "there is no list %q; GET /v1/lists has those that there are", domain.TruncateTo(scope.List, 100))
	}
	return &s.Head, err
}
