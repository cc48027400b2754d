package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/content"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

func (m *migration) download(ctx context.Context, f document.ListedFile, url string, upload io.Writer, result *fetched) (*content.Digests, error) {
	began := time.Now()
	defer func() { result.measured.FetchMS = time.Since(began).Milliseconds() }()
	digests, err := content.NewDigests(f.HashAlgorithm)
	if err != nil {
		return nil, err
	}
	body, err := m.Source.Download(ctx, m.permit.plan, url)
	if err == nil {
		defer func() { _ = body.Close() }()
		into := &sink{upload: upload, digests: digests}
		limit := m.criteria().Limit()
		result.outcome.Received, err = io.Copy(into, io.LimitReader(body, limit+1))
		if into.err != nil {
			err = m.notKept(into.err)
		}
	}
	result.measured.BytesReceived = result.outcome.Received
	var failed *commands.SourceError
	if errors.As(err, &failed) {
		failure := failed.Failure
		failure.Detail = fmt.Sprintf("file %s: %s", f.ID, failure.Detail)
		result.fail(failure)
		result.after = failed.RetryAfter
		return nil, nil
	}
	return digests, err
}

// expired tells that the file's URL may have been too old: its host refuses it.
func (f *fetched) expired() bool {
	failure := f.outcome.Failure
	return failure != nil && failure.Stage == domain.StageFetch && failure.HTTPStatus >= http.StatusBadRequest && failure.HTTPStatus < http.StatusInternalServerError && failure.Category != domain.SourceThrottled
}

// freshURLs is how young URLs are of which nobody believes that they expired.
const freshURLs = time.Second

// refresh reads the item again for fresh URLs, which may have expired while the
// document waited for its turn. An item that changed meanwhile is for the next
// attempt.
func (m *migration) refresh(ctx context.Context) bool {
	if m.Now().Sub(m.read) < freshURLs {
		return false
	}
	m.read = m.Now()
	items, err := m.Source.Reread(ctx, m.permit.plan, []string{m.state.ID.ImageNumber})
	if err != nil {
		return false // what is wrong with the source, the failed download says
	}
	for _, item := range items {
		if item.ID == m.state.ID && item.Listed.Content == m.item.Listed.Content {
			m.item = item
			return true
		}
	}
	return false
}

// sink tells the errors of what keeps the bytes from the source's.
type sink struct {
	upload  io.Writer
	digests *content.Digests
	err     error
}

func (s *sink) Write(p []byte) (n int, err error) {
	if n, s.err = s.upload.Write(p); s.err != nil {
		return n, s.err
	}
	return s.digests.Write(p)
}
