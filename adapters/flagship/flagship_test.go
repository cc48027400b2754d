package flagship_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/outgoing/outgoingtest"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

func TestADocumentIsFiledAndReadBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.document("影像/1", "cover", "invoice", "attachment", "second cover")
	filed, err := w.file(d)
	require.NoError(t, err)
	require.Equal(t, document.Filed{
		Target: "flagship", Address: w.at.URL, Account: "account", Resource: "ssc", ImageNumber: "影像/1", Status: "committed", Files: 4, Compared: 4,
	}, filed)
	require.True(t, filed.Same(w.system.Place(w.at, d.ID)))
	there := w.platform.Filed()
	require.Len(t, there, 1)
	b := there[0]
	require.Equal(t, []any{"影像/1", "ssc", "id_影像/1", "BILL", "ORG", "N-影像/1", 1}, []any{b.ImageNumber, b.Resource, b.BillID, b.DocumentType, b.Organization, b.BillNumber, b.Commits})
	for i, file := range b.Files {
		require.Equal(t, d.Files[i].Stored.SHA256, file.SHA256)
		require.Equal(t, []string{"cover", "invoice", "attach"}[i%3], file.Class)
		require.Equal(t, "xml", file.Suffix)
	}
}

// Filed again it takes its own place: as a whole, and with other files.
func TestADocumentIsThereOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.file(w.document("1", "a", "b", "c"))
	require.NoError(t, err)
	first := w.platform.Filed()
	_, err = w.file(w.document("1", "a", "b", "c"))
	require.NoError(t, err)
	again := w.platform.Filed()
	require.Len(t, again, 1)
	require.Len(t, again[0].Files, 3)
	require.Equal(t, first[0].Files[2].SHA256, again[0].Files[2].SHA256)
	filed, err := w.file(w.document("1", "a", "other"))
	require.NoError(t, err)
	require.Equal(t, 2, filed.Files)
	require.Len(t, w.platform.Filed()[0].Files, 2)
	require.Equal(t, 1, w.platform.Logins(), "one token serves all")

	w.at.Resource = "flagship"
	filed, err = w.file(w.document("2", "a"))
	require.NoError(t, err)
	require.Equal(t, "flagship", filed.Resource)
}

func TestATokenThatDiesIsRenewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	killed := false
	w.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/fileCollect") && !killed { // in the middle of a document
			killed = true
			w.platform.ExpireTokens()
		}
		return false
	}
	_, err := w.file(w.document("1", "a", "b", "c"))
	require.NoError(t, err)
	require.Equal(t, 2, w.platform.Logins())
	require.Equal(t, 4, w.called("/kapi/app/bds/fileCollect"))
	require.Len(t, w.platform.Filed()[0].Files, 3)
}

func TestOneTokenIsAskedForByMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var filing sync.WaitGroup
	for i := range 16 {
		d := w.document(string(rune('a'+i)), "content")
		filing.Go(func() {
			if _, err := w.file(d); err != nil {
				t.Error(err)
			}
		})
	}
	filing.Wait()
	require.Len(t, w.platform.Filed(), 16)
	require.Equal(t, 1, w.platform.Logins())
}

// What one waits for is not ended by another who stops.
func TestWhoStopsEndsNobodyElsesToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	w.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/login.do" {
			close(asked)
			<-answer
		}
		return false
	}
	ctx, cancel := context.WithCancel(t.Context())
	one, other := w.document("1", "a"), w.document("2", "a")
	errs := make(chan error, 2)
	go func() {
		_, err := w.system.File(ctx, w.at, one)
		errs <- err
	}()
	<-asked
	go func() {
		_, err := w.file(other)
		errs <- err
	}()
	cancel()
	require.ErrorIs(t, <-errs, context.Canceled)
	close(answer)
	require.NoError(t, <-errs)
	require.Equal(t, 1, w.platform.Logins())
}

func TestFailures(t *testing.T) {
	t.Parallel()
	rejected, unavailable := domain.TargetRejected, domain.TargetUnavailable
	for name, c := range map[string]struct {
		fault     simulator.FlagshipFault
		code      string
		category  domain.Category
		stage     domain.Stage
		retryable bool
		after     time.Duration
		says      string
	}{
		"refused":     {simulator.FilingRefused, "target-code", rejected, domain.StageStore, false, 0, `code "2001": the bill is closed`},
		"indiscreet":  {simulator.FilingIndiscreet, "target-code", rejected, domain.StageStore, false, 0, "***"},
		"unavailable": {simulator.FilingBusy, "http-503", unavailable, domain.StageStore, true, 0, "file f0: the platform answered HTTP 503"},
		"throttled":   {simulator.FilingLimited, "http-429", unavailable, domain.StageStore, true, time.Second, "HTTP 429"},
		"a page":      {simulator.FilingUnlike, "answer-invalid", unavailable, domain.StageStore, true, 0, "is not the agreed JSON"},
		"a loss":      {simulator.FilingLosesAFile, "read-back-differs", domain.Integrity, domain.StageVerify, true, 0, "2 files of the class cover were filed, and the platform shows 1"},
		"a change":    {simulator.FilingSpoilsAFile, "read-back-differs", domain.Integrity, domain.StageVerify, true, 0, "none of those that were filed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.platform.SetFaults(map[string]simulator.FlagshipFault{"1": c.fault})
			failed := w.fails(w.document("1", "a", "b", "c", "d"))
			f := failed.Failure
			require.Equal(t, []any{c.code, c.category, c.stage, c.retryable, c.after}, []any{f.Code, f.Category, f.Stage, f.Retryable, failed.RetryAfter})
			require.Contains(t, f.Detail, c.says)
			if c.category == rejected {
				require.Equal(t, "2001", f.SourceCode)
				require.NotEmpty(t, f.TraceID)
			}
			_, err := w.file(w.document("2", "a"))
			require.NoError(t, err, "another document")
			w.platform.SetFaults(nil)
			_, err = w.file(w.document("1", "a", "b", "c", "d"))
			require.NoError(t, err, "when it is over")
		})
	}
}

// What is wrong with the connection or the credentials is of no document.
func TestFailuresOfTheSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world)
		code   string
	}{
		"no secret":        {func(w *world) { w.at.SecretRef = "env:NONE" }, "secret-missing"},
		"another app":      {func(w *world) { w.at.AppID = "other" }, "target-auth"},
		"another user":     {func(w *world) { w.at.User = "other" }, "target-auth"},
		"a private place":  {func(w *world) { w.at.AllowedNetworks = nil }, "address-refused"},
		"nobody":           {func(w *world) { w.at.URL = "http://127.0.0.1:1" }, "connection-failed"},
		"another service":  {func(w *world) { w.at.URL += "/elsewhere" }, "http-404"},
		"a token for none": {func(w *world) { w.before = tokenless }, "target-auth"},
		"a redirection": {func(w *world) {
			w.before = func(rw http.ResponseWriter, r *http.Request) bool {
				http.Redirect(rw, r, "http://127.0.0.1:1/?access_token=1", http.StatusTemporaryRedirect)
				return true
			}
		}, "redirected"},
		"the archive": {func(w *world) { clear(w.archive) }, "archive-error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			d := w.document("1", "a")
			c.change(w)
			f := w.fails(d).Failure
			require.Equal(t, c.code, f.Code)
			require.Equal(t, domain.TargetUnavailable, f.Category)
			require.True(t, f.Retryable)
		})
	}
}

// tokenless takes no token.
func tokenless(rw http.ResponseWriter, r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return false
	}
	http.Error(rw, "no", http.StatusUnauthorized)
	return true
}

func TestAFileThatIsTooLargeIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at.MaxFileBytes = 4
	f := w.fails(w.document("1", "four", "fives")).Failure
	require.Equal(t, []any{"file-too-large", domain.TargetRejected, "f1", false}, []any{f.Code, f.Category, f.FileID, f.Retryable})
	require.Zero(t, w.called("/kapi/app/bds/erpBillPush"))
}

// Files whose URL needs a login, or leads to what the profile does not allow,
// are counted and not compared.
func TestWhatCannotBeFetchedIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.platform.SetFaults(map[string]simulator.FlagshipFault{"1": simulator.FilingHidesFiles})
	filed, err := w.file(w.document("1", "a", "b"))
	require.NoError(t, err)
	require.Equal(t, []int{2, 0}, []int{filed.Files, filed.Compared})
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/kapi/app/rim/queryCover" {
			return false
		}
		_, _ = rw.Write([]byte(`{"success": true, "errorCode": "0000", "data": {"cover": {"localUrl": "http://10.255.255.1/x?sig=1"}, "invoice": [{"localUrl": null}], "attachment": null}}`))
		return true
	}
	filed, err = w.file(w.document("2", "a", "b"))
	require.NoError(t, err)
	require.Equal(t, []int{2, 0}, []int{filed.Files, filed.Compared})
}

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	authority := outgoingtest.NewAuthority(t, "own")
	server := authority.Serve(t, w, "127.0.0.1")
	w.at.URL = server.URL
	require.Equal(t, "certificate-refused", w.fails(w.document("1", "a")).Failure.Code)
	w.at.CertificateAuthorities = authority.PEM
	_, err := w.file(w.document("1", "a"))
	require.NoError(t, err)
}
