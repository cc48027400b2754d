package rest

import (
	"context"
	"slices"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
)

// sight tells which records somebody may see who is restricted to organisations:
// those of documents and listings of theirs, and those of batches that are all
// theirs and of their operations and verifications. Anything else, and whatever there will be, is
// not shown.
type sight struct {
	*server
	theirs domain.Organizations
	whole  map[string]bool // of batches; forgotten now and then, since others' documents may come
}

func (g *sight) shows(ctx context.Context, r wire.Raw) (bool, error) {
	record, err := wire.Decode(r.Bytes)
	if err != nil {
		return false, err
	}
	switch e := record.Event.(type) {
	case document.Event:
		return g.theirs.Has(e.GetChange().Organization), nil
	case discovery.Event:
		return slices.Contains(g.theirs, batch.OrganizationOf(e.GetChange().Slice)), nil
	case batch.Event:
		number, err := domain.ParseBatchStream(r.Stream)
		if err != nil {
			return false, err
		}
		return g.seesWhole(ctx, number)
	case operation.Event:
		return g.seesWhole(ctx, e.GetBatch())
	case fixity.Event:
		return g.seesWhole(ctx, e.GetBatch())
	}
	return false, nil
}

func (g *sight) seesWhole(ctx context.Context, number string) (bool, error) {
	if whole, known := g.whole[number]; known {
		return whole, nil
	}
	b, err := g.Handler.LoadBatch(ctx, number)
	if err == nil {
		g.whole[number], err = g.isWhole(ctx, b, g.theirs)
	}
	return g.whole[number], err
}
