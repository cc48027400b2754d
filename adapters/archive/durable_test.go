package archive

import (
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/archivetest"
)

// TestEachFileSyncedByItself: the suite where the file system's own sync
// cannot be relied on.
func TestEachFileSyncedByItself(t *testing.T) {
	t.Parallel()
	archivetest.Run(t, func(t *testing.T) commands.Archive {
		f, err := Open(t.TempDir())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, f.Close()) })
		f.disk.whole = nil
		return f
	})
}

// TestASyncUnderWayServesNobodyWhoComesLater: what they wrote may be missed by
// it. The next one serves them all.
func TestASyncUnderWayServesNobodyWhoComesLater(t *testing.T) {
	t.Parallel()
	const late = 20
	began, end := make(chan int, late+1), make(chan struct{})
	broken := errors.New("no space")
	syncs := 0
	d := &disk{next: &round{}, whole: func() error {
		syncs++
		began <- syncs
		<-end
		if syncs > 1 {
			return broken
		}
		return nil
	}}
	first := make(chan error, 1)
	go func() { first <- d.join() }()
	require.Equal(t, 1, <-began)

	errs := make(chan error, late)
	for range late {
		go func() { errs <- d.join() }()
	}
	end <- struct{}{}
	require.NoError(t, <-first)
	require.Equal(t, 2, <-began, "a sync of their own")
	require.Empty(t, errs, "nobody was served by the first")
	close(end)
	for range late {
		require.ErrorIs(t, <-errs, broken, "all of a round learn of its error")
	}
}

// BenchmarkCommit is what an object costs from 64 goroutines, five objects in
// a folder as a document's are. Folders are left until the end: ext4 passes
// over inodes that were just deleted, one by one, when it makes a file.
func BenchmarkCommit(b *testing.B) {
	for _, mode := range []string{"together", "each"} {
		for _, size := range []int{4_000, 80_000} {
			b.Run(mode+"/"+strconv.Itoa(size), func(b *testing.B) {
				f, err := Open(b.TempDir())
				require.NoError(b, err)
				defer func() { require.NoError(b, f.Close()) }()
				if mode == "each" {
					f.disk.whole = nil
				}
				content := make([]byte, size)
				var n atomic.Int64
				b.SetParallelism(32)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						i := n.Add(1)
						if err := put(b, f, documentKey(i), content); err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
			})
		}
	}
}

func documentKey(i int64) string {
	document := rand.New(rand.NewPCG(uint64(i/5), 0)).Uint32()
	return "s/r/" + strconv.Itoa(int(document%256)) + "/" + strconv.Itoa(int(document>>8%256)) + "/" + strconv.Itoa(int(i/5)) + "/" + strconv.Itoa(int(i))
}

func put(b *testing.B, f *Folder, key string, content []byte) error {
	u, err := f.Begin(b.Context())
	if err != nil {
		return err
	}
	if _, err := u.Write(content); err != nil {
		return errors.Join(err, u.Abort())
	}
	if _, err := u.Commit(b.Context(), key); err != nil {
		return err
	}
	object, err := f.Open(b.Context(), key)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, object)
	return errors.Join(err, object.Close())
}
