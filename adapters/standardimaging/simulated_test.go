package standardimaging_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/content"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
)

// listAll lists a slice, page by page.
func listAll(t testing.TB, s *standardimaging.Source, plan commands.Plan, slice batch.Slice) (items []commands.Item, total int) {
	t.Helper()
	for page := 1; ; page++ {
		listed, err := s.List(t.Context(), plan, slice, page)
		require.NoError(t, err)
		require.Len(t, listed.RequestID, 16)
		require.NotEmpty(t, listed.TraceID)
		items, total = append(items, listed.Items...), listed.Total
		if listed.Last {
			return items, total
		}
	}
}

// TestWhatIsServedArrives: with every algorithm of hashes and of signatures,
// each file's bytes are those that the simulator says it served.
func TestWhatIsServedArrives(t *testing.T) {
	t.Parallel()
	signs, units := []string{"md5", "sha256", "hmac-sha256", "md5"}, []string{"ms", "s"}
	for i, algorithm := range []string{"md5", "sha1", "sha256", "sm3"} {
		sim, plan := simulated(t, simulator.Config{
			Seed: uint64(i), Documents: 110, FileSize: 3000, MaxFiles: 3, HashAlgorithm: algorithm, SignAlgorithm: signs[i], TimestampUnit: units[i%2],
		})
		s := standardimaging.New(resolve)
		items, total := listAll(t, s, plan, january)
		require.Len(t, items, 110)
		require.Equal(t, 110, total)
		var images []string
		for _, item := range items {
			images = append(images, item.ID.ImageNumber)
		}
		require.Contains(t, images[5], "/", "an image number may hold anything")
		again, err := s.Reread(t.Context(), plan, images)
		require.NoError(t, err)
		require.Len(t, again, 110)
		for n, truth := range sim.Truth().Documents {
			require.Equal(t, items[n].ID, again[n].ID)
			require.Equal(t, items[n].Listed, again[n].Listed, "but for the URLs it is the same")
			requireServed(t, s, plan, again[n], truth)
		}
		require.EqualValues(t, 2, sim.Stats().Rereads, "100 at most at once")
	}
}

func requireServed(t *testing.T, s *standardimaging.Source, plan commands.Plan, item commands.Item, truth simulator.TruthDocument) {
	t.Helper()
	require.Equal(t, truth.ImageNumber, item.ID.ImageNumber)
	require.Equal(t, truth.Resource, item.ID.Resource)
	require.Equal(t, truth.BillNumber, item.Listed.BillNumber)
	require.Len(t, item.Listed.Files, len(truth.Files))
	for n, f := range item.Listed.Files {
		body, err := s.Download(t.Context(), plan, item.URLs[f.ID])
		require.NoError(t, err)
		bytes := read(t, body)
		sum := sha256.Sum256(bytes)
		require.Equal(t, truth.Files[n].SHA256, hex.EncodeToString(sum[:]))
		require.EqualValues(t, len(bytes), f.Size)
		digests, err := content.NewDigests(f.HashAlgorithm)
		require.NoError(t, err)
		_, _ = digests.Write(bytes)
		require.Equal(t, f.Hash, digests.Declared(), f.HashAlgorithm)
	}
}

func TestAScopeIsAskedFor(t *testing.T) {
	t.Parallel()
	_, plan := simulated(t, simulator.Config{Documents: 200, RefusedOrganization: "ORG-003"})
	s := standardimaging.New(resolve)
	items, _ := listAll(t, s, plan, batch.Slice{Organization: "ORG-002", DocumentTypes: []string{"ap_invoice"}, From: "2025-01-10", To: "2025-01-20"})
	require.NotEmpty(t, items)
	for _, item := range items {
		require.Equal(t, "ORG-002", item.Listed.Organization)
		require.Equal(t, "ap_invoice", item.Listed.DocumentType)
		require.GreaterOrEqual(t, item.Listed.BillDate, "2025-01-10")
		require.LessOrEqual(t, item.Listed.BillDate, "2025-01-20")
	}
	_, err := s.List(t.Context(), plan, batch.Slice{Organization: "ORG-003", From: from, To: to}, 1)
	failed := sourceError(t, err).Failure
	require.Equal(t, domain.SourceRejected, failed.Category)
	require.Equal(t, "1403", failed.SourceCode)
	require.NotEmpty(t, failed.TraceID)
	require.Len(t, failed.RequestID, 16)
	require.False(t, failed.Retryable)
	require.Contains(t, failed.Detail, "ORG-003")
}

func TestOneTokenForAllWorkers(t *testing.T) {
	t.Parallel()
	sim, plan := simulated(t, simulator.Config{Documents: 4})
	sim.SetPhase(simulator.Recovered)
	s := standardimaging.New(resolve)
	inParallel(t, 64, func() error {
		_, err := s.List(t.Context(), plan, january, 1)
		return err
	})
	require.EqualValues(t, 1, sim.Stats().Tokens)
	require.EqualValues(t, 64, sim.Stats().Lists)
}

func inParallel(t *testing.T, n int, do func() error) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if err := do(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestFaultsOfFiles(t *testing.T) {
	t.Parallel()
	sim, plan := simulated(t, simulator.Config{Documents: 60, FileSize: 90_000, MinFiles: 2, Faults: map[simulator.Fault]int{
		simulator.Throttled: 1, simulator.Unavailable: 1, simulator.Truncated: 1, simulator.ExpiredURL: 1, simulator.Slow: 1,
	}})
	wanted := map[simulator.Fault]domain.Failure{
		simulator.Throttled:   {Code: "http-429", Category: domain.SourceThrottled, HTTPStatus: 429},
		simulator.Unavailable: {Code: "http-503", Category: domain.SourceUnavailable, HTTPStatus: 503},
		simulator.Truncated:   {Code: "body-truncated", Category: domain.SourceUnavailable},
		simulator.ExpiredURL:  {Code: "http-403", Category: domain.SourceUnavailable, HTTPStatus: 403},
	}
	s := standardimaging.New(resolve)
	items, _ := listAll(t, s, plan, january)
	met := 0
	for n, truth := range sim.Truth().Documents {
		if truth.Fault == simulator.None {
			continue
		}
		met++
		_, err := download(t.Context(), s, plan, items[n].URLs[truth.FaultyFile])
		want, fails := wanted[truth.Fault]
		if !fails {
			require.NoError(t, err)
			continue
		}
		failed := sourceError(t, err)
		got := failed.Failure
		require.Equal(t, want, domain.Failure{Code: got.Code, Category: got.Category, HTTPStatus: got.HTTPStatus}, truth.Fault)
		require.Equal(t, domain.StageFetch, got.Stage)
		require.True(t, got.Retryable)
		if truth.Fault == simulator.Throttled {
			require.EqualValues(t, 1, failed.RetryAfter.Seconds())
		}
		require.NotContains(t, err.Error(), "sig=")

		sim.SetPhase(simulator.Recovered)
		bytes, err := download(t.Context(), s, plan, items[n].URLs[truth.FaultyFile])
		require.NoError(t, err, "it is over")
		require.NotEmpty(t, bytes)
		sim.SetPhase(simulator.Disturbed)
	}
	require.Equal(t, 5, met)
}

func download(ctx context.Context, s *standardimaging.Source, plan commands.Plan, address string) ([]byte, error) {
	body, err := s.Download(ctx, plan, address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	var b bytes.Buffer
	_, err = b.ReadFrom(body)
	return b.Bytes(), err
}

func TestAThrottledListingPausesDataCalls(t *testing.T) {
	t.Parallel()
	sim, plan := simulated(t, simulator.Config{Documents: 4, Faults: map[simulator.Fault]int{simulator.ThrottledListing: 1}})
	s := standardimaging.New(resolve)
	_, err := s.List(t.Context(), plan, january, 1)
	var rest *commands.NotNow
	require.ErrorAs(t, err, &rest)
	require.Equal(t, "http-429", rest.Failure.Code)
	<-time.After(time.Until(rest.Until))
	page, err := s.List(t.Context(), plan, january, 1)
	require.NoError(t, err, "as long as it asked for is over")
	require.Len(t, page.Items, 4)
	require.EqualValues(t, 3, sim.Stats().Lists, "the one refused, one that asks whether it is there, and one more")
}

func TestHostileSources(t *testing.T) {
	t.Parallel()
	for hostile, detail := range map[simulator.Hostile]string{simulator.AnswersHTML: "text/html", simulator.WrongShape: "not the agreed JSON"} {
		_, plan := simulated(t, simulator.Config{Documents: 4, Hostile: hostile})
		_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
		failed := sourceError(t, err).Failure
		require.Equal(t, "answer-invalid", failed.Code)
		require.Equal(t, domain.SourceRejected, failed.Category)
		require.Contains(t, failed.Detail, detail)
	}
	_, plan := simulated(t, simulator.Config{Documents: 40, Hostile: simulator.EndlessPages})
	page, err := standardimaging.New(resolve).List(t.Context(), plan, january, 77)
	require.NoError(t, err)
	require.False(t, page.Last, "whoever lists decides when it is enough")
}

func TestALargeDocument(t *testing.T) {
	t.Parallel()
	_, plan := simulated(t, simulator.Config{Documents: 1, LargeDocument: 10_000})
	page, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
	require.NoError(t, err)
	require.Len(t, page.Items[0].Listed.Files, 10_000)
	require.Len(t, page.Items[0].URLs, 10_000)
}
