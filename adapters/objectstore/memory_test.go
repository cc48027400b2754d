package objectstore_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/objectstore"
)

// hole takes uploads in parts, forgets them, and keeps the most memory that was
// in use.
type hole struct {
	mu       sync.Mutex
	received int64
	most     uint64
}

func (h *hole) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch q := r.URL.Query(); {
	case q.Has("uploads"):
		_, _ = io.WriteString(w, `<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>`)
	case q.Has("partNumber"):
		h.received += n
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		h.most = max(h.most, m.HeapAlloc)
		w.Header().Set("ETag", fmt.Sprintf(`"%s"`, q.Get("partNumber")))
	default:
		_, _ = io.WriteString(w, `<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>`)
	}
}

// TestMemoryIsConstant whatever the size of a file: what it takes is a few
// parts. It has no test beside it, which would take memory too.
func TestMemoryIsConstant(t *testing.T) {
	h := &hole{}
	server := httptest.NewServer(h)
	defer server.Close()
	l, err := objectstore.Parse("s3://" + bucketName + "?region=us-east-1&endpoint=" + server.URL)
	require.NoError(t, err)
	b, err := objectstore.Connect(t.Context(), l, objectstore.Settings{Networks: []string{"127.0.0.0/8"}, Spool: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	u, err := b.Begin(t.Context())
	require.NoError(t, err)
	const size = 256 << 20
	chunk := make([]byte, 1<<20)
	for range size / len(chunk) {
		_, err := u.Write(chunk)
		require.NoError(t, err)
	}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	existed, err := u.Commit(t.Context(), "s/k")
	require.NoError(t, err)
	require.False(t, existed)
	require.EqualValues(t, size, h.received)
	t.Logf("%d MiB in use at most, of a file of %d MiB", (int64(h.most)-int64(before.HeapAlloc))>>20, size>>20)
	require.Less(t, h.most, before.HeapAlloc+(64<<20))
}
