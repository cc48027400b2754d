package workers_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// archiveWith is a real archive with faults put in front of it. A fault that
// is nil does not happen.
type archiveWith struct {
	commands.Archive
	begin  func() error
	write  func(content []byte) error
	commit func(ctx context.Context, key string) error
	open   func(key string, content []byte) []byte
}

func (a archiveWith) Begin(ctx context.Context) (commands.Upload, error) {
	if a.begin != nil {
		if err := a.begin(); err != nil {
			return nil, err
		}
	}
	upload, err := a.Archive.Begin(ctx)
	return &uploadWith{Upload: upload, archive: a}, err
}

func (a archiveWith) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	object, err := a.Archive.Open(ctx, key)
	if err != nil || a.open == nil {
		return object, err
	}
	defer func() { _ = object.Close() }()
	content, err := io.ReadAll(object)
	return io.NopCloser(bytes.NewReader(a.open(key, content))), err
}

type uploadWith struct {
	commands.Upload
	archive archiveWith
}

func (u *uploadWith) Write(p []byte) (int, error) {
	if u.archive.write != nil {
		if err := u.archive.write(p); err != nil {
			return 0, err
		}
	}
	return u.Upload.Write(p)
}

func (u *uploadWith) Commit(ctx context.Context, key string) (bool, error) {
	if u.archive.commit != nil {
		if err := u.archive.commit(ctx, key); err != nil {
			return false, errors.Join(err, u.Abort())
		}
	}
	return u.Upload.Commit(ctx, key)
}

// isFile tells a file's object from a raw item's or a manifest's.
func isFile(key string) bool { return strings.HasSuffix(key, ".xml") }

var diskFull = &fs.PathError{Op: "write", Path: "/archive", Err: syscall.ENOSPC}

// TestAnArchiveThatFails: wherever it fails, the outcome says so, nothing
// half-done is visible, and a retry when it is well again mends it.
func TestAnArchiveThatFails(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	unless := func(when func() bool) error {
		if when() && !mended.Load() {
			return diskFull
		}
		return nil
	}
	faults := map[string]archiveWith{
		"while a file is written": {write: func(content []byte) error {
			return unless(func() bool { return bytes.HasPrefix(content, []byte("<?xml")) })
		}},
		"when a file is committed": {commit: func(_ context.Context, key string) error { return unless(func() bool { return isFile(key) }) }},
		"when a manifest is committed": {commit: func(_ context.Context, key string) error {
			return unless(func() bool { return strings.Contains(key, "/manifest-") })
		}},
	}
	number, stop := map[string]string{}, map[string]func(){}
	worlds := map[string]*world{}
	for name, fault := range faults {
		w := emptyWorld(t)
		w.newShelf(sheets(10)...)
		stop[name] = w.work(func(p *process) {
			fault.Archive = p.Archive
			p.Archive = fault
		})
		number[name], worlds[name] = w.create(january()), w
	}
	for name, w := range worlds {
		b := w.finished(number[name])
		require.EqualValues(t, 10, b.Documents.Failed, name)
		for _, d := range w.documents(number[name]) {
			require.Equal(t, "archive-error", d.Failure.Code, name)
			require.Equal(t, domain.TargetUnavailable, d.Failure.Category, name)
			require.Equal(t, domain.StageStore, d.Failure.Stage, name)
			require.Contains(t, d.Failure.Detail, "no space left", name)
			require.Equal(t, maxAttempts, d.Attempt, name)
		}
		_, manifests, _ := w.objects()
		require.Empty(t, manifests, name)
	}
	mended.Store(true)
	for name, w := range worlds {
		for _, d := range w.documents(number[name]) {
			w.changeDocument(number[name], d.Stream, document.RetryDocument{Batch: number[name], Reason: "there is space again"})
		}
		require.EqualValues(t, 10, w.finished(number[name]).Documents.Migrated, name)
		stop[name]()
		w.requireNoUploads()
	}
}

// TestAnArchiveThatTakesNoRawItem: the listing waits, since what it would
// discover could not name its raw item.
func TestAnArchiveThatTakesNoRawItem(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheets(30)...)
	var mended atomic.Bool
	w.work(func(p *process) {
		p.Archive = archiveWith{Archive: p.Archive, begin: func() error {
			if mended.Load() {
				return nil
			}
			return diskFull
		}}
	})
	number := w.create(january())
	b := w.finished(number)
	require.EqualValues(t, 1, b.Listings.Failed)
	require.Zero(t, b.Documents.Total())
	failure := w.slice(number).Failure
	require.Equal(t, domain.TargetUnavailable, failure.Category)
	mended.Store(true)
	w.see(w.handler.RetryDiscovery(t.Context(), meta(), number, "2025-01", "there is space again"))
	require.EqualValues(t, 30, w.finished(number).Documents.Migrated)
}

func TestWhatIsReadBackDiffers(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheets(10)...)
	var mended atomic.Bool
	w.work(func(p *process) {
		p.Archive = archiveWith{Archive: p.Archive, open: func(key string, content []byte) []byte {
			if isFile(key) && !mended.Load() {
				content[len(content)-1] ^= 1
			}
			return content
		}}
	})
	number := w.create(january())
	require.EqualValues(t, 10, w.finished(number).Documents.Failed)
	for _, d := range w.documents(number) {
		require.Equal(t, "read-back-differs", d.Failure.Code)
		require.Equal(t, domain.Integrity, d.Failure.Category)
		require.Equal(t, domain.StageVerify, d.Failure.Stage)
		require.NotEmpty(t, d.Failure.FileID)
	}
	_, manifests, _ := w.objects()
	require.Empty(t, manifests)
	mended.Store(true)
	for _, d := range w.documents(number) {
		w.changeDocument(number, d.Stream, document.RetryDocument{Batch: number, Reason: "the disk was replaced"})
	}
	require.EqualValues(t, 10, w.finished(number).Documents.Migrated)
}

// TestAnArchiveThatHangs: workers wait with it, and go on when it does.
func TestAnArchiveThatHangs(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheets(40)...)
	var waiting atomic.Int32
	going := make(chan struct{})
	goOn := sync.OnceFunc(func() { close(going) })
	w.work(func(p *process) {
		p.Lease = lease
		p.Archive = archiveWith{Archive: p.Archive, commit: func(_ context.Context, key string) error {
			if isFile(key) {
				waiting.Add(1)
				<-going
			}
			return nil
		}}
	})
	t.Cleanup(goOn)
	number := w.create(january())
	w.eventually("all workers wait", func() bool { return waiting.Load() == 16 })
	w.outlive(lease)
	require.EqualValues(t, 16, waiting.Load(), "leases are kept up, nobody else takes the work")
	goOn()
	b := w.finished(number)
	require.Equal(t, projections.Succeeded, b.Status())
	w.requireMigratedOnce()
}
