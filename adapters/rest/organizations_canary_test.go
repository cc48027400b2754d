package rest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
)

// TestNothingOfOthersIsShown goes over every read of the API, with each of what
// may stand in its path and each of its parameters, page by page: no answer to
// somebody who is restricted shows anything of another organisation. Where the
// request names it, the answer is the one to what never was.
//
// It cannot pass by asking for nothing: to the same requests, somebody who sees
// all must be shown the other's, and who is restricted their own, by every
// operation that is confined. A parameter or a path that it does not know fails it.
func TestNothingOfOthersIsShown(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	w.document(ownFailed, document.SkipFile{Batch: w.all, FileID: "f1" + mark, Reason: mark + " blurred", Owner: mark, ReviewOn: "2024-05-01"})
	w.caughtUp()
	for _, op := range w.reads() {
		if op.reach == closed || strings.HasPrefix(op.OperationID, "watch") {
			continue // TestEveryOperationHasAReach; TestWatchersSeeWhatIsTheirs
		}
		asked := w.requests(op)
		var sawOwn bool
		for _, request := range asked {
			if w.nowhere(request) != request {
				w.requireAlike(http.MethodGet, request, nil)
				continue
			}
			for _, a := range w.pages(restricted, request) {
				shown := a.everything()
				for _, secret := range []string{canary, w.other, w.othersOperation} {
					require.NotContains(t, shown, secret, "GET %s shows it: %s", request, a.Body)
				}
				sawOwn = sawOwn || strings.Contains(shown, mark) || strings.Contains(shown, own)
			}
		}
		if op.reach == open || op.OperationID == "listProjections" || op.OperationID == "getApproval" || op.OperationID == "getOverview" || op.OperationID == "listThroughput" {
			continue // they tell of no document; an approval is of a whole batch; TestSumsOfWhoIsRestricted
		}
		assert.True(t, sawOwn, "%s shows who is restricted nothing of their own", op.OperationID)
		assert.True(t, w.someShow(asked), "%s shows nobody what is looked for", op.OperationID)
	}
}

// An entry of the log that one does not see is no place to go on from.
func TestNoOneGoesOnFromWhatTheyDoNotSee(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	first := func(id domain.DocumentID) string {
		r := w.records(id.Stream())[0]
		return fmt.Sprintf("%d:%d", r.Partition, r.Offset)
	}
	export := func(cursor string) answer {
		return w.send(restricted, "GET", with("/v1/audit/export", "format", "ndjson", "cursor", cursor, "until", w.heads().String()), nil, "X-Request-Id", "alike")
	}
	export(first(ownFailed)).is(http.StatusOK, nil)
	of, never := export(first(theirs[0])), export("7:999999999")
	of.refused(http.StatusUnprocessableEntity, "cursor-invalid")
	require.Equal(t, string(never.Body), strings.ReplaceAll(string(of.Body), first(theirs[0]), "7:999999999"))
}

// readable is a read with what its parameters may be.
type readable struct {
	described
	reach      reach
	Parameters []struct {
		Name, In string
		Schema   struct{ Enum []string }
	}
}

func (w *organizations) reads() (all []readable) {
	w.t.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	w.send("", "GET", "/openapi.json", nil).is(http.StatusOK, &document)
	for path, methods := range document.Paths {
		if raw, there := methods["get"]; there {
			op := readable{described: described{method: http.MethodGet, path: path}}
			require.NoError(w.t, json.Unmarshal(raw, &op.described))
			require.NoError(w.t, json.Unmarshal(raw, &op))
			op.reach = reaches[op.OperationID]
			all = append(all, op)
		}
	}
	return all
}

// requests are all that may be asked of a read: its paths, each with none of its
// parameters and with each value of each of them.
func (w *organizations) requests(op readable) (all []string) {
	w.t.Helper()
	var needed []string
	if strings.HasPrefix(op.OperationID, "compare") || op.OperationID == "listStatusChanges" {
		needed = []string{"from", w.begun}
	}
	for _, path := range w.paths(op.described) {
		all = append(all, with(path, needed...))
		for _, p := range op.Parameters {
			if p.In != "query" {
				continue
			}
			for _, value := range w.values(op, p.Name, p.Schema.Enum) {
				all = append(all, with(path, append(append([]string{}, needed...), value...)...))
			}
		}
	}
	return all
}

// values that a parameter may have, with those that go with it.
func (w *organizations) values(op readable, name string, choices []string) (all [][]string) {
	w.t.Helper()
	at, newest := w.now()
	switch name {
	case "cursor", "until", "follow": // pages are followed; TestNoOneGoesOnFromWhatTheyDoNotSee; as it is without
		return nil
	case "after", "asOf":
		choices = []string{at.String(), newest.Format(time.RFC3339Nano)}[:map[string]int{"after": 1, "asOf": 2}[name]]
	case "from", "to":
		choices = []string{newest.Format(time.RFC3339Nano), newest.Add(-time.Minute).Format(time.RFC3339Nano)}
		switch {
		case op.OperationID == "readEvents":
			choices = []string{"0:1"}
		case op.OperationID == "getCoverage":
			choices = []string{"2024-03", "2024-04"}
		case name == "to" && op.OperationID != "listAudit" && op.OperationID != "exportAudit":
			choices = []string{at.String()}
		}
	case "download":
		choices = []string{"true"}
	case "since":
		choices = []string{newest.Add(-time.Hour).Format(time.RFC3339Nano)}
	case "limit":
		choices = []string{"1"}
	case "batch":
		choices = []string{w.all, w.mixed, w.own, w.other}
	case "document":
		for _, number := range []string{w.all, w.mixed, w.own, w.other} {
			for _, id := range []domain.DocumentID{ownFailed, theirs[0]} {
				all = append(all, []string{name, documentID(id.Stream()), "batch", number})
			}
		}
		return all
	case "operator":
		choices = []string{"test", "root", canary}
	case "type":
		choices = []string{"waybill.document.failed", "waybill.batch.created", "waybill.operation.requested", "waybill.access.token-issued", "waybill.source.registered"}
	case "stream":
		choices = []string{ownFailed.Stream(), theirs[0].Stream(), domain.BatchStream(w.own), domain.BatchStream(w.mixed), domain.BatchStream(w.other), domain.SourceStream(sourceID),
			domain.OperationStream(w.ownOperation), domain.OperationStream(w.othersOperation), domain.DiscoveryStream(w.mixed, slice+"@"+other)}
	case "source":
		choices = []string{sourceID}
	case "code":
		choices = []string{"type-unsupported"}
	case "organization":
		choices = []string{own, other}
	case "documentType":
		choices = []string{mark + "-type", canary + "-type"}
	case "imageNumber":
		choices = []string{ownFailed.ImageNumber, theirs[0].ImageNumber}
	case "billNumber":
		choices = []string{mark + "-B-1", canary + "-B-1"}
	case "text":
		choices = []string{mark, canary}
	case "due":
		choices = []string{"true", "false"}
	case "before":
		choices = []string{"2024-05-02"}
	case "owner":
		choices = []string{mark, canary}
	case "fingerprint":
		rows, err := w.pool.Query(w.t.Context(), `SELECT DISTINCT fingerprint FROM failed_documents`)
		require.NoError(w.t, err)
		choices, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(w.t, err)
		require.NotEmpty(w.t, choices)
	case "profile":
		choices = []string{profile.Archive}
	default:
		require.NotEmpty(w.t, choices, "say in values() what %s of %s may be", name, op.OperationID)
	}
	for _, choice := range choices {
		all = append(all, []string{name, choice})
	}
	return all
}

// pages of a request, all that there are.
func (w *organizations) pages(as, request string) (all []answer) {
	w.t.Helper()
	for next := request; next != ""; {
		a := w.send(as, http.MethodGet, next, nil)
		all = append(all, a)
		var page struct{ Next string }
		next = ""
		if json.Unmarshal(a.Body, &page) == nil && page.Next != "" {
			next = request + "&cursor=" + page.Next
		}
	}
	return all
}

// someShow tells that somebody who sees all is shown what is the other's.
func (w *organizations) someShow(requests []string) bool {
	for _, request := range requests {
		for _, a := range w.pages("everywhere", request) {
			if a.Status == http.StatusOK && strings.Contains(a.everything(), canary) {
				return true
			}
		}
	}
	return false
}

// everything that an answer holds: its headers, what is compressed in it, and
// what its cursor says.
func (a answer) everything() string {
	a.t.Helper()
	var all bytes.Buffer
	require.NoError(a.t, a.Header.Write(&all))
	all.Write(a.Body)
	var page struct{ Next string }
	if json.Unmarshal(a.Body, &page) == nil && page.Next != "" {
		key, err := base64.RawURLEncoding.DecodeString(page.Next)
		require.NoError(a.t, err)
		all.Write(key)
	}
	if bytes.HasPrefix(a.Body, []byte("PK")) {
		book, err := zip.NewReader(bytes.NewReader(a.Body), int64(len(a.Body)))
		require.NoError(a.t, err)
		for _, part := range book.File {
			content, err := part.Open()
			require.NoError(a.t, err)
			_, err = io.Copy(&all, io.LimitReader(content, 1<<24))
			require.NoError(a.t, err)
			require.NoError(a.t, content.Close())
		}
	}
	return all.String()
}
