package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/verification"
)

// chosenViews are those to compare with a replay.
func (o verifyOptions) chosenViews() ([]projections.View, error) {
	switch o.views {
	case "none":
		return nil, nil
	case "all":
		return projections.Views(), nil
	}
	return projections.ViewsNamed(strings.Split(o.views, ","))
}

// replayed implements verification.Views.
type replayed struct {
	pool    *pgxpool.Pool
	reading postgres.Verification
	views   []projections.View
}

// Compare implements verification.Views.
func (r replayed) Compare(ctx context.Context, progress func(stage string, done, total int64)) ([]verification.ViewComparison, error) {
	software, err := software()
	if err != nil {
		return nil, err
	}
	tell := func(p projections.Progress) { progress(p.Stage, p.Done, p.Total) }
	// What it would log is in the report.
	rebuilder := projections.NewRebuilder(r.pool, r.reading, nil, software, slog.New(slog.DiscardHandler), tell)
	compared, err := rebuilder.Verify(ctx, r.views...)
	all := make([]verification.ViewComparison, len(compared))
	for i, c := range compared {
		all[i] = verification.ViewComparison{View: c.View, Rows: c.Rows, Different: c.Different}
		for _, d := range c.Differences {
			all[i].Differences = append(all[i].Differences, verification.RowDifference{Table: d.Table, Key: d.Key, Live: d.Live, Replayed: d.Rebuilt})
		}
	}
	return all, err
}
