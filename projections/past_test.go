package projections_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func openPast(t *testing.T, pool *pgxpool.Pool, history projections.Chronicle) *projections.Past {
	t.Helper()
	past, err := projections.NewPast(pool, history)
	require.NoError(t, err)
	t.Cleanup(past.Close)
	return past
}

// shown is all that the queries of overview, slices, documents and files tell.
type shown struct {
	Batches   []projections.Batch
	Paused    []projections.Batch
	Part      []projections.Batch // as those see them who see the documents of one organisation
	Failures  map[string]projections.BatchAt
	PartOf    map[string][]projections.Document
	Overviews map[string]projections.BatchAt
	Slices    map[string][]projections.Slice
	Documents map[string][]projections.Document
	Failed    map[string][]projections.Document
	Single    map[string]projections.Document
	Files     map[string][]projections.File
}

func newShown() shown {
	return shown{
		Overviews: map[string]projections.BatchAt{}, Slices: map[string][]projections.Slice{}, Documents: map[string][]projections.Document{},
		Failures: map[string]projections.BatchAt{}, PartOf: map[string][]projections.Document{},
		Failed: map[string][]projections.Document{}, Single: map[string]projections.Document{}, Files: map[string][]projections.File{},
	}
}

const enough = 1000

// part of the organisations of the stories' documents.
var part = domain.Organizations{"ORG-a", "none"}

func everyThird(all []projections.Document) (some []projections.Document) {
	for i := 0; i < len(all); i += 3 {
		some = append(some, all[i])
	}
	return some
}

// shownBy views, as they are.
func shownBy(t *testing.T, q projections.Querier) shown {
	t.Helper()
	ctx, s := t.Context(), newShown()
	var err error
	s.Batches, err = projections.Batches(ctx, q, projections.BatchFilter{Limit: enough})
	require.NoError(t, err)
	s.Paused, err = projections.Batches(ctx, q, projections.BatchFilter{Source: "s0", Phase: batch.PhasePaused, Limit: enough})
	require.NoError(t, err)
	s.Part, err = projections.Batches(ctx, q, projections.BatchFilter{Within: part, Limit: enough})
	require.NoError(t, err)
	for _, b := range s.Part {
		failures, err := projections.FailureCounts(ctx, q, b.Number, part)
		require.NoError(t, err)
		s.Failures[b.Number] = projections.BatchAt{Batch: b, Failures: failures}
		s.PartOf[b.Number], err = projections.DocumentsOf(ctx, q, projections.DocumentFilter{Batch: b.Number, Within: part, Limit: enough})
		require.NoError(t, err)
	}
	for _, b := range s.Batches {
		failures, err := projections.FailureCounts(ctx, q, b.Number, nil)
		require.NoError(t, err)
		s.Overviews[b.Number] = projections.BatchAt{Batch: b, Failures: failures}
		s.Slices[b.Number], err = projections.Slices(ctx, q, projections.SliceFilter{Batch: b.Number, Limit: enough})
		require.NoError(t, err)
		s.Documents[b.Number], err = projections.DocumentsOf(ctx, q, projections.DocumentFilter{Batch: b.Number, Limit: enough})
		require.NoError(t, err)
		s.Failed[b.Number], err = projections.DocumentsOf(ctx, q, projections.DocumentFilter{Batch: b.Number, Status: document.StatusFailed, Limit: 2})
		require.NoError(t, err)
		for _, d := range everyThird(s.Documents[b.Number]) {
			key := d.Batch + " " + d.Stream
			s.Single[key] = d
			s.Files[key], err = projections.FilesOf(ctx, q, d.Batch, d.Stream)
			require.NoError(t, err)
		}
	}
	return s
}

// shownOf the same, as of a point.
func shownOf(t *testing.T, p *projections.Past, point wire.Position) shown {
	t.Helper()
	ctx, s := t.Context(), newShown()
	var err error
	s.Batches, err = p.Batches(ctx, projections.BatchFilter{Limit: enough}, point)
	require.NoError(t, err)
	s.Paused, err = p.Batches(ctx, projections.BatchFilter{Source: "s0", Phase: batch.PhasePaused, Limit: enough}, point)
	require.NoError(t, err)
	s.Part, err = p.Batches(ctx, projections.BatchFilter{Within: part, Limit: enough}, point)
	require.NoError(t, err)
	for _, b := range s.Part {
		s.Failures[b.Number], err = p.FindBatch(ctx, b.Number, part, point)
		require.NoError(t, err)
		s.PartOf[b.Number], err = p.DocumentsOf(ctx, projections.DocumentFilter{Batch: b.Number, Within: part, Limit: enough}, point)
		require.NoError(t, err)
	}
	for _, b := range s.Batches {
		s.Overviews[b.Number], err = p.FindBatch(ctx, b.Number, nil, point)
		require.NoError(t, err)
		s.Slices[b.Number], err = p.Slices(ctx, projections.SliceFilter{Batch: b.Number, Limit: enough}, point)
		require.NoError(t, err)
		s.Documents[b.Number], err = p.DocumentsOf(ctx, projections.DocumentFilter{Batch: b.Number, Limit: enough}, point)
		require.NoError(t, err)
		s.Failed[b.Number], err = p.DocumentsOf(ctx, projections.DocumentFilter{Batch: b.Number, Status: document.StatusFailed, Limit: 2}, point)
		require.NoError(t, err)
		for _, d := range everyThird(s.Documents[b.Number]) {
			id, err := domain.ParseDocumentStream(d.Stream)
			require.NoError(t, err)
			key := d.Batch + " " + d.Stream
			s.Single[key], s.Files[key], err = p.FindDocument(ctx, b.Number, id, point)
			require.NoError(t, err)
		}
	}
	return s
}

// upTo are the records that belong to a point.
func upTo(records []wire.Raw, point wire.Position) []wire.Raw {
	return slices.DeleteFunc(slices.Clone(records), func(r wire.Raw) bool { return r.Offset > point[r.Partition] })
}

// TestThePastIsWhatTheViewsWere: at any point, whether a time or offsets that
// cut right through appends, the past shows what views that were built up to
// there show; at the head, what the live ones show.
func TestThePastIsWhatTheViewsWere(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			j := tell(t, 400+seed, 150)
			live, _ := openLive(t, j, j.Records())
			past, reference := openPast(t, live, j), openViews(t)
			heads, err := j.Heads(t.Context())
			require.NoError(t, err)
			require.Equal(t, shownBy(t, live), shownOf(t, past, heads))

			random := rand.New(rand.NewPCG(seed, 4))
			points := []wire.Position{{}, heads}
			for range 2 {
				at := viewtest.Begin.Add(time.Duration(random.Int64N(int64(j.Now().Sub(viewtest.Begin)))))
				point, err := projections.PointOf(t.Context(), j, "asOf", at.Format(time.RFC3339Nano))
				require.NoError(t, err)
				ragged := wire.Position{}
				for partition, head := range heads {
					ragged[partition] = random.Int64N(head + 1)
				}
				points = append(points, point, ragged)
			}
			for _, point := range points {
				apply(t, reference, j, cut(upTo(j.Records(), point), func() int { return 40 }))
				require.Equal(t, shownBy(t, reference), shownOf(t, past, point), "at %s", point)
			}
			requireComparison(t, past, points[:4])
		})
	}
}

// requireComparison: what changed between two points is what the documents at
// both say.
func requireComparison(t *testing.T, past *projections.Past, points []wire.Position) {
	t.Helper()
	statuses := func(s shown, number string) map[string]document.Status {
		all := map[string]document.Status{}
		for _, d := range s.Documents[number] {
			all[d.Stream] = d.Status
		}
		return all
	}
	latest := points[1]
	after := shownOf(t, past, latest)
	for _, earlier := range points {
		before := shownOf(t, past, earlier)
		for number, overview := range after.Overviews {
			was, is := statuses(before, number), statuses(after, number)
			expected := map[string]string{}
			for stream, status := range is {
				if status != was[stream] {
					expected[stream] = fmt.Sprintf("%s>%s", was[stream], status)
				}
			}
			compared, err := past.CompareBatch(t.Context(), number, nil, earlier, latest)
			require.NoError(t, err)
			require.Equal(t, overview, compared.After)
			if then, ok := before.Overviews[number]; ok {
				require.Equal(t, then, compared.Before)
			} else {
				require.Equal(t, projections.Batch{Number: number}, compared.Before.Batch)
			}
			actual, total := map[string]string{}, int64(0)
			for last, more := "", true; more; { // page by page
				page, err := past.Changes(t.Context(), projections.ChangeFilter{Batch: number, Earlier: earlier, Later: latest, After: last, Limit: 3})
				require.NoError(t, err)
				for _, c := range page {
					actual[c.Stream], last = fmt.Sprintf("%s>%s", c.Before, c.After), c.Stream
				}
				more = len(page) == 3
			}
			require.Equal(t, expected, actual)
			for _, transition := range compared.Transitions {
				filtered, err := past.Changes(t.Context(), projections.ChangeFilter{
					Batch: number, Earlier: earlier, Later: latest, StatusBefore: transition.Before, StatusAfter: transition.After, Limit: enough,
				})
				require.NoError(t, err)
				if transition.Before != "" {
					require.Len(t, filtered, int(transition.Documents))
				}
				total += transition.Documents
			}
			require.EqualValues(t, len(expected), total)
		}
	}
}

// A read of the past must not take a view that lags for what was not there yet.
func TestThePastWaitsForNoView(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("b", "2025-01-31")
	j.Discover("b", 1)
	pool, _ := openLive(t, j, j.Records())
	past := openPast(t, pool, j)
	j.Discover("b", 2)
	heads, err := j.Heads(t.Context())
	require.NoError(t, err)
	var late *projections.Late
	_, err = past.FindBatch(t.Context(), "b", nil, heads)
	require.ErrorAs(t, err, &late)
	_, err = past.DocumentsOf(t.Context(), projections.DocumentFilter{Batch: "b", Limit: 10}, heads)
	require.ErrorAs(t, err, &late)
	_, err = past.Batches(t.Context(), projections.BatchFilter{Limit: 10}, heads)
	require.ErrorAs(t, err, &late)
	d, _, err := past.FindDocument(t.Context(), "b", viewtest.ID(2), heads)
	require.NoError(t, err, "a document is read from the journal alone")
	require.Equal(t, document.StatusPending, d.Status)
}

// What would take too long is refused, and told where to go; what did not change
// since costs nothing.
func TestThePastIsBounded(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("b", "2025-01-31")
	for i := range 10 {
		j.Discover("b", i)
	}
	pool, _ := openLive(t, j, j.Records())
	past := openPast(t, pool, j)
	heads, err := j.Heads(t.Context())
	require.NoError(t, err)
	early := wire.Position{0: 1}
	documents := func(limit int) error {
		_, err := past.DocumentsOf(t.Context(), projections.DocumentFilter{Batch: "b", Limit: limit}, heads)
		return err
	}
	changes := func() error {
		_, err := past.Changes(t.Context(), projections.ChangeFilter{Batch: "b", Earlier: early, Later: heads, Limit: 10})
		return err
	}
	past.Allow(10)
	_, err = past.FindBatch(t.Context(), "b", nil, early)
	require.NoError(t, err)
	require.NoError(t, documents(10))
	require.NoError(t, changes())

	past.Allow(9)
	_, err = past.FindBatch(t.Context(), "b", nil, heads)
	require.NoError(t, err)
	_, err = past.FindBatch(t.Context(), "b", nil, early)
	requireRefused(t, err, "point-too-far")
	require.ErrorContains(t, err, "waybill replay --until 0:1 --into SCHEMA")
	requireRefused(t, documents(10), "point-too-far")
	requireRefused(t, changes(), "point-too-far")
	_, err = past.CompareBatch(t.Context(), "b", nil, early, heads)
	requireRefused(t, err, "point-too-far")
	_, err = past.Batches(t.Context(), projections.BatchFilter{Limit: 10}, early)
	requireRefused(t, err, "point-too-far")
}

// TestPointOf: a time takes in what was written at it or before, in every
// partition.
func TestPointOf(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("b", "2025-01-31") // second 1
	for i := range 20 {
		j.Discover("b", i) // from second 2 on
	}
	heads, err := j.Heads(t.Context())
	require.NoError(t, err)
	resolve := func(text string) wire.Position {
		t.Helper()
		point, err := projections.PointOf(t.Context(), j, "asOf", text)
		require.NoError(t, err)
		require.Len(t, point, domain.Partitions, "every partition is named, also an empty one")
		return point
	}
	expected := func(last time.Time) wire.Position {
		point := wire.Position{}
		for partition := range heads {
			point[partition] = 0
		}
		for _, r := range j.Records() {
			if at, err := wire.TimeOf(r.Bytes); err == nil && !at.After(last) {
				point[r.Partition] = r.Offset
			}
		}
		return point
	}
	for step := range 21 {
		for _, around := range []time.Duration{-time.Microsecond, 0, time.Microsecond, time.Second / 2} {
			at := viewtest.Begin.Add(time.Duration(step)*time.Second + around)
			require.Equal(t, expected(at), resolve(at.Format(time.RFC3339Nano)), "at %s", at)
		}
	}
	end := j.Now()
	require.Equal(t, heads, resolve(end.In(time.FixedZone("", 8*3600)).Format(time.RFC3339Nano)), "with an offset")
	require.Zero(t, sum(resolve("1999-12-31T23:59:59Z")), "before the first")

	// What a position does not name is as of the newest that it names.
	require.Equal(t, expected(viewtest.Begin.Add(time.Second)), resolve("0:1"))
	fifth := j.Records()[5]
	at, err := wire.TimeOf(fifth.Bytes)
	require.NoError(t, err)
	require.Equal(t, expected(at), resolve(wire.Position{fifth.Partition: fifth.Offset}.String()))
	odd := maps.Clone(heads)
	odd[0] = 0
	require.Equal(t, odd, resolve(odd.String()), "a whole position is taken as it is")
	require.Zero(t, sum(resolve("0:0")))

	for text, code := range map[string]string{
		"":                          "point-invalid",
		"yesterday":                 "point-invalid",
		"2026-01-31":                "point-invalid",
		"17:1":                      "point-invalid",
		"2025-03-01T08:00:00 08:00": "point-invalid",
		"0:2":                       "point-not-reached",
		end.Add(time.Microsecond).Format(time.RFC3339Nano): "point-not-reached",
	} {
		_, err := projections.PointOf(t.Context(), j, "asOf", text)
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal, text)
		require.Equal(t, code, refusal.Code, text)
		require.Equal(t, "asOf", refusal.Field)
	}
}

func sum(p wire.Position) (n int64) {
	for _, offset := range p {
		n += offset
	}
	return n
}

var _ projections.Chronicle = (*viewtest.Journal)(nil)
