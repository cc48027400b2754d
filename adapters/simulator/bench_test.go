package simulator_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

// BenchmarkFiles is how fast files are served over loopback, a client that
// reads them included: the simulator must not be the limit of a migration.
func BenchmarkFiles(b *testing.B) {
	s := recovered(b, simulator.Config{Documents: 400, FileSize: 80_000, MinFiles: 3, From: from, To: from})
	var urls []string
	for page := 1; page <= 8; page++ {
		for _, item := range s.list(month(1, page)).Data {
			for _, f := range item.Files {
				urls = append(urls, f.URL)
			}
		}
	}
	require.Len(b, urls, 1200)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var n, received atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			response, err := client.Get(urls[int(n.Add(1))%len(urls)])
			if err != nil {
				b.Error(err)
				return
			}
			read, err := io.Copy(io.Discard, response.Body)
			if err != nil || response.StatusCode != http.StatusOK {
				b.Error(response.Status, err)
			}
			received.Add(read)
			_ = response.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "files/s")
	b.ReportMetric(float64(received.Load())/1e6/b.Elapsed().Seconds(), "MB/s")
}

// BenchmarkItems is how fast items are read again, as each attempt does.
func BenchmarkItems(b *testing.B) {
	s := recovered(b, simulator.Config{Documents: 100, FileSize: 80_000, MinFiles: 3, From: from, To: from})
	request := month(1, 1)
	request["pageSize"] = 100
	s.list(request) // makes the files
	b.ResetTimer()
	for range b.N {
		require.Len(b, s.list(request).Data, 100)
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "items/s")
}
