package deliveries

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Whatever was read of each partition: what comes out is the begin of the
// history by time, and all of it when all was read.
func TestMergeGivesTheBeginOfTheHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		partitions := make([][]wire.Raw, rapid.IntRange(1, 5).Draw(t, "partitions"))
		var history []wire.Raw
		at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
		for range rapid.IntRange(0, 30).Draw(t, "records") {
			// One append may write to several partitions, at one time.
			touched := rapid.SliceOfNDistinct(rapid.IntRange(0, len(partitions)-1), 1, len(partitions), rapid.ID[int]).Draw(t, "touched")
			slices.Sort(touched)
			at = at.Add(time.Microsecond)
			for _, partition := range touched {
				raw := record(t, partition, int64(len(partitions[partition])+1), at)
				partitions[partition] = append(partitions[partition], raw)
				history = append(history, raw)
			}
		}
		var stretches []stretch
		all := true
		for _, records := range partitions {
			if len(records) > 0 {
				read := rapid.IntRange(1, len(records)).Draw(t, "read")
				stretches = append(stretches, stretch{records: records[:read], whole: read == len(records)})
				all = all && read == len(records)
			}
		}
		merged, err := merge(stretches)
		require.NoError(t, err)
		for i, raw := range merged {
			require.Equal(t, history[i], raw)
		}
		if all {
			require.Len(t, merged, len(history))
		} else {
			require.NotEmpty(t, merged, "there is always a step forward")
		}
	})
}

func record(t require.TestingT, partition int, offset int64, at time.Time) wire.Raw {
	draft, err := wire.Encode(wire.Metadata{Command: wire.UUID{byte(partition), byte(offset)}}, fmt.Sprintf("stream-%d", partition), 0, webhook.Tested{})
	require.NoError(t, err)
	return wire.Raw{Partition: partition, Offset: offset, Bytes: draft.Place(wire.Coordinates{Partition: partition, Offset: offset, Version: 1, Time: at})}
}

func TestWhatIsNoRecordIsNotMerged(t *testing.T) {
	t.Parallel()
	_, err := merge([]stretch{{records: []wire.Raw{{Bytes: []byte("{}")}}, whole: true}})
	require.Error(t, err)
}

func TestIDsOfDeliveries(t *testing.T) {
	t.Parallel()
	id := ID{Webhook: "erp", Partition: 7, Offset: 123}
	parsed, err := ParseID("erp", id.String())
	require.NoError(t, err)
	require.Equal(t, id, parsed)
	for _, text := range []string{"", "7", "7:", "07:1", "17:1", "0:1,7:2", "7:-1", "7:99999999999999999999"} {
		_, err := ParseID("erp", text)
		require.Error(t, err, text)
	}
}
