package standardimaging

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answers has a number of files answered, one every millisecond, each after a
// time, and every so-and-so many refused.
func answers(a *adaptive, at time.Time, n int, took time.Duration, refusedEvery int) time.Time {
	for i := range n {
		at = at.Add(time.Millisecond)
		a.saw(seen{sent: at.Add(-took), came: at, refused: refusedEvery > 0 && i%refusedEvery == 0, file: true}, 64)
	}
	return at
}

var begun = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func TestItBeginsGentlyAndDoublesUntilItIsRefused(t *testing.T) {
	t.Parallel()
	a := &adaptive{allowed: firstConcurrency}
	at := answers(a, begun, 20, 50*time.Millisecond, 0)
	require.InDelta(t, 37, a.allowed, 1)
	at = answers(a, at, 200, 50*time.Millisecond, 0)
	require.EqualValues(t, 64, a.allowed)
	at = answers(a, at, 64, 50*time.Millisecond, 2)
	require.EqualValues(t, 32, a.allowed, "half")
	late := at.Add(-time.Second)
	for range 100 {
		a.saw(seen{sent: late, came: at, refused: true, file: true}, 64)
	}
	require.EqualValues(t, 32, a.allowed, "what was sent before saw the other concurrency")
	at = answers(a, at.Add(time.Second), 33, 50*time.Millisecond, 0)
	require.InDelta(t, 33, a.allowed, 1, "one a round")
	at = answers(a, at, 3000, 50*time.Millisecond, 0)
	require.EqualValues(t, 64, a.allowed)
	answers(a, at, 100_000, 50*time.Millisecond, 1)
	require.EqualValues(t, 1, a.allowed, "and never nothing")
}

// A few files that never come slow nobody down.
func TestAFewRefusalsAreNoOverload(t *testing.T) {
	t.Parallel()
	a := &adaptive{allowed: firstConcurrency}
	answers(a, begun, 5000, 50*time.Millisecond, 25)
	require.EqualValues(t, 64, a.allowed)
}

func TestALatencyThatRises(t *testing.T) {
	t.Parallel()
	a := &adaptive{allowed: firstConcurrency}
	at := answers(a, begun, 500, 20*time.Millisecond, 0)
	at = answers(a, at, 500, 200*time.Millisecond, 0)
	require.EqualValues(t, 64, a.allowed, "ten times as long, and nobody notices")
	at = answers(a, at.Add(time.Minute), 20_000, 2*time.Second, 0)
	require.Less(t, a.allowed, 40.0)
	for range 3 { // longer than it is remembered that it was better
		at = answers(a, at.Add(leastAge+time.Second), 5000, 2*time.Second, 0)
	}
	require.EqualValues(t, 64, a.allowed, "what is slow for good is usual")
}
