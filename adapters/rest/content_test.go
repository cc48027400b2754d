package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// shelf is an archive that has whatever it is asked for, but for what is gone;
// some of it has rotted.
type shelf struct{ away error }

func (*shelf) Name() string { return "folder" }

func (s *shelf) Check(context.Context) error { return s.away }

func (s *shelf) Objects(context.Context) fs.FS { return s }

// scan is a TIFF of one grey pixel.
var scan = []byte("II*\x00\x08\x00\x00\x00" + "\x08\x00" +
	"\x00\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00" + "\x01\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00" +
	"\x02\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00" + "\x03\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00" +
	"\x06\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00" + "\x11\x01\x04\x00\x01\x00\x00\x00\x6e\x00\x00\x00" +
	"\x15\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00" + "\x17\x01\x04\x00\x01\x00\x00\x00\x01\x00\x00\x00" + "\x00\x00\x00\x00" + "\x80")

// keptAs a key.
func keptAs(key string) []byte {
	if strings.HasSuffix(key, "scan.tif") {
		return bytes.Clone(scan)
	}
	return []byte(strings.Repeat("bytes of "+key+"\n", 5000))
}

// stored under a key.
func stored(key string) *domain.Stored {
	sum := sha256.Sum256(keptAs(key))
	return &domain.Stored{Target: "folder", Key: key, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(keptAs(key)))}
}

// Open implements fs.FS.
func (s *shelf) Open(key string) (fs.File, error) {
	content := keptAs(key)
	switch {
	case strings.Contains(key, "broken"):
		return nil, errors.New("the disk is on fire at /mnt/archive")
	case s.away != nil, strings.Contains(key, "gone"):
		return nil, fs.ErrNotExist
	case strings.Contains(key, "rotten"):
		content[len(content)/2] ^= 1
	case strings.Contains(key, "short"):
		content = content[1:]
	}
	return fstest.MapFS{key: {Data: content}}.Open(key)
}

// keeps a document of files that are kept under their ids, each of a
// format.
func (r *rig) keeps(number string, id domain.DocumentID, files map[string]string) {
	r.t.Helper()
	listed := document.Listed{Organization: "ORG1", DocumentType: "bill", BillNumber: "B-1", BillDate: "2024-03-05", Content: "c1"}
	var outcomes []document.FileOutcome
	for file, format := range files {
		listed.Files = append(listed.Files, document.ListedFile{ID: file, Class: document.Attachment, Sequence: len(listed.Files), Name: "发票 " + file, Type: format, Size: 10})
		outcomes = append(outcomes, document.FileOutcome{ID: file, Format: format, Stored: stored(file), Result: document.Written})
	}
	r.document(id, document.Discover{ID: id, Batch: number, Slice: slice, Listed: listed})
	state, err := commands.Documents.Fold(document.State{}, r.records(id.Stream()))
	require.NoError(r.t, err)
	at := r.document(id, document.Migrate{Batch: number, Work: state.Batches[number].Work, Manifest: domain.Stored{Target: "folder", Key: "m", SHA256: "m"}, Files: outcomes})
	r.shown(at)
}

func contentOf(number string, id domain.DocumentID, file string) string {
	return pathOf(number, id) + "/files/" + url.PathEscape(file) + "/content"
}

func TestMigratedFileIsShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	id := image("ssc", "IMG/1 +")
	r.keeps(number, id, map[string]string{"a/1.pdf": "pdf", "b.xml": "xml", "c.jpg": "jpeg", "d.txt": "plain", "e.ofd": "ofd", "f.tif": "tiff"})
	for file, expected := range map[string][2]string{
		"a/1.pdf": {"application/pdf", "application/pdf"}, "b.xml": {"text/plain; charset=utf-8", "application/xml"}, "c.jpg": {"image/jpeg", "image/jpeg"},
		"d.txt": {octets, octets}, "e.ofd": {"application/ofd", "application/ofd"}, "f.tif": {"image/tiff", "image/tiff"},
	} {
		path := contentOf(number, id, file)
		for i, query := range []string{"", "?download=true"} {
			a := r.get(path+query).is(http.StatusOK, nil)
			require.Equal(t, string(keptAs(file)), string(a.Body))
			require.Equal(t, expected[i], a.Header.Get("Content-Type"), file)
			require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
			require.Equal(t, `"`+stored(file).SHA256+`"`, a.Header.Get("ETag"))
			how, parameters, err := mime.ParseMediaType(a.Header.Get("Content-Disposition"))
			require.NoError(t, err)
			require.Equal(t, [...]string{"inline", "attachment"}[i], how)
			require.Equal(t, "发票 "+file, parameters["filename"])
			policy := a.Header.Get("Content-Security-Policy")
			require.Contains(t, policy, "default-src 'none'")
			require.Contains(t, policy, "frame-ancestors 'self'")
			require.Equal(t, file != "a/1.pdf", strings.Contains(policy, "sandbox"), file)
			require.NotContains(t, policy, "script-src")
			require.Equal(t, "SAMEORIGIN", a.Header.Get("X-Frame-Options"))
		}
	}
	r.send("", "GET", contentOf(number, id, "b.xml"), nil).refused(http.StatusUnauthorized, "token-missing")
	r.get(contentOf(number, id, "none")).refused(http.StatusNotFound, "file-not-found")
	r.get(contentOf(number, image("ssc", "none"), "b.xml")).refused(http.StatusNotFound, "document-not-found")
	r.get(contentOf("B20200101-000000-AAAAA", id, "b.xml")).refused(http.StatusNotFound, "batch-not-found")
}

func TestWhatIsKnownOrNotAskedForIsNotSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	id := image("ssc", "IMG-1")
	r.keeps(number, id, map[string]string{"a.png": "png"})
	path, whole := contentOf(number, id, "a.png"), keptAs("a.png")
	tag := r.get(path).is(http.StatusOK, nil).Header.Get("ETag")
	ask := func(status int, headers ...string) answer {
		return r.send(commands.RoleReader, "GET", path, nil, headers...).is(status, nil)
	}
	require.Empty(t, ask(http.StatusNotModified, "If-None-Match", tag).Body)
	require.Equal(t, whole, ask(http.StatusOK, "If-None-Match", `"another"`).Body)
	a := ask(http.StatusPartialContent, "Range", "bytes=6-9")
	require.Equal(t, whole[6:10], a.Body)
	require.Equal(t, "image/png", a.Header.Get("Content-Type"))
	require.Equal(t, whole[len(whole)-7:], ask(http.StatusPartialContent, "Range", "bytes="+strconv.Itoa(len(whole)-7)+"-").Body)
	require.Equal(t, whole[6:10], ask(http.StatusPartialContent, "Range", "bytes=6-9", "If-Range", tag).Body)
	for _, headers := range [][]string{
		{"Range", "bytes=6-9", "If-Range", `"another"`}, {"Range", "bytes=0-1,4-5"}, {"Range", "bytes=" + strconv.Itoa(len(whole)) + "-"}, {"Range", "lines=1-2"}, {"Range", "bytes=9-6"}, {"Range", "bytes=-"},
	} {
		require.Equal(t, whole, ask(http.StatusOK, headers...).Body, headers)
	}
}

func TestFileThatIsNotMigratedSaysWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	failed, pending := image("ssc", "IMG-1"), image("ssc", "IMG-2")
	at := r.failed(number, failed)
	at.Raise(r.discovered(number, pending))
	r.shown(at)
	p := r.get(contentOf(number, failed, "cover/1 +")).refused(http.StatusNotFound, "file-not-migrated")
	require.Contains(t, p.Detail, "type-unsupported")
	p = r.get(contentOf(number, pending, "f2")).refused(http.StatusNotFound, "file-not-migrated")
	require.Contains(t, p.Detail, "has not arrived yet")
	skipped := r.post(pathOf(number, pending)+"/files/f2/skip", because("blurred")).is(http.StatusOK, nil)
	p = r.get(skipped.at(contentOf(number, pending, "f2"))).refused(http.StatusNotFound, "file-not-migrated")
	require.Contains(t, p.Detail, "skipped")
}

func TestArchiveThatHasItNot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	id := image("ssc", "IMG-1")
	r.keeps(number, id, map[string]string{"gone": "png", "broken": "png", "rotten": "png", "short": "png", "ok": "png"})
	get := func(file string) answer { return r.get(contentOf(number, id, file)) }
	require.Contains(t, get("gone").refused(http.StatusNotFound, "object-missing").Detail, "verify")
	p := get("broken").refused(http.StatusServiceUnavailable, "archive-unavailable")
	require.NotContains(t, p.Detail, "/mnt/archive")
	require.Contains(t, r.log.String(), "/mnt/archive")
	get("short").refused(http.StatusInternalServerError, "internal-error")

	request, err := http.NewRequestWithContext(t.Context(), "GET", r.url+contentOf(number, id, "rotten"), nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+r.secrets[commands.RoleReader])
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "bytes that are not those that were stored do not arrive whole")
	require.Less(t, len(received), len(keptAs("rotten")))
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), errNotAsStored.Error()) }, longWait, shortWait/10)

	d := r.dependencies()
	d.Archive = &shelf{away: errors.New("the folder is another's")}
	r.serve(d, longWait)
	get("ok").refused(http.StatusServiceUnavailable, "archive-unavailable")
	d = r.dependencies()
	d.Archive = nil
	r.serve(d, longWait)
	require.Contains(t, get("ok").refused(http.StatusServiceUnavailable, "archive-not-set").Detail, "WAYBILL_ARCHIVE")
}

// A name of any script, and one that would end the header, arrive as they are.
func TestNamesOfFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"发票 2024.pdf", `a"b\c;d.pdf`, "plain.pdf", "line\r\nSet-Cookie: x=y", "émile's %41.pdf", strings.Repeat("长", 200)} {
		header := disposition("attachment", name)
		require.NotContains(t, header, "\n")
		_, parameters, err := mime.ParseMediaType(header)
		require.NoError(t, err, header)
		require.Equal(t, name, parameters["filename"])
	}
	require.Equal(t, "inline", disposition("inline", ""))
}

// A file of any size passes through in pieces.
func TestContentIsReadInPieces(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte{1}, 1<<20)
	sum := sha256.Sum256(content)
	d := &digested{ReadSeeker: bytes.NewReader(content), digest: sha256.New(), size: int64(len(content)), expected: hex.EncodeToString(sum[:])}
	for range 2 {
		_, err := d.Seek(0, io.SeekStart)
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, io.LimitReader(d, d.size))
		require.NoError(t, err)
		require.Equal(t, d.size, n)
	}
	require.NoError(t, d.failed)
}

// What is unchanged since an earlier batch has no format of its own, and is
// shown as it was found to be when it was stored.
func TestFormatOfWhatArrivedEarlier(t *testing.T) {
	t.Parallel()
	stored := &domain.Stored{Key: "source/ssc/1/abc.pdf"}
	require.Equal(t, "pdf", formatOf(&document.FileOutcome{Stored: stored}))
	require.Equal(t, "png", formatOf(&document.FileOutcome{Format: "png", Stored: stored}))
	require.Equal(t, octets, mediumOf(formatOf(&document.FileOutcome{Stored: &domain.Stored{Key: "source/ssc/1/abc"}})).kind)
}

func TestATIFFIsShownAsAPicture(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number, id := r.batch().Number, image("ssc", "IMG-7")
	r.keeps(number, id, map[string]string{"scan.tif": "tiff", "no.tif": "tiff", "rotten-scan.tif": "tiff"})
	a := r.get(contentOf(number, id, "scan.tif")+"?as=png").is(http.StatusOK, nil)
	require.Equal(t, "image/png", a.Header.Get("Content-Type"))
	require.Equal(t, "image/png", http.DetectContentType(a.Body))
	require.Contains(t, a.Header.Get("Content-Security-Policy"), "sandbox")
	require.NotEqual(t, `"`+stored("scan.tif").SHA256+`"`, a.Header.Get("ETag"), "it is other bytes")
	r.get(contentOf(number, id, "no.tif")+"?as=png").refused(http.StatusUnprocessableEntity, "picture-not-made")
	r.get(contentOf(number, id, "scan.tif")+"?as=gif").refused(http.StatusUnprocessableEntity, "validation-failed")
	r.get(contentOf(number, id, "rotten-scan.tif")+"?as=png").refused(http.StatusInternalServerError, "internal-error")
}
