package postgres_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// drawnBy a sample, as fixity.Sample says, without a database.
func drawnBy(seed int64, n, documents int) (streams []string, bound string) {
	digest := func(stream string) string {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s", seed, stream))
		return hex.EncodeToString(sum[:])
	}
	for i := range documents {
		streams = append(streams, viewtest.ID(i).Stream())
	}
	slices.SortFunc(streams, func(a, b string) int { return cmp.Compare(digest(a), digest(b)) })
	streams = streams[:n]
	bound = digest(streams[n-1])
	slices.Sort(streams)
	return streams, bound
}

// What is migrated, or changed, after a verification was asked for is not part of
// it; a sample is drawn by the seed alone.
func TestMigratedDocumentsAreFrozenAndDrawn(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	for i := range 42 {
		j.Discover("B", i)
	}
	for i := range 40 {
		j.Migrate("B", viewtest.ID(i))
	}
	pool := viewed(t, j)
	s := postgres.NewSelection(pool)
	all, err := s.Migrated(t.Context(), "B", nil)
	require.NoError(t, err)
	require.Equal(t, []int{40, 40}, []int{all.Documents, all.Selected})
	require.Nil(t, all.Sample)
	none, err := s.Migrated(t.Context(), "none", &fixity.Sample{Count: 3})
	require.NoError(t, err)
	require.Zero(t, none.Selected)

	for _, sample := range []fixity.Sample{{Percent: 20, Seed: 7}, {Count: 8, Seed: 7}, {Count: 8, Seed: -8}} {
		chosen, err := s.Migrated(t.Context(), "B", &sample)
		require.NoError(t, err)
		streams, bound := drawnBy(sample.Seed, 8, 40)
		require.Equal(t, []any{8, bound, sample.Percent}, []any{chosen.Selected, chosen.Sample.Bound, chosen.Sample.Percent})
		var found []string
		for after := ""; ; after = found[len(found)-1] {
			page, err := s.MigratedAfter(t.Context(), "B", chosen.Sample, chosen.At, after, 3)
			require.NoError(t, err)
			if found = append(found, page...); len(page) < 3 {
				break
			}
		}
		require.Equal(t, streams, found)
	}

	j.Migrate("B", viewtest.ID(40))
	j.Must(j.Document(viewtest.ID(0), document.ReportLoss{Objects: []document.Lost{{Key: "none of its own", Fault: document.Missing}}, Reason: "restored"}))
	catchUp(t, pool, j)
	streams, err := s.MigratedAfter(t.Context(), "B", nil, all.At, "", 100)
	require.NoError(t, err)
	require.Len(t, streams, 39)
	require.NotContains(t, streams, viewtest.ID(0).Stream())
	require.NotContains(t, streams, viewtest.ID(40).Stream())
}

// A retry takes what was not as it should be, in the order of documents.
func TestRepeatedDocuments(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	id := fixity.ID("B", 1)
	outcomes := []fixity.Outcome{fixity.Missing, fixity.Intact, fixity.Extra, fixity.Changed, fixity.Unverifiable}
	var found []fixity.Examined
	for i, outcome := range outcomes {
		e := fixity.Examined{Item: fixity.Item{Document: fmt.Sprintf("d%d", i), Outcome: outcome}}
		if outcome != fixity.Intact {
			e.Flawed, e.Flaws = 2, []fixity.Flaw{{Key: "k", Fault: outcome}, {Key: "l", Fault: fixity.Extra}}
		}
		found = append(found, e)
	}
	j.Must(j.Verification(id, fixity.Request{ID: id, Batch: "B", Number: 1, Migrated: 5, Selected: 5, Reason: "x"}))
	j.Must(j.Verification(id, fixity.Advance{Round: 1, Until: "d4", Documents: found, Last: true}))
	s := postgres.NewSelection(viewed(t, j))
	first, err := s.Repeated(t.Context(), id, nil, "", 2)
	require.NoError(t, err)
	require.Equal(t, []fixity.Item{{Document: "d0", Outcome: fixity.Missing}, {Document: "d3", Outcome: fixity.Changed}}, first)
	rest, err := s.Repeated(t.Context(), id, nil, "d3", 2)
	require.NoError(t, err)
	require.Equal(t, []fixity.Item{{Document: "d4", Outcome: fixity.Unverifiable}}, rest)
	n, err := s.Verifications(t.Context(), "B")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = s.Verifications(t.Context(), "other")
	require.NoError(t, err)
	require.Zero(t, n)
}

// A verification is leased whole, while it runs, whatever its batch may do.
func TestClaimOfVerifications(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, batch := range []string{"A", "B"} {
		id := fixity.ID(batch, 1)
		j.Must(j.Verification(id, fixity.Request{ID: id, Batch: batch, Number: 1, Migrated: 5, Selected: 5, Reason: "x"}))
	}
	pool := viewed(t, j)
	w := postgres.NewWorklist(pool)
	first := claim(t, w, commands.WorkVerify, "one", 1)
	require.Len(t, first, 1)
	require.Equal(t, commands.Work{
		WorkID: commands.WorkID{Stream: domain.VerificationStream("A-V1")}, Kind: commands.WorkVerify, Batch: "A", Due: first[0].Due,
	}, first[0])
	require.Equal(t, "B", claim(t, w, commands.WorkVerify, "two", 5)[0].Batch)

	j.Must(j.Verification("A-V1", fixity.Advance{Round: 1, Until: "d1", Documents: []fixity.Examined{{Item: fixity.Item{Document: "d1", Outcome: fixity.Intact}}}}))
	catchUp(t, pool, j)
	require.Empty(t, claim(t, w, commands.WorkVerify, "two", 5), "its holder goes on from page to page")
	require.NoError(t, w.Extend(t.Context(), "one", first, time.Hour))
	require.NoError(t, w.Release(t.Context(), "one", first))
	again := claim(t, w, commands.WorkVerify, "two", 5)
	require.Equal(t, first, again)

	j.Must(j.Verification("A-V1", fixity.Advance{Round: 1, After: "d1", Until: "d1", Last: true}))
	catchUp(t, pool, j)
	require.NoError(t, w.Release(t.Context(), "two", again))
	require.Empty(t, claim(t, w, commands.WorkVerify, "two", 5))
}
