package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/content"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
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
		limit := rules.ProfileOf(m.permit.batch.Profile).Limit()
		result.outcome.Received, err = io.Copy(into, io.LimitReader(body, limit+1))
		if into.err != nil {
			err = targetUnavailable(into.err)
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

// sink tells the archive's errors from the source's.
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
