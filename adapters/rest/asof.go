package rest

import (
	"context"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// When is the part of inputs of reads that can show the past too.
type When struct {
	After
	AsOf string `query:"asOf" maxLength:"600" example:"2026-01-31T18:00:00Z" doc:"A point of the past: the answer is as it was then. Either a time (RFC 3339), which takes in all that was written at it or before, or a position, of which a partition that is not named is as of the time of the newest record that is. Waybill-Position says which position it is, exactly. Not together with after"`
}

// moment that an answer shows: the present, or a point of the past.
type moment struct {
	*server
	point wire.Position // nil: the present
}

// moment of a read. A point of the past waits for the views as after does.
func (s *server) moment(ctx context.Context, when When) (moment, error) {
	if when.AsOf == "" {
		return moment{server: s}, nil
	}
	if when.After.After != "" {
		return moment{}, domain.RefuseInvalid("asOf", "point-and-after", "a read shows the past (asOf) or what a command did (after), not both: leave one out")
	}
	point, err := s.point(ctx, "asOf", when.AsOf)
	return moment{s, point}, err
}

// point of the past that the views include.
func (s *server) point(ctx context.Context, field, text string) (wire.Position, error) {
	point, err := projections.PointOf(ctx, s.Journal, field, text)
	if err != nil {
		return nil, err
	}
	return point, s.waitFor(ctx, After{point.String()}, batchesView, documentsView)
}

// position of an answer that shows the past; empty for the present.
func (m moment) position() string { return m.point.String() }

func (m moment) batches(ctx context.Context, f projections.BatchFilter) ([]projections.Batch, error) {
	if m.point == nil {
		return projections.Batches(ctx, m.Views, f)
	}
	return m.Past.Batches(ctx, f, m.point)
}

func (m moment) overview(ctx context.Context, number Number, after After) (b projections.BatchAt, err error) {
	if m.point != nil {
		if err := m.see(ctx, number.Number); err != nil {
			return b, err
		}
		return m.Past.FindBatch(ctx, number.Number, restriction(ctx), m.point)
	}
	if b.Batch, err = m.findBatch(ctx, number, after, documentsView); err == nil {
		b.Failures, err = projections.FailureCounts(ctx, m.Views, b.Number, restriction(ctx))
	}
	return b, err
}

func (m moment) slices(ctx context.Context, f projections.SliceFilter) ([]projections.Slice, error) {
	if m.point == nil {
		return projections.Slices(ctx, m.Views, f)
	}
	return m.Past.Slices(ctx, f, m.point)
}

func (m moment) documents(ctx context.Context, f projections.DocumentFilter) ([]projections.Document, error) {
	if m.point == nil {
		return projections.DocumentsOf(ctx, m.Views, f)
	}
	return m.Past.DocumentsOf(ctx, f, m.point)
}

func (m moment) document(ctx context.Context, number string, id domain.DocumentID) (d projections.Document, files []projections.File, err error) {
	if m.point != nil {
		d, files, err = m.Past.FindDocument(ctx, number, id, m.point)
	} else if d, err = projections.FindDocument(ctx, m.Views, number, id); err == nil {
		files, err = projections.FilesOf(ctx, m.Views, d.Batch, d.Stream)
	}
	if err = hidden(ctx, d, err, number, id); err != nil {
		return projections.Document{}, nil, err
	}
	return d, files, nil
}

// hidden answers a document that is not of whoever asks as one that is not there.
func hidden(ctx context.Context, d projections.Document, err error, number string, id domain.DocumentID) error {
	if restriction(ctx).Restricted() && (err == nil && !restriction(ctx).Has(d.Organization) || isNotFound(err)) {
		return noDocument(id, number)
	}
	return err
}

// tag of an answer. The past has none: no command is meant for it.
func (m moment) tag(version int) string {
	if m.point != nil {
		return ""
	}
	return etag(version)
}

func overviewOf(b projections.BatchAt, theirs domain.Organizations) BatchOverview {
	return BatchOverview{Batch: batchOf(b.Batch, theirs), Failures: b.Failures, Runs: b.Runs}
}
