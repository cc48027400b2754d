package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// sampled documents show what an operation would be for.
const sampled = 10

// Chosen implements commands.Selection: count, sample and coordinates are of one
// snapshot. What it looks up beside the documents must be there whole.
func (s Selection) Chosen(ctx context.Context, choice operation.Choice) (c commands.Chosen, err error) {
	now, err := heads(ctx, s.pool)
	if err != nil {
		return c, err
	}
	control := wire.Position{domain.ControlPartition: now[domain.ControlPartition]}
	shown, err := projections.Position(ctx, s.pool, "documents")
	if err != nil {
		return c, err
	}
	if err := s.lookedUp(ctx, choice.Filter, control, shown); err != nil {
		return c, err
	}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if c.At, err = projections.Position(ctx, tx, "documents"); err != nil {
			return err
		}
		of := choosing(choice)
		if err := tx.QueryRow(ctx, `SELECT count(*)`+of.where(), of.values...).Scan(&c.Count); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT stream`+of.where()+fmt.Sprintf(` ORDER BY stream LIMIT %d`, sampled), of.values...)
		if err != nil {
			return err
		}
		c.Sample, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return c, fmt.Errorf("choose documents of batch %s: %w", choice.Batch, err)
	}
	c.At.Raise(control)
	return c, nil
}

// ChosenAfter implements commands.Selection. Views that are being rebuilt are
// waited for: they would have too few, and an operation would take those for
// changed.
func (s Selection) ChosenAfter(ctx context.Context, choice operation.Choice, at wire.Position, after string, limit int) ([]string, error) {
	if err := projections.WaitFor(ctx, s.pool, "documents", at); err != nil {
		return nil, err
	}
	if err := s.lookedUp(ctx, choice.Filter, wire.Position{domain.ControlPartition: at[domain.ControlPartition]}, at); err != nil {
		return nil, err
	}
	of := choosing(choice)
	if len(choice.Filter.Documents) == 0 {
		partitions, offsets := coordinates(at)
		of.and(`"offset" <= (SELECT c."offset" FROM unnest($%d::int[], $%d::bigint[]) c(partition, "offset") WHERE c.partition = d.partition)`, partitions, offsets)
	}
	of.and(`stream > $%d`, after)
	return s.streams(ctx, `SELECT stream`+of.where()+fmt.Sprintf(` ORDER BY stream LIMIT %d`, limit), of.values...)
}

// lookedUp waits for the views that a choice is looked up in: what control has of
// lists and operations, and of causes what the documents have.
func (s Selection) lookedUp(ctx context.Context, f operation.Filter, control, documents wire.Position) error {
	if f.Fingerprint != "" {
		if err := projections.WaitFor(ctx, s.pool, "leftovers", documents); err != nil {
			return err
		}
	}
	switch {
	case f.List != "":
		return projections.WaitFor(ctx, s.pool, "lists", control)
	case f.FailedOf != "":
		return projections.WaitFor(ctx, s.pool, "operations", control)
	}
	return nil
}

// conditions on documents d, with their values.
type conditions struct {
	texts  []string
	values []any
}

// and adds a condition whose %d are the numbers of its values.
func (c *conditions) and(text string, values ...any) {
	numbers := make([]any, len(values))
	for i, value := range values {
		c.values = append(c.values, value)
		numbers[i] = len(c.values)
	}
	c.texts = append(c.texts, fmt.Sprintf(text, numbers...))
}

func (c *conditions) where() string {
	return ` FROM documents d WHERE ` + strings.Join(c.texts, ` AND `)
}

// choosing documents: those that are named whatever their status, others when
// they are what the kind of operation is for.
func choosing(choice operation.Choice) *conditions {
	c, f := &conditions{}, choice.Filter
	c.and(`batch = $%d`, choice.Batch)
	switch {
	case len(f.Documents) > 0:
		c.and(`stream = ANY ($%d)`, f.Documents)
	case choice.Kind == operation.Recall:
		c.and(`files_skipped > 0`)
	default:
		c.and(`status = 'failed'`)
	}
	for _, narrowed := range []struct{ column, value string }{
		{"failure_category", string(f.Category)}, {"failure_code", f.Code}, {"organization", f.Organization}, {"document_type", f.DocumentType},
	} {
		if narrowed.value != "" {
			c.and(narrowed.column+` = $%d`, narrowed.value)
		}
	}
	if f.Organizations.Restricted() {
		c.and(`organization = ANY ($%d)`, f.Organizations)
	}
	if f.Fingerprint != "" {
		c.and(`EXISTS (SELECT FROM failed_documents c WHERE c.batch = d.batch AND c.stream = d.stream AND c.fingerprint = $%d AND NOT c.excepted)`, f.Fingerprint)
	}
	if f.List != "" {
		c.and(`EXISTS (SELECT FROM list_entries e JOIN lists l ON l.id = e.list
			WHERE l.id = $%d AND e.number = (CASE l.kind WHEN 'imageNumber' THEN d.image_number ELSE d.bill_number END) COLLATE "C")`, f.List)
	}
	if f.FailedOf != "" {
		c.and(`EXISTS (SELECT FROM operation_items i WHERE i.operation = $%d AND i.document = d.stream AND (i.outcome <> 'done' OR d.status = 'failed'))`, f.FailedOf)
	}
	return c
}
