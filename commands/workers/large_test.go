package workers_test

import (
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
)

// heapGrowth allowed while a file of any size passes through, garbage that is
// not collected yet included.
const heapGrowth = 64 << 20

// TestALargeFileTakesNoMemory: fetched over HTTP, digested, judged, stored in a
// folder, read back, verified. Other tests must not run beside it, so it is not parallel.
func TestALargeFileTakesNoMemory(t *testing.T) { //nolint:paralleltest // it measures the whole process
	large := sheet("LARGE", "large")
	large.files[0].hash = largeMD5
	w, s := shelved(t, large)
	w.reconfigure(func(s *source.Settings) { s.Profile = "archive" })
	zeros := make([]byte, 1<<20)
	s.download = func(rw http.ResponseWriter, _ *http.Request, _ call) bool {
		rw.Header().Set("Content-Length", strconv.Itoa(largeSize))
		for left := largeSize; left > 0; left -= len(zeros) {
			if _, err := rw.Write(zeros); err != nil {
				break
			}
		}
		return true
	}
	w.work()
	w.caughtUp()
	runtime.GC()
	before := heap()
	measured := make(chan uint64)
	done := make(chan struct{})
	go func() { measured <- highest(done) }()
	number := w.create(january())
	b := w.finished(number)
	verified := w.verify(number)
	close(done)
	grown := int64(<-measured) - int64(before)
	t.Logf("the heap grew by %d MiB at most, from %d MiB, while %d MiB passed through", grown>>20, before>>20, largeSize>>20)
	require.EqualValues(t, 1, b.Documents.Migrated)
	require.Equal(t, 1, verified.Intact)
	require.Less(t, grown, int64(heapGrowth))
	migrated, _ := eventsOf[document.Migrated](w.records())
	require.EqualValues(t, largeSize, migrated[0].BytesStored)
	require.Equal(t, largeMD5, migrated[0].Files[0].Digests["md5"])
	require.Equal(t, migrated[0].Files[0].Stored.SHA256, migrated[0].Files[0].ReadBack)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// highest heap until a test is done.
func highest(done <-chan struct{}) (most uint64) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			most = max(most, heap())
		case <-done:
			return most
		}
	}
}
