package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/list"
)

// upload a table as CSV, of a kind.
func (r *rig) upload(kind list.Kind, table string, query ...string) answer {
	r.t.Helper()
	return r.post(with("/v1/lists", append([]string{"kind", string(kind)}, query...)...), []byte(table), "Content-Type", "text/csv; charset=utf-8")
}

func TestUploadAList(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	gb18030, err := simplifiedchinese.GB18030.NewEncoder().String("日期;凭证号\n1;记-0002\n2;记-0001\n3;\n4; 记-0001\n")
	require.NoError(t, err)
	var made ListMade
	a := r.upload(list.BillNumbers, gb18030, "name", "凭证.csv").is(http.StatusCreated, &made)
	require.Equal(t, "/v1/lists/"+made.ID, a.Header.Get("Location"))
	require.Equal(t, []any{2, 1, 1, "凭证号", 2, true}, []any{made.Entries, made.Blank, made.Duplicates, made.Column, made.Version, made.Changed})

	var shown List
	read := r.get(a.at(a.Header.Get("Location"))).is(http.StatusOK, &shown)
	require.Equal(t, `"2"`, read.Header.Get("ETag"))
	require.Equal(t, []any{made.ID, list.BillNumbers, "凭证.csv", 2, "the-operator"}, []any{shown.ID, shown.Kind, shown.Name, shown.Entries, shown.UploadedBy})
	require.Len(t, shown.Digest, 64)
	var page Page[ListEntry]
	r.get("/v1/lists/"+made.ID+"/entries?limit=1").is(http.StatusOK, &page)
	require.Equal(t, []ListEntry{{"记-0001"}}, page.Items)
	var last Page[ListEntry]
	r.get(with("/v1/lists/"+made.ID+"/entries", "limit", "1", "cursor", page.Next)).is(http.StatusOK, &last)
	require.Equal(t, Page[ListEntry]{Items: []ListEntry{{"记-0002"}}}, last)
	r.get("/v1/lists/none").refused(http.StatusNotFound, "list-not-found")
	r.get("/v1/lists/none/entries").refused(http.StatusNotFound, "list-not-found")

	book := excelize.NewFile()
	require.NoError(t, book.SetSheetRow("Sheet1", "A1", &[]any{"Image number", "x"}))
	require.NoError(t, book.SetSheetRow("Sheet1", "A2", &[]any{"00017", 1}))
	content, err := book.WriteToBuffer()
	require.NoError(t, err)
	xlsx := func(key string) answer {
		return r.post("/v1/lists?kind=imageNumber", content.Bytes(), "Content-Type", exportTypes[access.XLSX], "Idempotency-Key", key)
	}
	var second, again ListMade
	xlsx("once").is(http.StatusCreated, &second)
	xlsx("once").is(http.StatusCreated, &again)
	require.Equal(t, second, again)
	var all Page[List]
	r.get("/v1/lists?after="+url.QueryEscape(second.Position)).is(http.StatusOK, &all)
	require.Len(t, all.Items, 2)
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.upload(list.BillNumbers, "").refused(http.StatusBadRequest, "body-malformed")
	r.upload("invoice", "V-1\n").refused(http.StatusUnprocessableEntity, "validation-failed")
	r.upload(list.BillNumbers, "\n\n").refused(http.StatusUnprocessableEntity, "list-empty")
	r.upload(list.BillNumbers, "a,b\n1,2\n").refused(http.StatusUnprocessableEntity, "list-column-unknown")
	r.upload(list.BillNumbers, "a,b\n1,2\n", "column", "c").refused(http.StatusUnprocessableEntity, "list-column-unknown")
	r.upload(list.BillNumbers, "V-1\n"+strings.Repeat("9", 301)).refused(http.StatusUnprocessableEntity, "list-entry-invalid")
	require.Contains(t, r.upload(list.BillNumbers, "V-1\n1.2E+17\n").refused(http.StatusUnprocessableEntity, "list-unreadable").Detail, "row 2")
	r.post("/v1/lists?kind=imageNumber", []byte(`{"a": 1}`)).refused(http.StatusUnsupportedMediaType, "content-type-unsupported")
	r.post("/v1/lists?kind=imageNumber", []byte("no zip"), "Content-Type", exportTypes[access.XLSX]).refused(http.StatusUnprocessableEntity, "list-unreadable")
	r.send(commands.RoleReader, "POST", "/v1/lists?kind=imageNumber", []byte("V-1\n"), "Content-Type", "text/csv").refused(http.StatusForbidden, "permission-missing")
}

// TestTheLargestUpload: 16 MiB are taken, and not a byte more.
func TestTheLargestUpload(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var table bytes.Buffer
	for i := 0; table.Len() < list.MaxBytes-300; i++ {
		fmt.Fprintf(&table, "%0299d\n", i)
	}
	table.Write(bytes.Repeat([]byte("\n"), list.MaxBytes-table.Len()))
	var taken answer
	for began := time.Now(); ; { // a slow machine may need longer than a request has, and is asked again as it says
		taken = r.post("/v1/lists?kind=imageNumber", table.Bytes(), "Content-Type", "text/csv", keyHeader, "the largest")
		if taken.Status != http.StatusServiceUnavailable || time.Since(began) > 3*longWait {
			break
		}
	}
	var made ListMade
	taken.is(http.StatusCreated, &made)
	require.Equal(t, list.MaxBytes/300, made.Entries)
	table.WriteByte('\n')
	p := r.upload(list.ImageNumbers, table.String()).refused(http.StatusRequestEntityTooLarge, "body-too-large")
	require.Contains(t, p.Detail, "16777216 bytes")
}

// through the batch's slices as a worker goes.
func (r *rig) through(number, slice string, c discovery.ListPage) {
	r.t.Helper()
	c.Pass, c.Page, c.Last = 1, 1, true
	stream := domain.DiscoveryStream(number, slice)
	execute(r, commands.Discoveries, stream, discovery.State{}, discovery.Command(discovery.Start{Batch: number, Source: sourceID, Slice: slice}), discovery.Command(c))
}

func TestHowABatchMatchesWithItsList(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	var bills, images ListMade
	r.upload(list.BillNumbers, "V-1\nV-2\n=cmd|'1\nV_3\n").is(http.StatusCreated, &bills)
	r.upload(list.ImageNumbers, "I-1\n").is(http.StatusCreated, &images)
	create := func(scope map[string]any) answer {
		return r.post("/v1/batches", map[string]any{"source": sourceID, "scope": scope})
	}
	require.Equal(t, "scope.list", create(map[string]any{"list": "none"}).refused(http.StatusUnprocessableEntity, "list-unknown").Field)
	require.Equal(t, "scope.from", create(map[string]any{"list": bills.ID}).refused(http.StatusUnprocessableEntity, "period-missing").Field)
	require.Equal(t, "scope.to", create(map[string]any{"from": "2024-03-01"}).refused(http.StatusUnprocessableEntity, "date-invalid").Field)
	require.Equal(t, "scope.from", create(map[string]any{}).refused(http.StatusUnprocessableEntity, "date-invalid").Field)

	var b, alone BatchMade
	create(map[string]any{"list": bills.ID, "from": "2024-03-01", "to": "2024-03-31"}).is(http.StatusCreated, &b)
	create(map[string]any{"list": images.ID}).is(http.StatusCreated, &alone)
	path := "/v1/batches/" + b.Number + "/match"
	var m Match
	r.get(with(path, "after", b.Position)).is(http.StatusOK, &m)
	require.Equal(t, Match{List: bills.ID, Kind: list.BillNumbers, Status: "waiting", Entries: 4, Unlisted: new(0)}, m)

	beside := discovery.Item{Key: "k", Content: "c", Unlisted: &discovery.Unlisted{ImageNumber: "+I-9", BillNumber: "V-9"}}
	r.through(b.Number, slice, discovery.ListPage{Items: []discovery.PageItem{{Item: beside, ImageNumber: "+I-9"}}, Total: 1})
	r.through(b.Number, domain.ListSlice, discovery.ListPage{
		Items: []discovery.PageItem{{Item: discovery.Item{Key: "m", Elsewhere: true}}}, Total: 4, Looked: 4, Absent: []string{"V-2", "=cmd|'1", "V_3"},
	})
	at := r.heads().String()
	r.get(with(path, "after", at)).is(http.StatusOK, &m)
	require.Equal(t, Match{List: bills.ID, Kind: list.BillNumbers, Status: "completed", Ended: true, Entries: 4, Looked: 4, Matched: 1, NotFound: 3, Unlisted: new(1)}, m)
	for bucket, expected := range map[string][]MatchedItem{
		"matched": {{Number: "V-1"}}, "not-found": {{Number: "=cmd|'1"}, {Number: "V-2"}, {Number: "V_3"}},
		"unlisted": {{ImageNumber: "+I-9", BillNumber: "V-9", Slice: slice}},
	} {
		var page Page[MatchedItem]
		r.get(path+"/"+bucket).is(http.StatusOK, &page)
		require.Equal(t, expected, page.Items, bucket)
	}
	var page Page[MatchedItem]
	r.get(path+"/not-found?limit=1&text=V_").is(http.StatusOK, &page)
	require.Equal(t, []MatchedItem{{Number: "V_3"}}, page.Items)
	require.Empty(t, page.Next)

	exported := r.get(path+"/not-found/export").is(http.StatusOK, nil)
	require.Equal(t, "\ufeffbillNumber\r\n'=cmd|'1\r\nV-2\r\nV_3\r\n", string(exported.Body))
	require.Contains(t, exported.Header.Get("Content-Disposition"), "waybill-not-found.csv")
	require.Equal(t, "\ufeffimageNumber,billNumber,slice\r\n'+I-9,V-9,2024-03\r\n", string(r.get(path+"/unlisted/export").is(http.StatusOK, nil).Body))

	var unknown Match
	r.get("/v1/batches/"+alone.Number+"/match").is(http.StatusOK, &unknown)
	require.Equal(t, Match{List: images.ID, Kind: list.ImageNumbers, Status: "waiting", Entries: 1}, unknown, "without a period nobody knows what is beside the list")
	r.get("/v1/batches/none/match").refused(http.StatusNotFound, "batch-not-found")
	plain := r.anotherBatch()
	r.get(with("/v1/batches/"+plain.Number+"/match", "after", plain.Position)).refused(http.StatusNotFound, "match-not-found")

	r.restrict("confined", "alice", "ORG1")
	scope := map[string]any{"list": images.ID, "organizations": []string{"ORG1"}}
	r.send("confined", "POST", "/v1/batches", map[string]any{"source": sourceID, "scope": scope}).refused(http.StatusForbidden, "organizations-restricted")
}
