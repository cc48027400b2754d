package workers

import (
	"context"
	"io"
	"time"

	"github.com/waybill-migration/waybill/commands/content"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

// judge inspects what was received and holds it against the rules.
func (m *migration) judge(ctx context.Context, f document.ListedFile, received io.ReaderAt, digests *content.Digests, result *fetched) {
	began := time.Now()
	o := &result.outcome
	found, err := inspect(ctx, received, o.Received)
	if err != nil {
		result.fail(m.notKept(err).Failure)
		return
	}
	found.Digest = digests.Declared()
	o.Digests, o.Format = digests.All(), found.Format
	o.Width, o.Height, o.DPI, o.Pages = found.Width, found.Height, found.DPI, found.Pages
	verdict := rules.File(f, found, m.criteria())
	o.Rules = verdict.Results
	if verdict.Failure != nil {
		result.fail(*verdict.Failure)
	}
	result.measured.ValidateMS = time.Since(began).Milliseconds()
}

func inspect(ctx context.Context, received io.ReaderAt, size int64) (rules.Found, error) {
	format, err := content.Format(received, size)
	if err != nil {
		return rules.Found{}, err
	}
	return content.Inspect(ctx, received, size, format)
}
