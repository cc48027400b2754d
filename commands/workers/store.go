package workers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// storeBytes stores a small object whose digest is known, and reads it back.
func (w *Workers) storeBytes(ctx context.Context, key, digest string, bytes []byte) (domain.Stored, error) {
	stored := domain.Stored{Target: w.Archive.Name(), Key: key, SHA256: digest, Bytes: int64(len(bytes))}
	upload, err := w.Archive.Begin(ctx)
	if err != nil {
		return stored, targetUnavailable(err)
	}
	if _, err := upload.Write(bytes); err != nil {
		return stored, errors.Join(targetUnavailable(err), upload.Abort())
	}
	if _, err := upload.Commit(ctx, key); err != nil {
		return stored, targetUnavailable(err)
	}
	switch found, err := w.readBack(ctx, key); {
	case err != nil:
		return stored, targetUnavailable(err)
	case found != digest:
		return stored, &commands.SourceError{Failure: readBackDiffers(key, digest, found)}
	}
	return stored, nil
}

// targetUnavailable is an archive that did not take or give what it should.
func targetUnavailable(err error) *commands.SourceError {
	return &commands.SourceError{Failure: domain.Failure{
		Code: "archive-error", Category: domain.TargetUnavailable, Stage: domain.StageStore, Retryable: true,
		Detail: domain.TruncateTo("the archive could not store: "+err.Error(), 600),
		Remedy: "Check the archive's disk: space, permissions, mount. It is tried again by itself.",
	}}
}

// fetched is what became of fetching a file.
type fetched struct {
	outcome  document.FileOutcome
	measured document.Measured
	after    time.Duration // the source asked to wait
}

func (f *fetched) fail(failure domain.Failure) {
	failure.FileID = f.outcome.ID
	f.outcome.Failure, f.outcome.Stored = &failure, nil
}

// fetch brings a file from the source into the archive: hashed while it is
// copied, judged before it is visible, read back and compared afterwards. In a
// preflight it is hashed and judged all the same, and dropped. The error is the
// worker's being stopped; all else is in the outcome.
func (m *migration) fetch(ctx context.Context, f document.ListedFile, url string) (fetched, error) {
	result := fetched{outcome: outcomeOf(f)}
	result.measured.BytesListed = f.Size
	at, err := m.begin(ctx)
	if err != nil {
		result.fail(m.notKept(err).Failure)
		return result, nil
	}
	defer func() { _ = at.Abort() }()
	digests, err := m.download(ctx, f, url, at, &result)
	if err != nil || result.outcome.Failure != nil {
		return result, err
	}
	m.judge(ctx, f, at, digests, &result)
	if result.outcome.Failure == nil {
		at.keep(ctx, digests.SHA256(), &result)
	}
	return result, ctx.Err()
}

func outcomeOf(f document.ListedFile) document.FileOutcome {
	return document.FileOutcome{
		ID: f.ID, PID: f.PID, Class: f.Class, Sequence: f.Sequence, Name: f.Name, Type: f.Type, Size: f.Size, Hash: f.Hash,
	}
}

func (m *migration) store(ctx context.Context, upload commands.Upload, digest string, result *fetched) {
	began := time.Now()
	o := &result.outcome
	key := commands.FileKey(m.state.ID, digest, o.Format)
	existed, err := upload.Commit(ctx, key)
	if err == nil {
		o.ReadBack, err = m.readBack(ctx, key)
	}
	switch {
	case err != nil:
		result.fail(targetUnavailable(err).Failure)
		return
	case o.ReadBack != digest:
		result.fail(readBackDiffers(key, digest, o.ReadBack))
		return
	}
	o.Result = document.Unchanged
	if !existed {
		o.Result, result.measured.BytesStored = document.Written, o.Received
	}
	if before := m.state.Archive.Files[o.ID].Stored; before.Key != "" && before.Key != key {
		o.Result, o.Supersedes = document.NewVersion, before.Key
	}
	o.Stored = &domain.Stored{Target: m.Archive.Name(), Key: key, SHA256: digest, Bytes: o.Received}
	result.measured.StoreMS = time.Since(began).Milliseconds()
}

// readBack is the SHA-256 of what the archive gives.
func (w *Workers) readBack(ctx context.Context, key string) (string, error) {
	object, err := w.Archive.Open(ctx, key)
	if err != nil {
		return "", err
	}
	defer func() { _ = object.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, object); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func readBackDiffers(key, wanted, found string) domain.Failure {
	return domain.Failure{
		Code: "read-back-differs", Category: domain.Integrity, Stage: domain.StageVerify, Rule: "R12", Retryable: true,
		Detail: fmt.Sprintf("the archive's object %s was written with SHA-256 %s and reads back with %s", key, wanted, found),
		Remedy: "Check the archive's disk, then retry the document.",
	}
}
