package rest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
)

// several documents of the batch, and where the history is then.
func (r *rig) several(number string, n int) wire.Position {
	r.t.Helper()
	at := wire.Position{}
	for i := range n {
		at.Raise(r.discovered(number, image("ssc", fmt.Sprintf("IMG-%03d", i))))
	}
	return at
}

func after(at wire.Position) string { return "&after=" + url.QueryEscape(at.String()) }

func TestCursorIsOfItsListAndItsFilter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	at := r.several(b.Number, 4)
	list := "/v1/batches/" + b.Number + "/documents"
	var first, second Page[Document]
	r.get(list+"?status=pending&organization=ORG1&limit=2"+after(at)).is(http.StatusOK, &first)
	cursor := url.QueryEscape(first.Next)
	for _, same := range []string{
		"?status=pending&organization=ORG1&limit=1&cursor=", "?organization=ORG1&status=pending&cursor=", "?organization=ORG1&status=pending&documentType=&cursor=",
	} {
		r.get(list+same+cursor).is(http.StatusOK, &second)
		require.Equal(t, "ssc/IMG-002", second.Items[0].ID)
	}
	another := r.anotherBatch()
	for _, other := range []string{
		list + "?status=pending&cursor=", list + "?cursor=", list + "?status=failed&organization=ORG1&cursor=", list + "?status=pending&organization=ORG2&cursor=",
		"/v1/batches/" + another.Number + "/documents?status=pending&organization=ORG1&cursor=", "/v1/batches?cursor=", "/v1/audit?cursor=",
		"/v1/batches/" + b.Number + "/slices?cursor=", "/v1/batches/" + b.Number + "/operations?cursor=", "/v1/operations/x/items?cursor=", "/v1/verifications?cursor=", "/v1/verifications/x/findings?cursor=",
		pathOf(b.Number, image("ssc", "IMG-000")) + "/history?cursor=",
	} {
		p := r.send(commands.RoleAdmin, "GET", other+cursor, nil).refused(http.StatusUnprocessableEntity, "cursor-invalid")
		require.Equal(t, "cursor", p.Field, other)
	}
}

func TestCursorThatWasChangedIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	at := r.several(b.Number, 3)
	list := "/v1/batches/" + b.Number + "/documents?limit=1"
	var page Page[Document]
	r.get(list+after(at)).is(http.StatusOK, &page)
	content, err := base64.RawURLEncoding.DecodeString(page.Next)
	require.NoError(t, err)
	for i := range content {
		content[i] ^= 1
		r.get(list+"&cursor="+base64.RawURLEncoding.EncodeToString(content)).refused(http.StatusUnprocessableEntity, "cursor-invalid")
		content[i] ^= 1
	}
	unsealed := base64.RawURLEncoding.EncodeToString([]byte("document-" + sourceID + "/ssc/IMG-000"))
	for _, made := range []string{"%23", "x", "AAAA", unsealed, page.Next[:20], page.Next + "AA"} {
		r.get(list+"&cursor="+made).refused(http.StatusUnprocessableEntity, "cursor-invalid")
	}
	r.get(list+"&cursor="+page.Next).is(http.StatusOK, nil)
}

// Whoever walks a list meets what was there throughout, once, whatever changes
// and comes in between.
func TestWalkWhileDocumentsChangeMissesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	const there = 40
	at := r.several(b.Number, there)
	stop, written := make(chan struct{}), make(chan wire.Position)
	go func() {
		defer close(written)
		for i := 0; ; i++ {
			p := r.failed(b.Number, image("ssc", fmt.Sprintf("IMG-%03d-%d", i*7%there, i))) // each between two that were there
			select {
			case <-stop:
				return
			case written <- p:
			}
		}
	}()
	seen := map[string]int{}
	next := ""
	for pages := 0; ; pages++ {
		at.Raise(<-written) // before each page one came in, while it is read another does
		var page Page[Document]
		r.get("/v1/batches/"+b.Number+"/documents?limit=3"+after(at)+"&cursor="+url.QueryEscape(next)).is(http.StatusOK, &page)
		for _, d := range page.Items {
			seen[d.ID]++
		}
		if next = page.Next; next == "" || pages == 200 {
			break
		}
	}
	close(stop)
	for range written { // until the writer has ended
	}
	require.Empty(t, next)
	for i := range there {
		require.Equal(t, 1, seen[fmt.Sprintf("ssc/IMG-%03d", i)], i)
	}
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
	require.Greater(t, len(seen), there, "nothing came in between")
}

// Every list that has pages has sealed cursors, and a limit with a maximum.
func TestEveryPageIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	lists := 0
	for _, op := range r.operations() {
		if !op.takes("cursor") || op.OperationID == "exportAudit" { // which has no pages, and goes on after a line
			continue
		}
		lists++
		require.True(t, op.takes("limit"), op.OperationID)
		r.send(commands.RoleAdmin, "GET", op.at()+"?limit=1001", nil).refused(http.StatusUnprocessableEntity, "validation-failed")
		r.send(commands.RoleAdmin, "GET", op.at()+"?cursor="+strings.Repeat("a", 4001), nil).refused(http.StatusUnprocessableEntity, "validation-failed")
		r.send(commands.RoleAdmin, "GET", op.at()+"?cursor=YWJj", nil).refused(http.StatusUnprocessableEntity, "cursor-invalid")
	}
	require.GreaterOrEqual(t, lists, 7)
}

func TestListsAreNamedByPathAndFilter(t *testing.T) {
	t.Parallel()
	require.Equal(t, "/a%2Fb?x=1&y=2", listOf("/a%2Fb", url.Values{"y": {"2"}, "x": {"1"}, "empty": {""}, "cursor": {"c"}, "limit": {"1"}, "after": {"0:1"}}))
	require.NotEqual(t, listOf("/a", url.Values{"x": {"1&y=2"}}), listOf("/a", url.Values{"x": {"1"}, "y": {"2"}}))
}
