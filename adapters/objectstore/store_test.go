package objectstore_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/objectstore"
)

const (
	bucketName = "images"
	accessKey  = "AKIAWAYBILLTEST"
	secretKey  = "canary0of0the0secret0key"
)

// TestMain sets the environment that credentials come from.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// store is an S3 server in this process, reached over HTTP.
type store struct {
	*httptest.Server
	backend gofakes3.Backend
	// before is told of each request, and tells whether it answered it; nil: of none.
	before func(w http.ResponseWriter, r *http.Request) bool

	served http.Handler
	mu     sync.Mutex // one write at a time
}

func newStore(t *testing.T, times gofakes3.TimeSource) *store {
	t.Helper()
	s := &store{backend: s3mem.New(s3mem.WithTimeSource(times))}
	require.NoError(t, s.backend.CreateBucket(bucketName))
	s.served = gofakes3.New(s.backend, gofakes3.WithTimeSource(times), gofakes3.WithTimeSkewLimit(0)).Server()
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP adds the conditions that gofakes3 does not know: those of an upload
// in parts and of a copy.
func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.before != nil && s.before(w, r) {
		return
	}
	source := r.Header.Get("X-Amz-Copy-Source-If-Match")
	if r.URL.Query().Get("uploadId") == "" && source == "" {
		if r.Method == http.MethodPut { // none comes between a copy and its condition
			s.mu.Lock()
			defer s.mu.Unlock()
		}
		s.served.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if source != "" {
		from, _ := url.QueryUnescape(r.Header.Get("X-Amz-Copy-Source"))
		if s.tag(strings.TrimPrefix(from, bucketName+"/")) != source {
			precondition(w)
			return
		}
	}
	key := strings.TrimPrefix(r.URL.Path, "/"+bucketName+"/")
	tag := s.tag(key)
	if r.Header.Get("If-None-Match") == "*" && tag != "" || r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != tag {
		precondition(w)
		return
	}
	s.served.ServeHTTP(w, r)
}

// tag of a key's object; empty: there is none.
func (s *store) tag(key string) string {
	object, err := s.backend.HeadObject(bucketName, key)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(`"%x"`, object.Hash)
}

func precondition(w http.ResponseWriter) {
	refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>no</Message></Error>`, code)
}

// unconditional takes conditions away, as stores do that do not know them.
func unconditional(_ http.ResponseWriter, r *http.Request) bool {
	r.Header.Del("If-None-Match")
	r.Header.Del("If-Match")
	r.Header.Del("X-Amz-Copy-Source-If-Match")
	return false
}

// keys of the bucket.
func (s *store) keys(t *testing.T) (keys []string) {
	t.Helper()
	listed, err := s.backend.ListBucket(bucketName, nil, gofakes3.ListBucketPage{})
	require.NoError(t, err)
	for _, o := range listed.Contents {
		keys = append(keys, o.Key)
	}
	return keys
}

func (s *store) content(t *testing.T, key string) string {
	t.Helper()
	object, err := s.backend.GetObject(bucketName, key, nil)
	require.NoError(t, err)
	defer func() { _ = object.Contents.Close() }()
	content, err := io.ReadAll(object.Contents)
	require.NoError(t, err)
	return string(content)
}

// url of an archive in the store.
func (s *store) url(path string) string {
	return "s3://" + path + "?region=us-east-1&endpoint=" + url.QueryEscape(s.URL)
}

// connect to an archive in the store.
func (s *store) connect(t *testing.T, path string) *objectstore.Bucket {
	t.Helper()
	l, err := objectstore.Parse(s.url(path))
	require.NoError(t, err)
	b, err := objectstore.Connect(t.Context(), l, objectstore.Settings{Networks: []string{"127.0.0.0/8"}, Spool: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// open makes an archive in the store that is ready.
func (s *store) open(t *testing.T, path string) *objectstore.Bucket {
	t.Helper()
	b := s.connect(t, path)
	require.NoError(t, b.Mark(t.Context(), "one"))
	require.NoError(t, b.Ready(t.Context()))
	return b
}
