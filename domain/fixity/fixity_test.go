package fixity_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/spec"
	"github.com/waybill-migration/waybill/domain/wire"
)

var verifications = spec.Aggregate[fixity.State, fixity.Command, fixity.Event]{
	Decide: fixity.Decide, Evolve: fixity.Evolve, Version: func(s fixity.State) int { return s.Version },
}

var request = fixity.Request{
	ID: "B1-V1", Batch: "B1", Number: 1, Migrated: 10, Selected: 4, Sample: &fixity.Sample{Percent: 40, Seed: 7, Bound: "0d"},
	Coordinates: map[int]int64{1: 10}, Reason: "yearly inspection",
}

func doc(n int) string {
	return domain.DocumentID{Source: "s", Resource: "r", ImageNumber: fmt.Sprint(n)}.Stream()
}

// found of a document: with a flaw unless it is intact or overtaken.
func found(n int, outcome fixity.Outcome) fixity.Examined {
	e := fixity.Examined{Item: fixity.Item{Document: doc(n), Outcome: outcome}, Objects: 3, Bytes: 100, Files: 2, Unhashed: 1}
	if outcome != fixity.Intact && outcome != fixity.Overtaken {
		e.Flaws, e.Flawed = []fixity.Flaw{{Key: "k", Fault: outcome}}, 1
	}
	return e
}

func page(after string, last bool, documents ...fixity.Examined) fixity.Advance {
	a := fixity.Advance{Round: 1, After: after, Until: after, Documents: documents, Last: last}
	if len(documents) > 0 {
		a.Until = documents[len(documents)-1].Document
	}
	return a
}

type counts = map[fixity.Outcome]int

func TestRequest(t *testing.T) {
	t.Parallel()
	verifications.Given(t).When(request).Then(fixity.Requested(request)).
		When(request).ThenRefused(domain.Conflict, "verification-exists")
	empty, silent := request, request
	empty.Selected, silent.Reason = 0, "\t"
	verifications.Given(t).When(empty).ThenRefused(domain.Conflict, "nothing-migrated")
	verifications.Given(t).When(silent).ThenRefused(domain.Invalid, "reason-missing")
	for _, c := range []fixity.Command{fixity.Advance{}, fixity.Retry{Reason: "x"}, fixity.Cancel{}} {
		verifications.Given(t).When(c).ThenRefused(domain.NotFound, "verification-not-found")
	}
}

// Of four documents three had their turn; one had changed before.
func TestAdvanceToTheEnd(t *testing.T) {
	t.Parallel()
	o := verifications.After(t, request).When(page("", false, found(1, fixity.Intact), found(2, fixity.Missing)))
	o.Then(fixity.Advanced{
		Batch: "B1", Round: 1, Cursor: doc(2),
		Counts: fixity.Counts{Documents: counts{fixity.Intact: 1, fixity.Missing: 1}, Objects: 6, Bytes: 200, Files: 2, Unhashed: 1},
		Items:  []fixity.Item{found(2, fixity.Missing).Item},
	})
	require.Error(t, o.State.RefuseBeside())
	o = o.When(page("", false, found(1, fixity.Intact))).ThenNothing().
		When(fixity.Advance{Round: 2, After: doc(2)}).ThenNothing().
		When(page(doc(2), true, found(3, fixity.Extra)))
	require.Equal(t, fixity.Completed{Batch: "B1", Round: 1, Counts: fixity.Counts{
		Documents: counts{fixity.Intact: 1, fixity.Missing: 1, fixity.Extra: 1, fixity.Overtaken: 1}, Objects: 9, Bytes: 300, Files: 4, Unhashed: 2,
	}}, o.Events[1])
	require.NoError(t, o.State.RefuseBeside())
	o.When(page(doc(3), true)).ThenNothing().
		When(fixity.Cancel{}).ThenNothing()
}

// Documents that are taken again are counted as they are found then.
func TestRetry(t *testing.T) {
	t.Parallel()
	p := verifications.After(t, request, page("", true, found(1, fixity.Unverifiable), found(2, fixity.Changed), found(3, fixity.Missing), found(4, fixity.Extra)))
	p.When(fixity.Retry{Reason: " "}).ThenRefused(domain.Invalid, "reason-missing")
	o := p.When(fixity.Retry{Reason: "mended"}).Then(fixity.RetryRequested{Batch: "B1", Round: 2, Selected: 3, Reason: "mended"})
	o.When(fixity.Retry{Reason: "mended"}).ThenRefused(domain.Conflict, "verification-running")
	first, third := found(1, fixity.Intact), found(3, fixity.Missing)
	first.Was, third.Was = fixity.Unverifiable, fixity.Missing
	o = o.When(fixity.Advance{Round: 2, Documents: []fixity.Examined{first, third}, Until: doc(3), Last: true})
	require.Equal(t, []fixity.Item{first.Item, third.Item}, o.Events[0].(fixity.Advanced).Items, "the one that is intact now too")
	require.Equal(t, counts{fixity.Intact: 1, fixity.Changed: 1, fixity.Missing: 1, fixity.Extra: 1}, o.State.Counts.Documents)
	require.Equal(t, []int{4, 2}, []int{o.State.Counts.Files, o.State.Counts.Unhashed})
	verifications.After(t, request, page("", true, found(1, fixity.Intact), found(2, fixity.Extra))).
		When(fixity.Retry{Reason: "x"}).ThenRefused(domain.Conflict, "nothing-to-repeat")
}

func TestCancelKeepsWhatWasFound(t *testing.T) {
	t.Parallel()
	verifications.After(t, request, page("", false, found(1, fixity.Changed))).
		When(fixity.Cancel{Reason: "not at night"}).
		Then(fixity.Cancelled{Batch: "B1", Counts: fixity.Counts{Documents: counts{fixity.Changed: 1}, Objects: 3, Bytes: 100}, Reason: "not at night"}).
		When(fixity.Cancel{}).ThenNothing().
		When(page(doc(1), true)).ThenNothing().
		When(fixity.Retry{Reason: "x"}).ThenRefused(domain.Conflict, "verification-cancelled")
}

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, bad := range []fixity.Sample{{}, {Percent: 5, Count: 5}, {Percent: -1}, {Percent: 100.1}, {Percent: math.NaN()}, {Count: -1}} {
		require.Error(t, bad.Check(), "%+v", bad)
	}
	for drawn, s := range map[int]fixity.Sample{1: {Percent: 0.001}, 50: {Percent: 5}, 7: {Count: 7}, 1000: {Count: 1001}} {
		require.NoError(t, s.Check())
		require.Equal(t, drawn, s.Of(1000))
	}
}

func TestTheWorstFlawIsTheDocuments(t *testing.T) {
	t.Parallel()
	var flaws []fixity.Flaw
	for _, expected := range []fixity.Outcome{fixity.Intact, fixity.Extra, fixity.Unverifiable, fixity.Changed, fixity.Missing} {
		if expected != fixity.Intact {
			flaws = append(flaws, fixity.Flaw{Fault: expected})
		}
		require.Equal(t, expected, fixity.Worst(flaws))
	}
}

// A page of documents that have lost everything, under the longest names, goes
// into as many records as it needs.
func TestAPageOfTheLongestFlawsFitsIntoRecords(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("长", 700)
	var documents []fixity.Examined
	for n := range 100 {
		e := found(n, fixity.Missing)
		e.Document, e.Flaws = doc(n)+long, nil
		for range 200 {
			e.Flaws = append(e.Flaws, fixity.Flaw{Key: strings.Repeat("k", 500), Fault: fixity.Missing, FileID: long[:300], Detail: long})
		}
		e.Flawed = len(e.Flaws)
		documents = append(documents, e)
	}
	o := verifications.After(t, request).When(page("", true, documents...))
	require.Greater(t, len(o.Events), 2)
	for _, e := range o.Events {
		draft, err := wire.Encode(wire.Metadata{}, domain.VerificationStream("B1-V1"), 0, e)
		require.NoError(t, err)
		require.Less(t, draft.Size(), wire.MaxRecord)
	}
	require.Equal(t, 100, o.State.Counts.Documents[fixity.Missing])
	require.Equal(t, documents[99].Document, o.State.Cursor)
	items := o.Events[0].(fixity.Advanced).Items
	require.Equal(t, []int{fixity.MaxFlaws, 200}, []int{len(items[0].Flaws), items[0].Flawed})
}

// Whatever is found in whatever rounds, the documents add up to those selected
// once all had their turn.
func TestDocumentsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		outcome := rapid.SampledFrom([]fixity.Outcome{fixity.Intact, fixity.Extra, fixity.Unverifiable, fixity.Changed, fixity.Missing, fixity.Overtaken})
		asked := request
		asked.Selected = rapid.IntRange(1, 20).Draw(t, "selected")
		s := fixity.State{}
		do := func(c fixity.Command) {
			events, err := fixity.Decide(s, c)
			require.NoError(t, err)
			for _, e := range events {
				s = fixity.Evolve(s, e)
			}
		}
		do(asked)
		is := map[string]fixity.Outcome{}
		for n := range rapid.IntRange(0, asked.Selected).Draw(t, "met") {
			is[doc(n)] = outcome.Draw(t, "outcome")
			do(page(s.Cursor, false, fixity.Examined{Item: fixity.Item{Document: doc(n), Outcome: is[doc(n)]}}))
		}
		do(page(s.Cursor, true))
		for s.Counts.Repeated() > 0 && rapid.Bool().Draw(t, "again") {
			do(fixity.Retry{Reason: "x"})
			for n := range asked.Selected {
				was := is[doc(n)]
				if was != fixity.Unverifiable && was != fixity.Changed && was != fixity.Missing || rapid.Bool().Draw(t, "still failed") {
					continue
				}
				is[doc(n)] = rapid.SampledFrom([]fixity.Outcome{fixity.Intact, fixity.Unverifiable, fixity.Missing}).Draw(t, "outcome")
				do(fixity.Advance{Round: s.Round, After: s.Cursor, Until: doc(n), Documents: []fixity.Examined{{Item: fixity.Item{Document: doc(n), Outcome: is[doc(n)], Was: was}}}})
			}
			do(fixity.Advance{Round: s.Round, After: s.Cursor, Until: s.Cursor, Last: true})
		}
		require.Equal(t, asked.Selected, s.Counts.Total())
		expected := counts{}
		for _, o := range is {
			expected[o]++
		}
		if left := asked.Selected - len(is); left > 0 {
			expected[fixity.Overtaken] += left
		}
		require.Equal(t, expected, s.Counts.Documents)
	})
}
