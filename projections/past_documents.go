package projections

import (
	"context"
	"maps"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// pastDocumentsView is the documents together with what they are chosen by.
var pastDocumentsView = View{
	Name: documentsView.Name, Tables: merged(documentsView.Tables, leftoversView.Tables), Schema: documentsView.Schema + ";" + leftoversView.Schema,
	Apply: func(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
		if err := documentsView.Apply(ctx, tx, events); err != nil {
			return err
		}
		return leftoversView.Apply(ctx, tx, events)
	},
}

func merged(tables, others map[string]string) map[string]string {
	all := maps.Clone(tables)
	maps.Copy(all, others)
	return all
}

// FindDocument of a batch with its files, as it was at a point.
func (p *Past) FindDocument(ctx context.Context, number string, id domain.DocumentID, point wire.Position) (d Document, files []File, err error) {
	err = p.scratch(ctx, pastDocumentsView, point, p.newBudget(), func(s *scratch) error {
		records, err := p.documentsOf(ctx, point, number, id.Stream())
		if err != nil {
			return err
		}
		if err := s.apply(ctx, records); err != nil {
			return err
		}
		if d, err = FindDocument(ctx, s, number, id); err != nil {
			return err
		}
		files, err = FilesOf(ctx, s, number, d.Stream)
		return err
	})
	return d, files, err
}

// DocumentsOf gives documents of a batch as they were at a point. It goes
// through the batch's documents until it has as many as are asked for.
func (p *Past) DocumentsOf(ctx context.Context, f DocumentFilter, point wire.Position) (found []Document, err error) {
	if err := include(ctx, p.live, documentsView, point); err != nil {
		return nil, err
	}
	if _, err := p.pastBatch(ctx, f.Batch, point); err != nil {
		return nil, err
	}
	err = p.scratch(ctx, pastDocumentsView, point, p.newBudget(), func(s *scratch) error {
		for after, more := f.After, true; more && len(found) < f.Limit; {
			streams, err := p.members(ctx, f.Batch, after)
			if err != nil {
				return err
			}
			if more = len(streams) == pastStreams; len(streams) > 0 {
				after = streams[len(streams)-1]
			}
			if err := s.budget.spend(len(streams), point); err != nil {
				return err
			}
			records, err := p.documentsOf(ctx, point, f.Batch, streams...)
			if err != nil {
				return err
			}
			if err := s.apply(ctx, records); err != nil {
				return err
			}
			if found, err = DocumentsOf(ctx, s, f); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// members are streams of the documents that the batch has by now: none ever
// leaves it, so that those of any point are among them.
func (p *Past) members(ctx context.Context, number, after string) ([]string, error) {
	rows, err := p.live.Query(ctx, `SELECT stream FROM documents WHERE batch = $1 AND stream > $2 ORDER BY stream LIMIT $3`, number, after, pastStreams)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
