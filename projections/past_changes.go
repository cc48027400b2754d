package projections

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// StatusChange is a document of a batch that had another status at a later
// point than at an earlier one.
type StatusChange struct {
	Stream, ImageNumber string
	Before, After       document.Status // Before is empty when the document was not listed yet
	Category            domain.Category // of the failure that stands after
	Code                string
	ChangedAt           time.Time // by its last event up to the later point
	Version             int
}

// ChangeFilter narrows the changes in a batch; empty fields choose all.
type ChangeFilter struct {
	Batch          string
	StatusBefore   document.Status
	StatusAfter    document.Status
	Within         domain.Organizations // whose documents are seen; none: all
	After          string               // stream, to page on
	Limit          int
	Earlier, Later wire.Position
}

// Transition counts documents that went from one status to another.
type Transition struct {
	Before, After document.Status
	Documents     int64
}

// ComparedBatch is a batch at two points.
type ComparedBatch struct {
	Before, After BatchAt
	Transitions   []Transition // in order
}

// CompareBatch at two points. One that was not there yet at the first has
// nothing but its number there; so has one of which those who see the documents
// of some organisations alone saw nothing then.
func (p *Past) CompareBatch(ctx context.Context, number string, within domain.Organizations, earlier, later wire.Position) (c ComparedBatch, err error) {
	b := p.newBudget()
	if c.After, err = p.findBatch(ctx, number, within, later, b); err != nil {
		return c, err
	}
	c.Before, err = p.findBatch(ctx, number, within, earlier, b)
	if notFound(err) {
		c.Before, err = BatchAt{Batch: Batch{Number: number}, Failures: map[domain.Category]int64{}}, nil
	}
	if err != nil {
		return c, err
	}
	counts := map[[2]document.Status]int64{}
	err = p.eachChange(ctx, ChangeFilter{Batch: number, Within: within, Earlier: earlier, Later: later}, b, func(change StatusChange) bool {
		counts[[2]document.Status{change.Before, change.After}]++
		return true
	})
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b [2]document.Status) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for _, key := range keys {
		c.Transitions = append(c.Transitions, Transition{key[0], key[1], counts[key]})
	}
	return c, err
}

// Changes gives documents whose status was another at the later point than at
// the earlier one, in order of stream.
func (p *Past) Changes(ctx context.Context, f ChangeFilter) (found []StatusChange, err error) {
	err = p.eachChange(ctx, f, p.newBudget(), func(change StatusChange) bool {
		if (f.StatusBefore == "" || f.StatusBefore == change.Before) && (f.StatusAfter == "" || f.StatusAfter == change.After) {
			found = append(found, change)
		}
		return len(found) < f.Limit
	})
	return found, err
}

func notFound(err error) bool {
	var refusal *domain.Refusal
	return errors.As(err, &refusal) && refusal.Kind == domain.NotFound
}

// eachChange goes through the documents that changed after the earlier point. A
// batch that was not there then had none, even if the offsets of the point take
// in documents and not their batch.
func (p *Past) eachChange(ctx context.Context, f ChangeFilter, b *budget, each func(StatusChange) bool) error {
	if _, err := p.pastBatch(ctx, f.Batch, f.Later); err != nil {
		return err
	}
	if _, err := p.pastBatch(ctx, f.Batch, f.Earlier); notFound(err) {
		f.Earlier = wire.Position{}
	} else if err != nil {
		return err
	}
	if err := include(ctx, p.live, documentsView, f.Later); err != nil {
		return err
	}
	for after, more := f.After, true; more; {
		streams, err := changedSince(ctx, p.live, f.Batch, f.Earlier, after, pastStreams)
		if err != nil {
			return err
		}
		if more = len(streams) == pastStreams; len(streams) > 0 {
			after = streams[len(streams)-1]
		}
		if err := b.spend(len(streams), f.Earlier); err != nil {
			return err
		}
		records, err := p.documentsOf(ctx, f.Later, f.Batch, streams...)
		if err != nil {
			return err
		}
		if !changes(streams, records, f, each) {
			return nil
		}
	}
	return nil
}

// changes of documents, in order, with all their records up to the later point.
func changes(streams []string, records []wire.Record, f ChangeFilter, each func(StatusChange) bool) (more bool) {
	now := rowsAt(records)
	then := rowsAt(slices.DeleteFunc(slices.Clone(records), func(r wire.Record) bool { return r.Offset > f.Earlier[r.Partition] }))
	for _, stream := range streams {
		after, before := now[stream], document.Status("")
		if was := then[stream]; was != nil && f.Within.Has(was.Organization) {
			before = document.Status(was.Status)
		}
		if after == nil || !f.Within.Has(after.Organization) || string(before) == after.Status {
			continue
		}
		change := StatusChange{
			Stream: stream, ImageNumber: after.ImageNumber, Before: before, After: document.Status(after.Status),
			Category: domain.Category(after.Category), Code: after.Code, ChangedAt: after.ChangedAt, Version: after.Version,
		}
		if !each(change) {
			return false
		}
	}
	return true
}
