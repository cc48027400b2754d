package projections_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// Minutes are those of the events; the clock of the journal goes on a second an
// event.
func TestThroughput(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, number := range []string{"B1", "B2"} {
		j.Create(number, "2025-01-31")
	}
	begun := j.Now()
	for i := range 40 {
		number := "B1"
		if i%4 == 3 {
			number = "B2"
		}
		j.Discover(number, i)
		if i%4 == 2 {
			j.Fail(number, viewtest.ID(i), viewtest.Unavailable())
		} else {
			j.Migrate(number, viewtest.ID(i))
		}
	}
	read := func(t *testing.T, q projections.Querier, f projections.ThroughputFilter) (steps []projections.Throughput, sum projections.Throughput) {
		f.Since, f.Limit = begun.Add(-time.Hour), 1000
		steps, err := projections.ReadThroughput(t.Context(), q, f)
		require.NoError(t, err)
		for i, s := range steps {
			require.True(t, i == 0 || s.At.After(steps[i-1].At))
			sum.Migrated, sum.Failed, sum.Bytes = sum.Migrated+s.Migrated, sum.Failed+s.Failed, sum.Bytes+s.Bytes
		}
		return steps, sum
	}
	spec(t, j, func(t *testing.T, q projections.Querier) {
		minutes, all := read(t, q, projections.ThroughputFilter{Step: projections.PerMinute})
		require.Equal(t, []int64{30, 10}, []int64{all.Migrated, all.Failed})
		require.Greater(t, len(minutes), 1)
		for _, m := range minutes {
			require.Zero(t, m.At.Second())
			require.LessOrEqual(t, m.Migrated+m.Failed, int64(60))
		}
		_, of := read(t, q, projections.ThroughputFilter{Step: projections.PerHour, Batch: "B2"})
		require.Equal(t, []int64{10, 0}, []int64{of.Migrated, of.Failed})
		_, theirs := read(t, q, projections.ThroughputFilter{Step: projections.PerHour, Within: domain.Organizations{"other"}})
		require.Zero(t, theirs)
		one, err := projections.ReadThroughput(t.Context(), q, projections.ThroughputFilter{Step: projections.PerMinute, Since: minutes[1].At.Add(time.Second), Limit: 1})
		require.NoError(t, err)
		require.Equal(t, minutes[1:2], one, "from the step that holds it")
	})
}

// The overview is the sum of the batches that migrate.
func TestOverviewOfAllBatches(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Create("B2", "2025-01-31")
	j.Must(j.Batch("P1", batch.Create{Number: "P1", Source: viewtest.Source, SourceEnabled: true, SourceVersion: 1, Profile: "flagship", Mode: batch.Preflight, Scope: january}))
	for i := range 6 {
		j.Discover([]string{"B1", "B2"}[i%2], i)
	}
	j.Migrate("B1", viewtest.ID(0))
	j.Fail("B1", viewtest.ID(2), viewtest.Unsupported("invoice"))
	j.Fail("B2", viewtest.ID(1), viewtest.Unavailable())
	j.Must(j.Document(viewtest.ID(4), document.SkipFile{Batch: "B1", FileID: "invoice", Reason: "torn", ReviewOn: "2025-06-30"}))
	j.Must(j.Document(viewtest.ID(3), document.SkipFile{Batch: "B2", FileID: "invoice", Reason: "torn"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		at := func(day string, within ...string) projections.Overview {
			now, err := time.Parse(time.DateOnly, day)
			require.NoError(t, err)
			today, err := projections.TodayAt(now, nil)
			require.NoError(t, err)
			o, err := projections.ReadOverview(t.Context(), q, within, today)
			require.NoError(t, err)
			return o
		}
		o := at("2025-06-30")
		require.Equal(t, map[projections.BatchStatus]int64{projections.InProgress: 2}, o.Batches)
		require.Equal(t, projections.Documents{Pending: 3, Migrated: 1, Failed: 2}, o.Documents)
		require.EqualValues(t, 2, o.Files.Skipped)
		require.Equal(t, map[domain.Category]int64{domain.FormatMismatch: 1, domain.SourceUnavailable: 1}, o.Failures)
		require.EqualValues(t, 1, o.SkipsDue)
		require.Zero(t, at("2025-06-29").SkipsDue)
		require.Zero(t, at("2025-06-30", "other").Documents)
	})
}
