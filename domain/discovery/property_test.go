package discovery_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
)

// commands are drawn near to where the listing stands, so that most of them
// have an effect and some come too late.
func command(s discovery.State) *rapid.Generator[discovery.Command] {
	return rapid.Custom(func(t *rapid.T) discovery.Command {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "c2", "d", "e"}), 0, 4).Draw(t, "items")
		all := items(names...)
		for i := range all {
			all[i].Elsewhere = all[i].Key == "key-e" || rapid.IntRange(0, 9).Draw(t, "elsewhere") == 0
			if !all[i].Elsewhere && rapid.IntRange(0, 4).Draw(t, "unlisted") == 0 {
				all[i].Unlisted = &discovery.Unlisted{ImageNumber: all[i].ImageNumber}
			}
		}
		list := discovery.ListPage{
			Pass: max(s.Pass-rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "pass"), 1), Page: max(s.Next-rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "page"), 1),
			Items: all, Total: rapid.IntRange(0, 8).Draw(t, "total"), Last: rapid.Bool().Draw(t, "last"),
		}
		switch rapid.IntRange(0, 9).Draw(t, "command") {
		case 0:
			return start
		case 1:
			return discovery.RetryDiscovery{Reason: rapid.SampledFrom([]string{"", "mended"}).Draw(t, "reason")}
		case 2:
			return discovery.FailAttempt{Failure: domain.Failure{Code: "c", Retryable: rapid.Bool().Draw(t, "retryable")}, MaxAttempts: 3}
		}
		return list
	})
}

func TestAnySequenceOfCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		past := listings.After(t, start)
		for range rapid.IntRange(1, 25).Draw(t, "length") {
			c := command(past.State()).Draw(t, "command")
			o := past.When(c)
			if o.Err != nil {
				continue
			}
			requireChanges(t, past.State(), o.Events)
			past = o.Past()
			if _, fails := c.(discovery.FailAttempt); !fails {
				past.When(c).ThenNothing()
			}
		}
	})
}

// requireChanges: what events say is what the state says, and nothing that
// the source got wrong makes up for what is missing.
func requireChanges(t *rapid.T, s discovery.State, events []discovery.Event) {
	for _, event := range events {
		require.Equal(t, s.Status, event.GetChange().Before)
		withdrawn := s.Result
		s = discovery.Evolve(s, event)
		require.Equal(t, s.Status, event.GetChange().After)
		switch e := event.(type) {
		case discovery.PageListed:
			require.Equal(t, len(s.Seen)-len(s.Elsewhere)-len(s.Unlisted), e.Found)
		case discovery.Completed:
			require.Equal(t, len(s.Seen), e.Found+e.Elsewhere+e.Unlisted)
			require.Equal(t, len(s.Elsewhere), e.Elsewhere)
			require.Equal(t, len(s.Unlisted), e.Unlisted)
			require.Equal(t, max(e.Total-len(s.Seen), 0), e.Missing)
			require.LessOrEqual(t, e.Passes, discovery.MaxPasses)
		case discovery.RetryRequested:
			require.Equal(t, withdrawn, e.Withdrawn)
			require.Equal(t, withdrawn.Shortfall(), e.Missing)
		}
	}
}

// A set's digest is that of its items in any order, and an item that comes
// twice does not vanish.
func TestDigest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "c2", "d"}), 1, 8).Draw(t, "names")
		other := rapid.Permutation(names).Draw(t, "other order")
		require.Equal(t, digest(names...), digest(other...))
		require.NotEqual(t, digest(names...), digest(append(other, names[0], names[0])...))
		require.NotEqual(t, digest(names...), digest(names[1:]...))
	})
	require.Equal(t, strings.Repeat("0", 64), digest())
	require.Equal(t, "e85e781787e19acd2ea50b363e06a5a838fe28e7c059c80d889ecf8a5669ca21", digest("a"), "digests are compared over versions of Waybill")
	require.Equal(t, "ba7816bf8f01cfea414140de", discovery.Short("abc"))
}
