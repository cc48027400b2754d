package objectstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/objectstore"
	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/adapters/outgoing/outgoingtest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/archivetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, path := range []string{bucketName, bucketName + "/a/b"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			archivetest.Run(t, func(t *testing.T) commands.Archive { return newStore(t, gofakes3.DefaultTimeSource()).open(t, path) })
			archivetest.RunObjects(t, func(t *testing.T) (commands.Archive, fs.FS) {
				b := newStore(t, gofakes3.DefaultTimeSource()).open(t, path)
				return b, b.Objects(t.Context())
			})
		})
	}
}

func put(t *testing.T, b *objectstore.Bucket, key string, content []byte) (existed bool, err error) {
	t.Helper()
	u, err := b.Begin(t.Context())
	require.NoError(t, err)
	_, err = u.Write(content)
	require.NoError(t, err)
	return u.Commit(t.Context(), key)
}

func get(t *testing.T, b *objectstore.Bucket, key string) []byte {
	t.Helper()
	object, err := b.Open(t.Context(), key)
	require.NoError(t, err)
	defer func() { _ = object.Close() }()
	content, err := io.ReadAll(object)
	require.NoError(t, err)
	return content
}

// Where conditions are ignored everything holds but that one of many writes.
func TestAStoreThatIgnoresConditions(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	s.before = unconditional
	b := s.open(t, bucketName)
	existed, err := put(t, b, "s/k", []byte("cOntent"))
	require.NoError(t, err)
	require.False(t, existed)
	for _, there := range []bool{false, true} {
		existed, err = put(t, b, "s/k", []byte("content"))
		require.NoError(t, err)
		require.Equal(t, there, existed)
	}
	kept := s.keys(t)[0]
	require.Regexp(t, `^\.damaged/[0-9a-f]{32}/s/k$`, kept)
	require.Equal(t, "cOntent", s.content(t, kept))
	var writers sync.WaitGroup
	for range 16 {
		writers.Go(func() {
			if _, err := put(t, b, "s/other", []byte("the same")); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	require.Equal(t, "the same", s.content(t, "s/other"))
}

// What is damaged is kept once, however many find it.
func TestWhatIsDamagedIsKeptAside(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	b := s.open(t, bucketName+"/p")
	_, err := put(t, b, "s/图像 1/k", []byte("rotten"))
	require.NoError(t, err)
	var replaced atomic.Int32
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			existed, err := put(t, b, "s/图像 1/k", []byte("content"))
			if err != nil {
				t.Error(err)
			}
			if !existed {
				replaced.Add(1)
			}
		})
	}
	writers.Wait()
	require.EqualValues(t, 1, replaced.Load())
	keys := s.keys(t)
	require.Len(t, keys, 3)
	require.Regexp(t, `^p/\.damaged/[0-9a-f]{32}/s/图像 1/k$`, keys[0])
	require.Equal(t, "rotten", s.content(t, keys[0]))
	require.Equal(t, "content", s.content(t, "p/s/图像 1/k"))
}

// large content, which goes in parts.
func large(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	return content
}

func TestLargeObjectsGoInParts(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	var parts atomic.Int32
	s.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("partNumber") != "" {
			parts.Add(1)
		}
		return false
	}
	b := s.open(t, bucketName)
	content := large(20 << 20)
	for i, there := range []bool{false, true} {
		existed, err := put(t, b, "s/k", content)
		require.NoError(t, err)
		require.Equal(t, there, existed)
		require.EqualValues(t, 4*(i+1), parts.Load())
	}
	require.Equal(t, sha256.Sum256(content), sha256.Sum256(get(t, b, "s/k")))
	content[0]++
	existed, err := put(t, b, "s/k", content)
	require.NoError(t, err)
	require.False(t, existed)
	require.Equal(t, sha256.Sum256(content), sha256.Sum256(get(t, b, "s/k")))
	require.Empty(t, s.halfSent(t), "the uploads whose condition did not hold are given up")
}

func TestAnUploadThatIsStoppedIsGivenUpAtTheStore(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	b := s.open(t, bucketName)
	ctx, cancel := context.WithCancel(t.Context())
	s.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("partNumber") == "2" {
			cancel()
		}
		return false
	}
	u, err := b.Begin(ctx)
	require.NoError(t, err)
	_, err = u.Write(large(40 << 20))
	require.NoError(t, err)
	_, err = u.Commit(ctx, "s/k")
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, s.halfSent(t))
	require.Equal(t, []string{".waybill-archive"}, s.keys(t))
}

// What a killed process left half-sent is given up a day later, below the
// archive's own prefix alone.
func TestHalfSentUploadsAreSwept(t *testing.T) {
	t.Parallel()
	now := gofakes3.FixedTimeSource(time.Now().Add(-25 * time.Hour))
	s := newStore(t, now)
	for _, key := range []string{"p/s/old", "other/s/old"} {
		s.begin(t, key)
	}
	now.Advance(2 * time.Hour)
	s.begin(t, "p/s/new")
	s.open(t, bucketName+"/p")
	require.Equal(t, []string{"other/s/old", "p/s/new"}, s.halfSent(t))
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if !r.URL.Query().Has("uploads") {
			return false
		}
		refuse(w, http.StatusForbidden, "AccessDenied")
		return true
	}
	require.NoError(t, s.connect(t, bucketName+"/p").Ready(t.Context()), "who may not list them works nevertheless")
}

// Bytes on their way are in a file that nobody finds, whatever becomes of the
// process.
func TestASpooledFileHasNoName(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	l, err := objectstore.Parse(s.url(bucketName))
	require.NoError(t, err)
	spool := t.TempDir()
	b, err := objectstore.Connect(t.Context(), l, objectstore.Settings{Spool: spool})
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	u, err := b.Begin(t.Context())
	require.NoError(t, err)
	_, err = u.Write([]byte("half"))
	require.NoError(t, err)
	left, err := os.ReadDir(spool)
	require.NoError(t, err)
	require.Empty(t, left)
	require.NoError(t, u.Abort())
	require.NoError(t, os.Remove(spool))
	_, err = b.Begin(t.Context())
	require.ErrorContains(t, err, "begin an upload")
}

func TestABucketIsOneInstallationsArchive(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	b := s.connect(t, bucketName+"/p")
	require.ErrorIs(t, b.Check(t.Context(), "one"), commands.ErrUnmarked)
	require.ErrorIs(t, b.Ready(t.Context()), fs.ErrNotExist)
	var marking sync.WaitGroup
	for range 16 {
		marking.Go(func() {
			if err := b.Mark(t.Context(), "one"); err != nil {
				t.Error(err)
			}
		})
	}
	marking.Wait()
	require.NoError(t, b.Check(t.Context(), "one"))
	require.ErrorContains(t, b.Check(t.Context(), "two"), "s3://images/p is the archive of installation one, and this is two")
	require.ErrorContains(t, b.Mark(t.Context(), "two"), "is the archive of installation one")
	require.NoError(t, s.connect(t, bucketName).Mark(t.Context(), "two"), "another prefix is another archive")

	err := s.connect(t, "nowhere").Mark(t.Context(), "one")
	require.ErrorContains(t, err, "NoSuchBucket")
	require.NotErrorIs(t, err, commands.ErrUnmarked)
}

func TestWritersThatAreToldToTryAgainDo(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	b := s.open(t, bucketName)
	var told atomic.Int32
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || told.Add(1) > 1 {
			return false
		}
		refuse(w, http.StatusConflict, "ConditionalRequestConflict")
		return true
	}
	existed, err := put(t, b, "s/k", []byte("content"))
	require.NoError(t, err)
	require.False(t, existed)
	require.EqualValues(t, 2, told.Load())
}

func TestObjectsThatAreNone(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	b := s.open(t, bucketName+"/p")
	_, err := put(t, b, "s/k", []byte("content"))
	require.NoError(t, err)
	files := b.Objects(t.Context())
	_, err = files.Open(".waybill-archive")
	require.ErrorIs(t, err, fs.ErrInvalid)
	nowhere := s.connect(t, "nowhere")
	_, err = nowhere.Open(t.Context(), "s/k")
	require.ErrorContains(t, err, "NoSuchBucket")
	require.NotErrorIs(t, err, fs.ErrNotExist, "a bucket that is gone has not lost objects")
}

// What has changed at the store is read as it is, also where the store's own
// checksum says so: whoever reads it compares.
func TestBytesThatRotAtTheStoreAreRead(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	b := s.open(t, bucketName)
	_, err := put(t, b, "s/k", []byte("content"))
	require.NoError(t, err)
	_, err = s.backend.PutObject(bucketName, "s/k", map[string]string{}, strings.NewReader("cOntent"), 7, nil) // it keeps the checksum
	require.NoError(t, err)
	require.Equal(t, "cOntent", string(get(t, b, "s/k")))
	existed, err := put(t, b, "s/k", []byte("content"))
	require.NoError(t, err)
	require.False(t, existed)
	require.Equal(t, "content", string(get(t, b, "s/k")))
}

// Private addresses are refused and certificates verified, and no error tells
// of credentials.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := newStore(t, gofakes3.DefaultTimeSource())
	authority := outgoingtest.NewAuthority(t, "own")
	encrypted := authority.Serve(t, s, "127.0.0.1")
	check := func(endpoint string, settings objectstore.Settings) error {
		// The server knows no checksums in trailers, which come with TLS.
		l, err := objectstore.Parse("s3://" + bucketName + "?region=us-east-1&request_checksum_calculation=when_required&endpoint=" + endpoint)
		require.NoError(t, err)
		b, err := objectstore.Connect(t.Context(), l, settings)
		require.NoError(t, err)
		defer func() { require.NoError(t, b.Close()) }()
		return b.Mark(t.Context(), "one")
	}
	loopback := []string{"127.0.0.0/8"}
	require.ErrorIs(t, check(s.URL, objectstore.Settings{}), outgoing.ErrRefused)
	require.ErrorContains(t, check(encrypted.URL, objectstore.Settings{Networks: loopback}), "certificate")
	require.NoError(t, check(encrypted.URL, objectstore.Settings{Networks: loopback, Authorities: authority.PEM}))
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		require.Contains(t, r.Header.Get("Authorization"), accessKey)
		refuse(w, http.StatusForbidden, "SignatureDoesNotMatch")
		return true
	}
	err := check(s.URL, objectstore.Settings{Networks: loopback})
	require.ErrorContains(t, err, "SignatureDoesNotMatch")
	for _, private := range []string{accessKey, secretKey, "Signature="} {
		require.NotContains(t, err.Error(), private)
	}
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		return true
	}
	require.ErrorContains(t, check(s.URL, objectstore.Settings{Networks: loopback}), "307")
}

// begin leaves an upload half-sent.
func (s *store) begin(t *testing.T, key string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/"+bucketName+"/"+key+"?uploads", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// halfSent are the keys of uploads that are neither complete nor given up.
func (s *store) halfSent(t *testing.T) (keys []string) {
	t.Helper()
	response, err := http.Get(s.URL + "/" + bucketName + "?uploads")
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for _, part := range bytes.Split(content, []byte("<Key>"))[1:] {
		key, _, _ := strings.Cut(string(part), "</Key>")
		keys = append(keys, key)
	}
	return keys
}
