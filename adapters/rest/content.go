package rest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/waybill-migration/waybill/adapters/rest/picture"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// Archive is read here, and never written.
type Archive interface {
	// Name of the target as events record it.
	Name() string
	// Objects are what it keeps, by key; they can be read from any byte on.
	Objects(ctx context.Context) fs.FS
	// Check tells that it is there, and is the installation's.
	Check(ctx context.Context) error
}

// maxContent bounds one answer: a file over a slow line.
const maxContent = 10 * time.Minute

// medium is how browsers are shown a format.
type medium struct {
	kind   string // media type
	shown  string // the same, inline; empty: as it is
	policy string
}

// Policies of files that are shown: they come from a source system, and run
// nothing, load nothing and are shown by nobody else's pages. The reader of PDFs
// that browsers have shows none in a sandbox.
const (
	sandboxed = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
	plugged   = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)

const octets = "application/octet-stream"

// media by what was found in the content, whatever its name says. XML is shown
// as it is written: as a document it could bring programs.
var media = map[string]medium{
	"pdf":  {kind: "application/pdf", policy: plugged},
	"ofd":  {kind: "application/ofd", policy: sandboxed},
	"xml":  {kind: "application/xml", shown: "text/plain; charset=utf-8", policy: sandboxed},
	"jpeg": {kind: "image/jpeg", policy: sandboxed},
	"png":  {kind: "image/png", policy: sandboxed},
	"tiff": {kind: "image/tiff", policy: sandboxed},
	"bmp":  {kind: "image/bmp", policy: sandboxed},
	"heic": {kind: "image/heic", policy: sandboxed},
}

func mediumOf(format string) medium {
	if m, known := media[format]; known {
		return m
	}
	return medium{kind: octets, policy: sandboxed}
}

// formatOf a file. What arrived in an earlier batch and is unchanged was not
// looked into again: its object's name ends as its content was found to be.
func formatOf(o *document.FileOutcome) string {
	return cmp.Or(o.Format, strings.TrimPrefix(path.Ext(o.Stored.Key), "."))
}

// inline is the type under which it is shown.
func (m medium) inline() string {
	if m.shown != "" {
		return m.shown
	}
	return m.kind
}

func (s *server) registerContent() {
	op := route{method: http.MethodGet, path: oneDocument + "/files/{file}/content", id: "getFileContent", tag: "files", needs: readDocuments, reach: confined, lasts: maxContent + requestTimeout,
		summary: "The bytes of a migrated file, as the archive has them",
		description: "To be shown in place, or with download to be saved under the file's name. The type is that of the content, whatever the name says; XML is shown as text. A part can be asked for (Range), and what is known already by its ETag is not sent again. " +
			"An answer whose bytes are not those that were stored is cut off before its end, and the log says so: verify the batch."}
	register(s, op, s.getContent)
	answers := s.api.OpenAPI().Paths[op.path].Get.Responses
	whole := answers[strconv.Itoa(http.StatusOK)]
	whole.Content = map[string]*huma.MediaType{}
	for _, m := range slices.AppendSeq([]medium{{kind: octets}, {kind: "text/plain"}}, maps.Values(media)) {
		whole.Content[m.kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	answers[strconv.Itoa(http.StatusPartialContent)] = &huma.Response{Description: "The part that was asked for", Headers: maps.Clone(whole.Headers), Content: whole.Content}
	answers[strconv.Itoa(http.StatusNotModified)] = &huma.Response{Description: "It is what is known already", Headers: map[string]*huma.Header{"ETag": whole.Headers["ETag"]}}
}

// shownContent is a file's bytes. Its headers are those of http.ServeContent,
// beside these.
type shownContent struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	ETag        string `header:"ETag" doc:"The SHA-256 of the file's bytes"`
	Disposition string `header:"Content-Disposition" doc:"Whether it is to be shown or saved, and the file's name"`
	Policy      string `header:"Content-Security-Policy" hidden:"true"`
	Frames      string `header:"X-Frame-Options" hidden:"true"`
	Cache       string `header:"Cache-Control" hidden:"true"`
	Body        func(huma.Context)
}

func (s *server) getContent(ctx context.Context, in *struct {
	FilePath
	Download bool   `query:"download" doc:"To be saved under the file's name, and not to be shown"`
	As       string `query:"as" enum:"png" doc:"A picture of a TIFF's first page, since no browser shows one: 1600 pixels a side at most"`
	After
}) (*shownContent, error) {
	if s.Archive == nil {
		return nil, newProblem(http.StatusServiceUnavailable, "archive-not-set", "this process shows no files: its settings do not say where the archive is (WAYBILL_ARCHIVE)").
			with("Retry-After", "60")
	}
	f, err := s.findFile(ctx, in.FilePath, in.After)
	if err != nil {
		return nil, err
	}
	if f.Status != document.FileStatusMigrated || f.Outcome == nil || f.Outcome.Stored == nil {
		return nil, notMigrated(f)
	}
	object, err := s.openObject(ctx, f)
	if err != nil {
		return nil, err
	}
	if in.As != "" {
		return shownPicture(ctx, object, f)
	}
	m := mediumOf(formatOf(f.Outcome))
	answer := &shownContent{
		ContentType: m.inline(), ETag: `"` + f.Outcome.Stored.SHA256 + `"`, Disposition: disposition("inline", f.Name),
		Policy: m.policy, Frames: "SAMEORIGIN", Cache: "private, no-cache", Body: object.answer,
	}
	if in.Download {
		answer.ContentType, answer.Disposition = m.kind, disposition("attachment", f.Name)
	}
	return answer, nil
}

// shownPicture reads all of the object, and so only bytes that were stored.
func shownPicture(ctx context.Context, o *object, f projections.File) (*shownContent, error) {
	defer func() { _ = o.Close() }()
	content, err := io.ReadAll(io.LimitReader(o.content, picture.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	made, err := picture.OfTIFF(ctx, content)
	var not picture.NotMade
	if errors.As(err, &not) {
		return nil, newProblem(http.StatusUnprocessableEntity, "picture-not-made", not.Error())
	}
	if err != nil {
		return nil, err
	}
	return &shownContent{
		ContentType: "image/png", ETag: `"` + f.Outcome.Stored.SHA256 + `.png"`, Disposition: disposition("inline", f.Name+".png"),
		Policy: sandboxed, Frames: "SAMEORIGIN", Cache: "private, no-cache", Body: func(c huma.Context) {
			gin := humagin.Unwrap(c)
			gin.Request.Header.Del("Range")
			http.ServeContent(gin.Writer, gin.Request, "", time.Time{}, bytes.NewReader(made))
		},
	}, nil
}

// findFile of a document that whoever asks may see.
func (s *server) findFile(ctx context.Context, in FilePath, after After) (projections.File, error) {
	b, err := s.findBatch(ctx, in.Number, after, documentsView)
	if err != nil {
		return projections.File{}, err
	}
	id, err := identify(b.Source, in.ID)
	if err != nil {
		return projections.File{}, err
	}
	d, err := projections.FindDocument(ctx, s.Views, b.Number, id)
	if err = hidden(ctx, d, err, b.Number, id); err != nil {
		return projections.File{}, err
	}
	return projections.FindFile(ctx, s.Views, b.Number, d.Stream, in.File)
}

// notMigrated says why there is nothing to show of a file.
func notMigrated(f projections.File) error {
	why := map[document.FileStatus]string{
		document.FileStatusPending: "it has not arrived yet",
		document.FileStatusSkipped: "it is skipped for now",
		document.FileStatusPassed:  "a preflight looked at it, which keeps nothing",
	}[f.Status]
	switch {
	case why != "":
	case f.Outcome != nil && f.Outcome.Failure != nil:
		why = "it failed by " + f.Outcome.Failure.Code
	default:
		why = "it is " + string(f.Status)
	}
	return newProblem(http.StatusNotFound, "file-not-migrated", "the archive has nothing of this file: "+why)
}

// openObject that holds a migrated file.
func (s *server) openObject(ctx context.Context, f projections.File) (*object, error) {
	stored := f.Outcome.Stored
	if stored.Target != s.Archive.Name() {
		return nil, newProblem(http.StatusServiceUnavailable, "archive-unavailable",
			"the file lies in the archive "+strconv.Quote(stored.Target)+", and this process reads "+strconv.Quote(s.Archive.Name())).with("Retry-After", "60")
	}
	file, err := s.Archive.Objects(ctx).Open(stored.Key)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.Archive.Check(ctx); err != nil {
			return nil, s.archiveUnavailable(ctx, err)
		}
		return nil, newProblem(http.StatusNotFound, "object-missing", "the archive lacks the object "+stored.Key+", which was stored: verify the batch")
	}
	if err != nil {
		return nil, s.archiveUnavailable(ctx, err)
	}
	content, seekable := file.(io.ReadSeeker)
	info, err := file.Stat()
	if err != nil || !seekable || info.Size() != stored.Bytes {
		return nil, errors.Join(err, errNotAsStored, file.Close())
	}
	return &object{content: &digested{ReadSeeker: content, digest: sha256.New(), size: stored.Bytes, expected: stored.SHA256}, Closer: file}, nil
}

// archiveUnavailable keeps what is wrong, which may name a folder, for the log.
func (s *server) archiveUnavailable(ctx context.Context, err error) error {
	s.Log.ErrorContext(ctx, "the archive cannot be read", "request", requestOf(ctx).id, "error", err)
	return newProblem(http.StatusServiceUnavailable, "archive-unavailable", "the archive cannot be read now; the log says why, under the request's id").with("Retry-After", "30")
}

// object is a file's bytes on their way to whoever asked.
type object struct {
	content *digested
	io.Closer
}

// onePart is a range that is served; whoever asks for anything else gets the
// whole, as RFC 9110 lets a server do.
var onePart = regexp.MustCompile(`^bytes=([0-9]{1,18})-([0-9]{0,18})$`)

func (o *object) answer(c huma.Context) {
	defer func() { _ = o.Close() }()
	gin := humagin.Unwrap(c)
	request := gin.Request
	if part := onePart.FindStringSubmatch(request.Header.Get("Range")); part == nil || !o.content.has(part[1], part[2]) {
		request.Header.Del("Range")
	}
	out := &clientWriter{http.NewResponseController(gin.Writer), gin.Writer}
	http.ServeContent(slowly{gin.Writer, out}, request, "", time.Time{}, o.content)
	if o.content.failed != nil {
		requestOf(c.Context()).failure = o.content.failed
	}
}

// slowly writes what takes long over a slow line.
type slowly struct {
	http.ResponseWriter
	out *clientWriter
}

func (s slowly) Write(content []byte) (int, error) { return s.out.Write(content) }

// errNotAsStored: an object's bytes are not those that were stored.
var errNotAsStored = errors.New("the archive has other bytes than were stored: verify the batch")

// digested compares bytes that are read from the first to the last with what
// was stored, and withholds the last of them when they are others.
type digested struct {
	io.ReadSeeker
	digest   hash.Hash
	from, at int64
	size     int64
	expected string
	failed   error
}

// has tells whether there are bytes from a first to a last one; without a last
// one, to the end.
func (d *digested) has(first, last string) bool {
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from >= d.size || last == "" {
		return err == nil && from < d.size
	}
	to, err := strconv.ParseInt(last, 10, 64)
	return err == nil && to >= from
}

// Seek implements io.Seeker.
func (d *digested) Seek(offset int64, whence int) (int64, error) {
	at, err := d.ReadSeeker.Seek(offset, whence)
	d.from, d.at = at, at
	d.digest.Reset()
	return at, err
}

// Read implements io.Reader.
func (d *digested) Read(p []byte) (int, error) {
	n, err := d.ReadSeeker.Read(p)
	d.digest.Write(p[:n])
	d.at += int64(n)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		d.failed = err
	case d.from == 0 && (errors.Is(err, io.EOF) || d.at >= d.size) && hex.EncodeToString(d.digest.Sum(nil)) != d.expected:
		d.failed = errNotAsStored
		return 0, d.failed
	}
	return n, err
}

// disposition of a file by its name, in any script (RFC 6266).
func disposition(how, name string) string {
	if name == "" {
		return how
	}
	return mime.FormatMediaType(how, map[string]string{"filename": name})
}
