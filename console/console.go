// Package console serves the pages for people: the front end in web, built into
// dist and embedded, so that the binary needs nothing else.
//
// It is TypeScript with Preact and its signals, bundled by esbuild, and nothing
// besides: no router, no component kit, no chart library, no style framework.
// Preact is React's way of writing pages in a tenth of its size; the rest of
// what such a console needs (a table whose filters stand in the URL, a dialog,
// a few dozen lines that match paths) is less code than the adapters to a
// library would be, and has no release to follow. esbuild is one program
// without plugins, whose output depends on its input alone: so dist is
// committed, `make demo` needs Go alone, and `make lint` builds it again and
// fails when it is not what the sources give. Types of the API are generated
// from its description at each build, so that a page that uses a field that is
// gone does not compile.
//
// A page runs no script and no style but what is served here, and connects to
// nothing but the API of the same origin: policy says so to the browser.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed dist
var dist embed.FS

// policy of every page. A preview of a file is an image or, for a PDF, a frame,
// both from the API of the same origin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	// asLongAsItIs: the name holds a digest of the content.
	asLongAsItIs = "public, max-age=31536000, immutable"
	// askAgain whether it is still the same.
	askAgain = "no-cache"
)

// Handler answers with the console's pages, and lets api answer whatever is the
// API's.
func Handler(api http.Handler) (http.Handler, error) {
	files, err := readFiles()
	if err != nil {
		return nil, fmt.Errorf("read the console's files: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			if f, ok := files[r.URL.Path]; ok {
				f.serve(w, r)
				return
			}
			if isPage(r) {
				files["/"].serve(w, r)
				return
			}
		}
		api.ServeHTTP(w, r)
	}), nil
}

// What is below these is the API's, also when a browser asks for it.
var ofTheAPI = []string{"v1", "docs", "schemas", "openapi.json", "asyncapi.json", "healthz", "readyz", "assets"}

// isPage tells whether a browser asks for a page by its address. Which pages
// there are, the front end knows: it says of any other that there is none.
func isPage(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return strings.Contains(r.Header.Get("Accept"), "text/html") && !slices.Contains(ofTheAPI, first)
}

// file of the console, as it is sent.
type file struct {
	contentType, etag, caching string
	plain, zipped              []byte
}

// readFiles gives the files by the path at which they are served.
func readFiles() (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		at := strings.TrimPrefix(name, "dist")
		if at == "/index.html" {
			at = "/"
		}
		files[at], err = newFile(name, content)
		return err
	})
	if err == nil && files["/"] == nil {
		err = fs.ErrNotExist
	}
	return files, err
}

func newFile(name string, content []byte) (*file, error) {
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(content); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	f := &file{contentType: contentTypes[path.Ext(name)], etag: `"` + hex.EncodeToString(sum[:12]) + `"`, caching: askAgain, plain: content, zipped: zipped.Bytes()}
	if f.contentType == "" {
		return nil, fmt.Errorf("%s has a type that is not served", name)
	}
	if strings.HasPrefix(name, "dist/assets/") {
		f.caching = asLongAsItIs
	}
	return f, nil
}

// contentTypes by ending: those of the machine may be anything.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, value := range headers {
		h.Set(name, value)
	}
	h.Set("Cache-Control", f.caching)
	h.Set("ETag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	content := f.plain
	if takesGzip(r) {
		content = f.zipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the client may be gone
	}
}

var headers = map[string]string{
	"Content-Security-Policy":      policy,
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// takesGzip tells whether a client takes gzip, which it may also refuse by q=0.
func takesGzip(r *http.Request) bool {
	for _, offer := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, parameters, err := mime.ParseMediaType(offer)
		if err == nil && name == "gzip" && parameters["q"] != "0" {
			return true
		}
	}
	return false
}
