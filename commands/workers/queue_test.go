package workers

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
)

func jobs(source string, n int) []job {
	all := make([]job, n)
	for i := range all {
		all[i].work = commands.Work{WorkID: commands.WorkID{Stream: source, Version: i}, Source: source}
	}
	return all
}

// taken are the sources of the next documents that migrators get, until none is
// for them.
func taken(t *testing.T, q *queue) (sources []string) {
	t.Helper()
	for {
		q.mu.Lock()
		j, found := q.next()
		q.mu.Unlock()
		if !found {
			return sources
		}
		sources = append(sources, j.work.Source)
	}
}

func TestSourcesShareTheMigrators(t *testing.T) {
	t.Parallel()
	q := newQueue(4)
	q.put(jobs("slow", 10))
	require.Equal(t, []string{"slow", "slow", "slow", "slow"}, taken(t, q), "alone it has all of them")
	q.put(jobs("quick", 3))
	require.Equal(t, []string{"quick", "quick"}, taken(t, q), "its share, though the other has had more")
	q.done(jobs("quick", 1)[0])
	require.Equal(t, []string{"quick"}, taken(t, q))
	for range 3 {
		q.done(jobs("slow", 1)[0])
	}
	require.Equal(t, []string{"slow"}, taken(t, q), "and now the other has no more than its share")
	q.done(jobs("quick", 1)[0])
	q.done(jobs("quick", 1)[0])
	require.Equal(t, []string{"slow", "slow"}, taken(t, q), "nobody else has any")
}

func TestWhoWaitsIsGivenWhatComes(t *testing.T) {
	t.Parallel()
	q := newQueue(2)
	given := make(chan job)
	go func() {
		for {
			j, ok := q.take(t.Context())
			if !ok {
				return
			}
			given <- j
			q.done(j)
		}
	}()
	for round := range 3 {
		q.put(jobs("a", 2))
		require.Equal(t, 0, (<-given).work.Version, round)
		require.Equal(t, 1, (<-given).work.Version, round)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, ok := newQueue(1).take(ended)
	require.False(t, ok)
}

func TestASourceWithEnoughIsFull(t *testing.T) {
	t.Parallel()
	q := newQueue(2)
	q.put(jobs("a", enough+1))
	q.put(jobs("b", enough-1))
	full, room := q.full()
	require.Equal(t, []string{"a"}, full)
	_, _ = q.take(t.Context())
	select {
	case <-room:
		require.FailNow(t, "it has enough")
	default:
	}
	_, _ = q.take(t.Context()) // b's turn
	q.done(jobs("a", 1)[0])
	_, _ = q.take(t.Context())
	<-room
	full, _ = q.full()
	require.Empty(t, full)
}
