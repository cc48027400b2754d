package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/journaltest"
	"github.com/waybill-migration/waybill/domain/wire"
)

// A stretch is bounded by both ends and by bytes, and is never empty while
// there is something.
func TestStretches(t *testing.T) {
	t.Parallel()
	j := open(t, postgrestest.New(t))
	for _, stream := range []string{"source-a", "source-b"} {
		_, err := j.Append(t.Context(), commands.Append{Streams: []commands.StreamAppend{journaltest.Events(t, journaltest.Command(), stream, 0, 6)}})
		require.NoError(t, err)
	}
	all, err := j.Read(t.Context(), 0, 0, 100)
	require.NoError(t, err)
	require.Len(t, all, 12)
	size := len(all[0].Bytes)
	const plenty = 1 << 20
	offsets := func(records []wire.Raw, err error) (list []int64) {
		t.Helper()
		require.NoError(t, err)
		for _, r := range records {
			require.Equal(t, all[r.Offset-1], r)
			list = append(list, r.Offset)
		}
		return list
	}
	stretch := func(after, upTo int64, bytes int) []int64 {
		return offsets(j.Stretch(t.Context(), 0, after, upTo, bytes))
	}
	require.Equal(t, []int64{3, 4, 5}, stretch(2, 5, plenty))
	require.Equal(t, []int64{3, 4}, stretch(2, 5, 2*size+size/2))
	require.Equal(t, []int64{3}, stretch(2, 5, 1), "one at least")
	require.Empty(t, stretch(12, 20, plenty))
	require.Empty(t, stretch(5, 5, plenty))
	require.Empty(t, offsets(j.Stretch(t.Context(), 1, 0, 10, plenty)))

	of := func(after, upTo int64, limit, bytes int) []int64 {
		return offsets(j.StretchOfStream(t.Context(), "source-b", after, upTo, limit, bytes))
	}
	require.Equal(t, []int64{7, 8, 9, 10, 11, 12}, of(0, 12, 100, plenty))
	require.Equal(t, []int64{9, 10}, of(8, 10, 100, plenty))
	require.Equal(t, []int64{7, 8}, of(0, 12, 2, plenty))
	require.Equal(t, []int64{7}, of(0, 12, 100, 1), "one at least")
	require.Empty(t, of(12, 20, 100, plenty))
}
