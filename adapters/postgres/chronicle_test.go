package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/journaltest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// An append that has taken its time and is not committed yet belongs to that
// time: whoever asks for it waits, or is refused, and is never told that there
// is less.
func TestATimeIsSettledWhenNoAppendOfItIsUnderWay(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	j := open(t, pool)
	appended := func(stream string) {
		_, err := j.Append(t.Context(), commands.Append{Streams: []commands.StreamAppend{journaltest.Events(t, journaltest.Command(), stream, 0, 1)}})
		require.NoError(t, err)
	}
	clock := func() (at time.Time) {
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&at))
		return at
	}
	appended("source-a")
	first := clock()
	heads, settled, err := j.Settled(t.Context(), first)
	require.NoError(t, err)
	require.True(t, settled)
	require.EqualValues(t, 1, heads[domain.ControlPartition])
	_, settled, err = j.Settled(t.Context(), first.Add(time.Hour))
	require.NoError(t, err)
	require.False(t, settled)

	// What an append does first, and then it is slow.
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `SELECT clock_timestamp() FROM journal_heads WHERE partition = 0 FOR UPDATE`)
	require.NoError(t, err)
	_, _, err = j.Settled(t.Context(), clock())
	var refusal *domain.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "point-unsettled", refusal.Code)
	_, settled, err = j.Settled(t.Context(), first.Add(-time.Minute))
	require.NoError(t, err, "no append lasts as long")
	require.True(t, settled)
	require.NoError(t, tx.Rollback(t.Context()))

	// Under writes, what was told of a time stays true of it.
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			appended("source-" + journaltest.Command().String())
		}
	}()
	defer func() { stop(); <-ended }()
	pointOf := func(at time.Time) wire.Position {
		for tries := 1; ; tries++ {
			point, err := projections.PointOf(t.Context(), j, "asOf", at.Format(time.RFC3339Nano))
			if tries < 30 && errors.As(err, &refusal) && refusal.Code == "point-unsettled" {
				continue // an append was slow: the request is repeated, as it says
			}
			require.NoError(t, err)
			return point
		}
	}
	told := map[time.Time]wire.Position{}
	for range 20 {
		at := clock()
		told[at] = pointOf(at)
	}
	stop()
	<-ended
	for at, point := range told {
		require.Equal(t, point, pointOf(at))
		var records int64
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM journal WHERE partition = 0 AND substring(convert_from(record, 'UTF8') FROM '"time":"([^"]+)"')::timestamptz <= $1`, at).Scan(&records))
		require.Equal(t, records, point[domain.ControlPartition])
	}
}
