package verification

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
)

func draw(s Sample, keys []int) []string {
	sampler := newSampler(s)
	for _, n := range keys {
		sampler.take(object{Stored: domain.Stored{Key: fmt.Sprint("key-", n)}})
	}
	var drawn []string
	for _, o := range sampler.drawn() {
		drawn = append(drawn, o.Key)
	}
	return drawn
}

func TestASeedDrawsTheSameObjects(t *testing.T) {
	t.Parallel()
	keys := make([]int, 2000)
	for i := range keys {
		keys[i] = i % 1000 // each is named twice
	}
	first := draw(Sample{Size: 50, Seed: 7}, keys)
	require.Len(t, first, 50)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	require.Equal(t, first, draw(Sample{Size: 50, Seed: 7}, keys), "in another order")
	require.NotEqual(t, first, draw(Sample{Size: 50, Seed: 8}, keys), "with another seed")
	require.Len(t, draw(Sample{Size: 5000, Seed: 7}, keys), 1000, "more than there are")
}

// A draw is fair: over many seeds each object comes about as often as others.
func TestADrawIsFair(t *testing.T) {
	t.Parallel()
	keys := make([]int, 20)
	for i := range keys {
		keys[i] = i
	}
	times := map[string]int{}
	for seed := range uint64(2000) {
		for _, key := range draw(Sample{Size: 5, Seed: seed}, keys) {
			times[key]++
		}
	}
	for key, n := range times {
		require.InDelta(t, 500, n, 120, key)
	}
	require.Len(t, times, 20)
}
