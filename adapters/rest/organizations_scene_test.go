package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/profile"
)

// Two organisations' documents are in the batches of these tests. Every text
// that stands in the other's alone holds the canary.
const (
	own, other = "ORG1", canary + "-ORG"
	canary     = "KANARI"
	mark       = "EIGENE" // in the texts of their own
)

var (
	ownFailed, ownMigrated = image("ssc", mark+"/1 +"), image("ssc", mark+"-2")
	ours                   = []domain.DocumentID{ownFailed, ownMigrated}
	theirs                 = []domain.DocumentID{image("ssc", canary+"/1 +"), image(canary+"-res", "2"+canary), image("ssc", canary+"-3"), image("ssc", "4-"+canary)}
)

// organizations is a scene: batches of all, of both by name, of their own alone,
// and of the other's alone, with what may happen in them.
type organizations struct {
	*rig
	begun                         string // position before it
	all, mixed, own, other        string // numbers
	judged                        string // of a preflight of both
	ownOperation, othersOperation string
}

func newOrganizations(t *testing.T) *organizations {
	t.Helper()
	w := &organizations{rig: newRig(t)}
	w.source()
	w.begun = w.heads().String()
	w.restrict(restricted, "alice", own)
	w.restrict("everywhere", "root")
	w.all = w.scoped()
	w.mixed = w.scoped(own, other)
	w.own = w.scoped(own)
	w.other = w.scoped(other)
	w.list(w.all, slice, len(ours)+len(theirs)+1, ours, theirs)
	w.list(w.mixed, slice+"@"+own, len(ours), ours)
	w.list(w.mixed, slice+"@"+other, len(theirs), theirs)
	w.list(w.own, slice+"@"+own, len(ours), ours)
	w.list(w.other, slice+"@"+other, len(theirs), theirs)
	for _, number := range []string{w.all, w.mixed, w.own} {
		w.fails(number, ownFailed, mark)
		w.migrates(number, ownMigrated, mark)
	}
	for _, number := range []string{w.all, w.mixed, w.other} {
		w.fails(number, theirs[0], canary)
		w.migrates(number, theirs[1], canary)
		w.fails(number, theirs[2], canary)
		w.document(theirs[2], document.ExceptDocument{Batch: number, Reason: canary + " burnt", Evidence: "protocol " + canary})
		w.fails(number, theirs[3], canary)
	}
	w.judged = w.preflight(own, other)
	w.judges(ownFailed, mark)
	w.judges(theirs[0], canary)
	w.document(theirs[3], document.SkipFile{Batch: w.other, FileID: "f1" + canary, Reason: canary + " blurred", Owner: canary, ReviewOn: "2024-05-01"})
	w.operate()
	w.inspect(w.own, ownMigrated, mark)
	w.inspect(w.mixed, theirs[1], canary)
	w.inspect(w.other, theirs[1], canary)
	w.hear()
	return w
}

// scoped batch of organisations, or of all.
func (w *organizations) scoped(codes ...string) string {
	w.t.Helper()
	return w.made("migrate", codes)
}

func (w *organizations) preflight(codes ...string) string {
	w.t.Helper()
	return w.made("preflight", codes)
}

func (w *organizations) made(mode string, codes []string) string {
	w.t.Helper()
	var b BatchMade
	scope := map[string]any{"organizations": codes, "from": "2024-03-01", "to": "2024-03-31"}
	w.send("everywhere", "POST", "/v1/batches", map[string]any{"mode": mode, "source": sourceID, "scope": scope}).is(http.StatusCreated, &b)
	return b.Number
}

// judges that a document would fail by the first of its files.
func (w *organizations) judges(id domain.DocumentID, mark string) {
	w.t.Helper()
	_, organization := markOf(id)
	l := listedOf(id)
	l.Raw = domain.Stored{}
	w.document(id, document.Discover{ID: id, Batch: w.judged, Slice: slice + "@" + organization, Preflight: true, Listed: l})
	failure := domain.Failure{Code: "type-unsupported", Category: domain.FormatMismatch, Stage: domain.StageValidate, Detail: mark + " is a text", Rule: "R05", FileID: "f1" + mark}
	w.document(id, document.FailAttempt{Batch: w.judged, Work: w.work(w.judged, id), MaxAttempts: 1, Failure: failure, Files: []document.FileOutcome{
		{ID: "f1" + mark, Name: mark, Received: 10, Failure: &failure, Rules: []document.RuleResult{{Rule: "R05", Code: "type-unsupported", Severity: document.Block, Detail: mark}}},
		{ID: "f2" + mark, Name: mark, Received: 20, Passed: true},
	}})
}

// list a slice to its end, one of its documents twice, and discover them.
func (w *organizations) list(number, slice string, total int, documents ...[]domain.DocumentID) {
	w.t.Helper()
	stream := domain.DiscoveryStream(number, slice)
	var items []discovery.PageItem
	for _, ids := range documents {
		for _, id := range ids {
			items = append(items, discovery.PageItem{Item: discovery.Item{Key: discovery.Short(id.Stream()), Content: "c"}, ImageNumber: id.ImageNumber})
			w.document(id, document.Discover{ID: id, Batch: number, Slice: slice, Listed: listedOf(id)})
		}
	}
	items = append(items, items[len(items)-1])
	execute(w.rig, commands.Discoveries, stream, discovery.State{}, discovery.Command(discovery.Start{Batch: number, Source: sourceID, Slice: slice}))
	for {
		state, err := commands.Discoveries.Fold(discovery.State{}, w.records(stream))
		require.NoError(w.t, err)
		if state.Status != discovery.StatusListing {
			return
		}
		execute(w.rig, commands.Discoveries, stream, discovery.State{}, discovery.Command(discovery.ListPage{
			Pass: state.Pass, Page: state.Next, Items: items, Total: total, Last: true, RequestID: "r",
		}))
	}
}

// markOf a document's texts.
func markOf(id domain.DocumentID) (mark_, organization string) {
	if strings.Contains(id.Stream(), canary) {
		return canary, other
	}
	return mark, own
}

func listedOf(id domain.DocumentID) document.Listed {
	mark, organization := markOf(id)
	return document.Listed{
		Organization: organization, OrganizationName: mark + " GmbH", DocumentType: mark + "-type", BillID: mark + "-bill", BillNumber: mark + "-B-1", BillDate: "2024-03-05",
		Retention: mark + "30", Content: "c" + mark, Raw: domain.Stored{Target: "folder", Key: mark + "/item.json", SHA256: "s"},
		Files: []document.ListedFile{
			{ID: "f1" + mark, PID: mark, Class: document.Cover, Sequence: 1, Name: mark + "封面.pdf", Type: "pdf", Size: 10, Hash: "aa" + mark, HashAlgorithm: "md5"},
			{ID: "f2" + mark, Class: document.Attachment, Sequence: 2, Name: mark + ".png", Type: "png", Size: 20},
		},
	}
}

func (w *organizations) work(number string, id domain.DocumentID) int {
	w.t.Helper()
	state, err := commands.Documents.Fold(document.State{}, w.records(id.Stream()))
	require.NoError(w.t, err)
	return state.Batches[number].Work
}

func arrived(id, mark string) document.FileOutcome {
	return document.FileOutcome{
		ID: id, Name: mark + ".png", Received: 20, Format: "png", ReadBack: "bb", Digests: map[string]string{"sha256": mark},
		Stored: stored(mark + "/" + id), Result: document.Written,
	}
}

// fails by the first of its files; the second arrives.
func (w *organizations) fails(number string, id domain.DocumentID, mark string) {
	w.t.Helper()
	failure := domain.Failure{
		Code: "type-unsupported", Category: domain.FormatMismatch, Stage: domain.StageValidate, Detail: mark + " is a text", Remedy: "Scan " + mark + " again.",
		Rule: "R05", FileID: "f1" + mark, TraceID: mark,
	}
	w.document(id, document.FailAttempt{Batch: number, Work: w.work(number, id), MaxAttempts: 1, Failure: failure, Files: []document.FileOutcome{
		{ID: "f1" + mark, Name: mark, Received: 10, Failure: &failure, Final: true, Rules: []document.RuleResult{{Rule: "R05", Severity: document.Block, Detail: mark}}},
		arrived("f2"+mark, mark),
	}})
}

func (w *organizations) migrates(number string, id domain.DocumentID, mark string) {
	w.t.Helper()
	w.document(id, document.Migrate{
		Batch: number, Work: w.work(number, id), Manifest: domain.Stored{Target: "folder", Key: mark + "/manifest.json", SHA256: "m"},
		Files: []document.FileOutcome{arrived("f1"+mark, mark), arrived("f2"+mark, mark)},
	})
}

// operate on many documents, of each batch by somebody who sees all of it.
func (w *organizations) operate() {
	w.t.Helper()
	w.retryAll(w.all, "all are back", FailedFilter{})
	w.fails(w.all, ownFailed, mark)
	w.ownOperation = w.retryAll(w.own, mark+" is back", FailedFilter{})
	w.fails(w.own, ownFailed, mark)
	w.othersOperation = w.retryAll(w.mixed, canary+" is back", FailedFilter{Organization: other})
	for _, number := range []string{w.all, w.mixed} {
		w.fails(number, theirs[0], canary)
		w.fails(number, theirs[3], canary)
	}
	for _, name := range []string{"pause", "resume"} {
		w.send("everywhere", "POST", "/v1/batches/"+w.own+"/"+name, because(mark)).is(http.StatusOK, nil)
		w.send("everywhere", "POST", "/v1/batches/"+w.mixed+"/"+name, because(canary)).is(http.StatusOK, nil)
	}
}

func (w *organizations) retryAll(number, reason string, filter FailedFilter) string {
	w.t.Helper()
	w.caughtUp()
	var taken OperationAccepted
	w.send("everywhere", "POST", "/v1/batches/"+number+"/retry", map[string]any{"reason": reason, "filter": filter}).is(http.StatusAccepted, &taken)
	w.giveTurn(taken.Operation)
	return taken.Operation
}

// inspect the archive of a batch, in the name of somebody who sees all of it: a
// document is missing a file.
func (w *organizations) inspect(number string, id domain.DocumentID, mark string) {
	w.t.Helper()
	w.caughtUp()
	var taken VerificationAccepted
	w.send("everywhere", "POST", "/v1/batches/"+number+"/verify", because(mark+" inspection")).is(http.StatusAccepted, &taken)
	found := fixity.Item{Document: id.Stream(), Outcome: fixity.Missing, Flawed: 1, Flaws: []fixity.Flaw{{Key: mark + "/f1", Fault: fixity.Missing, FileID: "f1" + mark, Detail: mark}}}
	execute(w.rig, commands.Fixities, domain.VerificationStream(taken.Verification), fixity.State{}, fixity.Command(fixity.Advance{
		Round: 1, Until: id.Stream(), Documents: []fixity.Examined{{Item: found, Objects: 4, Bytes: 40}}, Last: true,
	}))
}

// hear of their documents in what is recorded of access: also of a batch that is
// all theirs, when somebody looked for a document there that is elsewhere.
func (w *organizations) hear() {
	w.t.Helper()
	w.send("everywhere", "POST", pathOf(w.own, theirs[0])+"/retry", because(canary)).refused(http.StatusNotFound, "document-not-found")
	w.send("everywhere", "GET", with("/v1/audit/export", "batch", w.own, "document", documentID(theirs[0].Stream())), nil).is(http.StatusOK, nil)
	w.send("everywhere", "POST", "/v1/tokens", map[string]any{"subject": canary + "-erp", "roles": everybody, "organizations": []string{other}}).is(http.StatusCreated, nil)
	w.caughtUp()
}

// caughtUp returns when all views have what was done.
func (w *organizations) caughtUp() {
	w.t.Helper()
	for _, view := range []string{batchesView, documentsView, auditView, operationsView, verificationsView, preflightsView, leftoversView, coverageView, throughputView, resultsView} {
		require.NoError(w.t, w.reached(view, w.heads()))
	}
}

// settled is a read that includes all that was done.
func (w *organizations) settled(path string) string { return with(path, "after", w.heads().String()) }

// touched tells of all streams that are the other's, or not only their own, how
// long they are.
func (w *organizations) touched() map[string]int {
	w.t.Helper()
	streams := []string{
		domain.BatchStream(w.other), domain.BatchStream(w.all), domain.BatchStream(w.mixed),
		domain.VerificationStream(fixity.ID(w.mixed, 1)), domain.VerificationStream(fixity.ID(w.other, 1)),
	}
	for _, number := range []string{w.all, w.mixed, w.other} {
		streams = append(streams, domain.DiscoveryStream(number, slice), domain.DiscoveryStream(number, slice+"@"+other), domain.DiscoveryStream(number, slice+"@"+own))
	}
	for _, id := range theirs {
		streams = append(streams, id.Stream())
	}
	lengths := map[string]int{}
	for _, stream := range streams {
		lengths[stream] = len(w.records(stream))
	}
	return lengths
}

// nowhere turns what is the other's into what never was anywhere, of the same
// form. What no such thing is in stays as it is.
func (w *organizations) nowhere(text string) string {
	return strings.NewReplacer(canary, "NOSUCH", w.other, "B20200101-000000-AAAAA", w.othersOperation, "00000000-0000-5000-8000-000000000000").Replace(text)
}

// paths of an operation, with each of what may stand in them.
func (w *organizations) paths(op described) []string {
	w.t.Helper()
	all := []string{op.path}
	fill := func(name string, values ...string) {
		var filled []string
		for _, path := range all {
			if !strings.Contains(path, name) {
				filled = append(filled, path)
				continue
			}
			for _, value := range values {
				filled = append(filled, strings.Replace(path, name, url.PathEscape(value), 1))
			}
		}
		all = filled
	}
	fill("{number}", w.all, w.mixed, w.own, w.other, w.judged)
	switch {
	case strings.Contains(op.path, "/documents/{id}"):
		var ids []string
		for _, id := range slices.Concat(ours, theirs) {
			ids = append(ids, documentID(id.Stream()))
		}
		fill("{id}", ids...)
	case strings.Contains(op.path, "/operations/{id}"):
		fill("{id}", w.ownOperation, w.othersOperation)
	case strings.HasPrefix(op.path, "/v1/verifications/{id}"):
		fill("{id}", fixity.ID(w.own, 1), fixity.ID(w.mixed, 1), fixity.ID(w.other, 1))
	case strings.HasPrefix(op.path, "/v1/approvals/{id}"):
		fill("{id}", w.ownOperation) // there is none
	case strings.HasPrefix(op.path, "/v1/sources/{id}"):
		fill("{id}", sourceID)
	case strings.HasPrefix(op.path, "/v1/profiles/{name}"):
		fill("{name}", profile.Flagship)
	}
	fill("{file}", "f1"+mark, "f1"+canary)
	fill("{slice}", slice, slice+"@"+own, slice+"@"+other)
	for _, path := range all {
		require.NotContains(w.t, path, "{", "say in paths() what may stand in %s", op.path)
	}
	return all
}

// requireAlike: to what is the other's the answer is the one to what never was,
// and shows nothing but what was asked.
func (w *organizations) requireAlike(method, path string, body any) {
	w.t.Helper()
	of := w.send(restricted, method, path, body, "X-Request-Id", "alike")
	never := w.send(restricted, method, w.nowhere(path), body, "X-Request-Id", "alike")
	require.Equal(w.t, never.Status, of.Status, "%s %s: %s", method, path, of.Body)
	require.Equal(w.t, string(never.Body), w.nowhere(string(of.Body)), "%s %s", method, path)
	require.Equal(w.t, never.Header.Get("Content-Type"), of.Header.Get("Content-Type"))
}
