package projections

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
)

// RunBatch rebuilds the rows of one batch. Its build goes over the whole history
// as any other does, and applies of it what the batch's rows are made of; a
// batch's rows are made of nothing else. When they equal the live ones nothing
// is left to do; when differences are accepted, the rows are replaced in one
// transaction. No version is made, and none kept.
func (r *Rebuilder) RunBatch(ctx context.Context, accept bool, number string, views ...View) (all []Rebuilt, err error) {
	alone := make([]View, len(views))
	for i, view := range views {
		if !view.byBatch() {
			return nil, view.refuseBatch()
		}
		alone[i] = view.ofBatch(number)
	}
	choose := func(b *build) (string, error) {
		b.version, b.batch = b.live, number
		return "batch", nil
	}
	found := false
	err = r.each(ctx, alone, choose, func(ctx context.Context, b *build) error {
		result, err := r.compareAndReplace(ctx, b, accept)
		if err == nil {
			all = append(all, result)
			found = found || result.Rows > 0 || result.Different > 0
		}
		return err
	})
	if err == nil && !found {
		return nil, domain.RefuseNotFound("batch", number)
	}
	return all, err
}

func (r *Rebuilder) compareAndReplace(ctx context.Context, b *build, accept bool) (result Rebuilt, err error) {
	result.Version, result.Batch = b.version, b.batch
	if result.Comparison, err = r.compare(ctx, b); err != nil || result.Different > 0 && !accept {
		return result, err
	}
	if result.Different > 0 {
		if result.Swap, err = r.atLive(ctx, b, func(tx pgx.Tx) error { return b.replace(ctx, tx) }); err != nil {
			return result, err
		}
		result.Replaced = true
	} else if err = r.unmoved(ctx, b); err != nil {
		return result, err
	}
	return result, r.drop(ctx, b.schema)
}

// replace the live rows of the batch by the build's.
func (b *build) replace(ctx context.Context, tx pgx.Tx) error {
	_, built, err := b.tables(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range built {
		live, columns := qualified(b.installation, t.name), quoted("", t.given)
		of := " WHERE " + quotedName(b.view.Tables[t.name]) + " = $1"
		if _, err := tx.Exec(ctx, "DELETE FROM "+live+of, b.batch); err != nil {
			return fmt.Errorf("replace the rows of %s: %w", t.name, err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO "+live+" ("+columns+") SELECT "+columns+" FROM "+qualified(b.schema, t.name)+of, b.batch); err != nil {
			return fmt.Errorf("replace the rows of %s: %w", t.name, err)
		}
	}
	return nil
}

// byBatch tells whether all rows of the view are those of batches.
func (v View) byBatch() bool {
	return !slices.Contains(slices.Collect(maps.Values(v.Tables)), "")
}

func (v View) refuseBatch() error {
	var others []string
	for _, other := range Views() {
		if other.byBatch() {
			others = append(others, other.Name)
		}
	}
	return domain.RefuseInvalid("batch", "view-not-by-batch", "the rows of the view %s are not those of batches: rebuild it whole; one batch alone can be rebuilt of %s", v.Name, strings.Join(others, ", "))
}

// ofBatch is the view as if there were no other batch.
func (v View) ofBatch(number string) View {
	apply := v.Apply
	v.Apply = func(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
		own := slices.DeleteFunc(slices.Clone(events), func(r wire.Record) bool { return batchOf(r) != number })
		if len(own) == 0 {
			return nil
		}
		return apply(ctx, tx, own)
	}
	return v
}

// batchOf an event: all rows that it changes are that batch's. Empty: none's.
func batchOf(r wire.Record) string {
	switch e := r.Event.(type) {
	case document.Event:
		return e.GetChange().Batch
	case discovery.Event:
		return e.GetChange().Batch
	case batch.Event:
		number, _ := domain.ParseBatchStream(r.Stream) // views refuse a stream that is none
		return number
	case operation.Event:
		return e.GetBatch()
	case fixity.Event:
		return e.GetBatch()
	case access.Event:
		return e.GetBatch()
	case approval.Event:
		return e.GetBatch()
	}
	return ""
}
