package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

func TestPositionAsText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0:15,7:123,12:1", wire.Position{12: 1, 0: 15, 7: 123}.String())
	require.Empty(t, wire.Position{}.String())
	repeated, err := wire.ParsePosition("3:5,3:9,3:7")
	require.NoError(t, err)
	require.Equal(t, wire.Position{3: 9}, repeated)
	for _, text := range []string{"1", "1:", ":1", "1:2,", "1:-2", "-1:2", "17:1", "a:1", "1:b", "1:2;3:4", " 1:2", "1:99999999999999999999"} {
		_, err := wire.ParsePosition(text)
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal, text)
		require.Equal(t, "position-invalid", refusal.Code)
	}
}

var positions = rapid.Custom(func(t *rapid.T) wire.Position {
	return rapid.MapOfN(rapid.IntRange(0, domain.Partitions-1), rapid.Int64Min(0), 0, 5).Draw(t, "position")
})

func TestPositions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := positions.Draw(t, "a"), positions.Draw(t, "b")
		parsed, err := wire.ParsePosition(a.String())
		require.NoError(t, err)
		require.Equal(t, a, parsed)

		raised := wire.Position{}
		raised.Raise(a)
		require.True(t, raised.Reached(a) && a.Reached(raised))
		raised.Raise(b)
		require.True(t, raised.Reached(a) && raised.Reached(b))
		for partition, offset := range raised {
			require.Equal(t, max(a[partition], b[partition]), offset)
			further := wire.Position{partition: min(offset, 1<<62) + 1}
			require.Equal(t, offset > 1<<62, raised.Reached(further))
		}
		require.True(t, a.Reached(wire.Position{}))
	})
}
