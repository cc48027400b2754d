package workers

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// place takes the bytes of a file while they are judged, and keeps them when
// they may stay.
type place interface {
	io.Writer
	io.ReaderAt
	keep(ctx context.Context, digest string, result *fetched)
	Abort() error
}

func (m *migration) begin(ctx context.Context) (place, error) {
	if m.preflight() {
		return newScratch()
	}
	upload, err := m.Archive.Begin(ctx)
	return shelf{upload, m}, err
}

// shelf is a place in the archive.
type shelf struct {
	commands.Upload
	m *migration
}

func (s shelf) keep(ctx context.Context, digest string, result *fetched) {
	s.m.store(ctx, s.Upload, digest, result)
}

// scratch is the place of a preflight, which keeps nothing: a file that has no
// name any more, so that whatever ends the process leaves none. As many are open
// as documents are judged at once, each as large as the profile takes.
type scratch struct{ *os.File }

func newScratch() (scratch, error) {
	file, err := os.CreateTemp("", "waybill-preflight-*")
	if err != nil {
		return scratch{}, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return scratch{}, errors.Join(err, file.Close())
	}
	return scratch{file}, nil
}

func (scratch) keep(_ context.Context, _ string, result *fetched) { result.outcome.Passed = true }

// Abort lets go of the bytes.
func (s scratch) Abort() error { return s.Close() }

// notKept is a place that did not take or give a file's bytes as it should.
func (m *migration) notKept(err error) *commands.SourceError {
	if !m.preflight() {
		return targetUnavailable(err)
	}
	return &commands.SourceError{Failure: domain.Failure{
		Code: "scratch-error", Category: domain.Internal, Stage: domain.StageFetch, Retryable: true,
		Detail: domain.TruncateTo("the worker could not keep the file while judging it: "+err.Error(), 600),
		Remedy: "Check the space and permissions of the worker's folder for temporary files (TMPDIR). It is tried again by itself.",
	}}
}
