package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

func ids(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("file-%032d", i)
	}
	return all
}

// requireRecords: every event fits into a record. It gives how many there are
// of each kind.
func requireRecords(t *testing.T, events []document.Event) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for i, event := range events {
		_, err := wire.Encode(wire.Metadata{}, id.Stream(), i, event)
		require.NoError(t, err)
		counts[kinds(events[i : i+1])[0]]++
	}
	return counts
}

func TestADocumentOfTenThousandFiles(t *testing.T) {
	t.Parallel()
	const n = 10_000
	all := ids(n)
	o := documents.Given(t).When(discover("B1", listed("c1", all...)))
	require.Equal(t, map[string]int{"Discovered": 1, "FilesListed": 19}, requireRecords(t, o.Events))
	require.Len(t, o.State.Batches["B1"].Files, n)
	require.Equal(t, document.Tally{Pending: n}, o.State.Batches["B1"].Tally())
	require.Equal(t, n, o.Events[0].(document.Discovered).FilesTotal)
	require.Equal(t, document.Tally{Pending: 500}, o.Events[0].GetChange().FilesAfter)

	state := o.State
	events, err := document.Decide(state, migrate(state, "B1", arrived(all...)...))
	require.NoError(t, err)
	counts := requireRecords(t, events)
	require.Equal(t, 1, counts["Migrated"])
	require.GreaterOrEqual(t, counts["FilesProcessed"], 19)
	for _, event := range events {
		state = document.Evolve(state, event)
	}
	require.Equal(t, document.Tally{Migrated: n}, state.Batches["B1"].Tally())
	require.Len(t, state.Archive.Files, n)

	events, err = document.Decide(state, discover("B1", listed("c2", append([]string{"new"}, all...)...)))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"Relisted": 1, "FilesListed": 20}, requireRecords(t, events))
	for _, event := range events {
		state = document.Evolve(state, event)
	}
	require.Equal(t, document.Tally{Migrated: n, Pending: 1}, state.Batches["B1"].Tally())
}

// However long the texts of a hostile source are, and however much longer
// encoding makes them, the listing and the failures of its files fit.
func TestHostileTextsFitIntoRecords(t *testing.T) {
	t.Parallel()
	hostile := strings.Repeat("\x02", 10_000)
	l := listed("c1")
	l.Organization, l.OrganizationName, l.DocumentType, l.BillID, l.BillNumber, l.BillDate, l.Retention = hostile, hostile, hostile, hostile, hostile, hostile, hostile
	for range 600 {
		l.Files = append(l.Files, document.ListedFile{ID: hostile, PID: hostile, Name: hostile, Type: hostile, Hash: hostile, HashAlgorithm: "md5"})
	}
	d := discover("B1", l)
	d.ID.ImageNumber, d.ID.Resource = hostile[:200], hostile[:200]
	o := documents.Given(t).When(d)
	requireRecords(t, o.Events)
	require.Len(t, o.State.Batches["B1"].Files, 600)

	var failures []document.FileOutcome
	for _, f := range o.State.Batches["B1"].Files {
		failure := domain.Failure{Code: "c", Detail: hostile, Remedy: hostile, SourceCode: hostile, TraceID: hostile, FileID: f.ID}
		failures = append(failures, document.FileOutcome{
			ID: f.ID, PID: f.PID, Name: f.Name, Type: f.Type, Hash: f.Hash, Failure: &failure,
			Rules: []document.RuleResult{{Rule: "R05", Detail: hostile[:600]}, {Rule: "R07", Detail: hostile[:600]}},
		})
	}
	events, err := document.Decide(o.State, fail(o.State, *failures[0].Failure, failures...))
	require.NoError(t, err)
	requireRecords(t, events)
}

// Marks with texts of any length fit beside the files that they are of, in
// listings of few files and of many.
func TestHostileMarksFitIntoRecords(t *testing.T) {
	t.Parallel()
	hostile := strings.Repeat("\x02", 10_000)
	for _, n := range []int{8, 600} {
		l := listed("c1")
		for i := range n {
			name := fmt.Sprint(i) + strings.Repeat("\x02", 200)
			l.Files = append(l.Files, document.ListedFile{ID: name, PID: hostile, Name: hostile, Type: hostile, Hash: hostile})
		}
		o := documents.Given(t).When(discover("B1", l))
		state := o.State
		for _, f := range state.Batches["B1"].Files {
			events, err := document.Decide(state, document.SkipFile{Batch: "B1", FileID: f.ID, Reason: hostile, ReviewOn: "2025-12-31"})
			require.NoError(t, err)
			state = document.Evolve(state, events[0])
		}
		for _, c := range []document.Command{discover("B2", l), discover("B1", changed(l))} {
			events, err := document.Decide(state, c)
			require.NoError(t, err)
			requireRecords(t, events)
			after := state
			for _, event := range events {
				after = document.Evolve(after, event)
			}
			require.Equal(t, document.Tally{Skipped: n}, after.Batches[events[0].GetChange().Batch].Tally())
		}
	}
}

func changed(l document.Listed) document.Listed {
	l.Content += "-changed"
	return l
}
