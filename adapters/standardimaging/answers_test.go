package standardimaging_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

func TestFieldsMayComeAsNumbersTextsOrNull(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data = answering(`{"errcode":0,"errorCode":"0000","description":null,"totalElement":"2","totalPage":1.0,"currentPage":null,"traceId":77,"data":[
		{"imageNumber":12345678901234567890,"resource":null,"billId":17,"billType":"t","orgNumber":"o","files":[
			{"id":1,"fileHash":"ABCDEF","fileSize":"12","fileExtends":".PDF","originalState":0,"fileClass":"1","sequence":null,"url":"http://x/1","other":{"deep":[1]}},
			{"id":"2","fileHash":null,"fileSize":3.0,"fileClass":7,"url":null}]},
		{"imageNumber":"  ","resource":"r","billId":null,"files":null}]}`)
	// errcode stands before errorCode: 0 is not the text "0000".
	_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
	require.Equal(t, "0", s.failure(err).SourceCode)

	answer := s.data
	s.data = func(w http.ResponseWriter, r *http.Request) {
		recorder := &strings.Builder{}
		answer(writerOf{recorder}, r)
		_, _ = io.WriteString(w, strings.Replace(recorder.String(), `"errcode":0,`, ``, 1))
	}
	page, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
	require.NoError(t, err)
	require.Equal(t, 2, page.Total)
	require.True(t, page.Last)
	require.Equal(t, "77", page.TraceID)
	first, second := page.Items[0], page.Items[1]
	require.Equal(t, domain.DocumentID{Source: "src", ImageNumber: "12345678901234567890"}, first.ID)
	require.Equal(t, "17", first.Listed.BillID)
	require.Equal(t, []document.ListedFile{
		{ID: "1", Class: document.Invoice, Type: "pdf", Size: 12, Hash: "abcdef", HashAlgorithm: "md5", Rendition: true},
		{ID: "2", Size: 3},
	}, first.Listed.Files)
	require.Equal(t, map[string]string{"1": "http://x/1", "2": ""}, first.URLs)
	require.Contains(t, string(first.Raw), `"other":{"deep":[1]}`, "exactly as sent")
	require.Empty(t, second.ID.ImageNumber)
	require.Len(t, second.ID.Anonymous, 64, "an item without an image number is known by its content")
}

type writerOf struct{ io.Writer }

func (writerOf) Header() http.Header { return http.Header{} }
func (writerOf) WriteHeader(int)     {}

func TestContentIsTheItemWithoutItsURLs(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	content := func(item string) string {
		s.data = answering(`{"errcode":"0000","totalElement":1,"data":[` + item + `]}`)
		page, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
		require.NoError(t, err)
		return page.Items[0].Listed.Content
	}
	base := content(`{"imageNumber":"1","files":[{"id":"f","url":"http://x/1?sig=1"}],"n":1.50}`)
	require.Equal(t, base, content(`{ "n": 1.50, "files":[{"url":"http://x/1?sig=2","id":"f"}], "imageNumber":"1"}`), "other URLs, other order")
	require.NotEqual(t, base, content(`{"imageNumber":"1","files":[{"id":"f","url":""}],"n":1.5,"unmapped":1}`))
	require.NotEqual(t, base, content(`{"imageNumber":"1","files":[{"id":"g","url":""}],"n":1.50}`))
}

func TestPages(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	plan.Settings.PageSize = 2
	one := `{"imageNumber":"1","files":[]}`
	for name, test := range map[string]struct {
		answer string
		page   int
		last   bool
	}{
		"by the source's pages":          {`"totalElement":9,"totalPage":2,"currentPage":1,"data":[` + one + `]`, 1, false},
		"the source's last page":         {`"totalElement":9,"totalPage":2,"currentPage":2,"data":[` + one + `]`, 2, true},
		"by the total":                   {`"totalElement":3,"data":[` + one + `]`, 1, false},
		"the last by the total":          {`"totalElement":3,"data":[` + one + `]`, 2, true},
		"nothing where more is promised": {`"totalElement":9,"totalPage":5,"data":[]`, 1, true},
		"nothing at all":                 {`"totalElement":0,"totalPage":0,"data":null`, 1, true},
	} {
		s.data = answering(`{"errcode":"0000",` + test.answer + `}`)
		page, err := standardimaging.New(resolve).List(t.Context(), plan, january, test.page)
		require.NoError(t, err, name)
		require.Equal(t, test.last, page.Last, name)
	}
}

func TestAnswersThatAreNotAsAgreed(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		code   string
		detail string
	}{
		"HTML":            {answering(`<html>` + issuedToken), "answer-invalid", "text/html"},
		"nothing":         {answering(``), "answer-invalid", "0 bytes"},
		"cut JSON":        {answering(`{"errcode":"0000","data":[`), "answer-invalid", "not the agreed JSON"},
		"another object":  {answering(`{"rows":[]}`), "answer-invalid", "neither errcode nor errorCode"},
		"no total":        {answering(`{"errcode":"0000","data":[]}`), "answer-invalid", "totalElement"},
		"a negative one":  {answering(`{"errcode":"0000","totalElement":-1,"data":[]}`), "answer-invalid", "totalElement"},
		"a broken number": {answering(`{"errcode":"0000","totalElement":1.5,"data":[]}`), "answer-invalid", "1.5"},
		"items of text":   {answering(`{"errcode":"0000","totalElement":1,"data":["x"]}`), "answer-invalid", "not as agreed"},
		"a nested field":  {answering(`{"errcode":"0000","totalElement":1,"data":[{"billId":{"a":1}}]}`), "answer-invalid", "text was agreed"},
		"another page":    {answering(`{"errcode":"0000","totalElement":1,"currentPage":2,"data":[]}`), "answer-invalid", "page 1 was asked for and page 2 came"},
		"another code":    {answering(`{"errcode":"E1","description":"no such ` + issuedToken + `"}`), "source-code", "E1"},
		"a redirection":   {status(http.StatusTemporaryRedirect, "Location", "/data?access_token=again"), "redirected", "redirection"},
		"gone":            {status(http.StatusNotFound), "http-404", "404"},
		"too long":        {endless, "answer-invalid", "longer than"},
		"cut":             {cut(1000), "body-truncated", "ended before its length"},
	} {
		s.data = test.answer
		_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
		failed := s.told(err)
		require.Equal(t, test.code, failed.Code, name)
		require.Contains(t, failed.Detail, test.detail, name)
		require.Less(t, len(failed.Detail), 700, name)
		require.Len(t, failed.RequestID, 16, name)
		require.Equal(t, domain.StageList, failed.Stage)
		_, err = standardimaging.New(resolve).Reread(t.Context(), plan, []string{"1"})
		require.Equal(t, domain.StageFetch, s.told(err).Stage, name)
	}
}

// endless is more than any list can be.
func endless(w http.ResponseWriter, r *http.Request) {
	block := strings.Repeat(" ", 1<<20)
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, block); err != nil {
			return
		}
	}
}

// cut ends a body before its length.
func cut(sent int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100000")
		_, _ = io.WriteString(w, strings.Repeat("x", sent))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func TestARereadDoesNotGoOnForEver(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	asked := 0
	s.data = func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = fmt.Fprintf(w, `{"errcode":"0000","totalElement":1,"totalPage":%d,"currentPage":%d,"data":[{"imageNumber":"1"}]}`, asked+1, asked)
	}
	_, err := standardimaging.New(resolve).Reread(t.Context(), plan, []string{"1"})
	require.Equal(t, "answer-invalid", s.failure(err).Code)
	require.Equal(t, 10, asked)
}

func TestUnavailableSources(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	for code, after := range map[int]time.Duration{503: 7 * time.Second, 500: 0} {
		s.data = status(code)
		if after > 0 {
			s.data = status(code, "Retry-After", "7")
		}
		began := time.Now()
		_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
		rest := s.notNow(err)
		require.Equal(t, domain.SourceUnavailable, rest.Failure.Category)
		require.True(t, rest.Failure.Retryable)
		require.Equal(t, code, rest.Failure.HTTPStatus)
		wait := max(after, time.Second)
		require.WithinRange(t, rest.Until, began.Add(wait), time.Now().Add(wait))
	}
	s.Close()
	_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
	require.Equal(t, "connection-failed", s.notNow(err).Failure.Code)
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for header, bounds := range map[string][2]time.Duration{
		"120":            {2 * time.Minute, 2 * time.Minute},
		in(time.Minute):  {30 * time.Second, time.Minute},
		in(-time.Minute): {0, 0},
		"999999999999":   {time.Hour, time.Hour}, "-5": {0, 0}, "soon": {0, 0}, "": {0, 0},
	} {
		s.file = status(http.StatusTooManyRequests, "Retry-After", header)
		_, err := standardimaging.New(resolve).Download(t.Context(), plan, s.fileURL())
		failed := sourceError(t, err)
		require.Equal(t, domain.SourceThrottled, failed.Failure.Category)
		require.GreaterOrEqual(t, failed.RetryAfter, bounds[0], header)
		require.LessOrEqual(t, failed.RetryAfter, bounds[1], header)
	}
}
