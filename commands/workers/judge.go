package workers

import (
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/content"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

func (m *migration) judge(f document.ListedFile, upload commands.Upload, digests *content.Digests, result *fetched) {
	began := time.Now()
	o := &result.outcome
	var err error
	if o.Format, err = content.Format(upload, o.Received); err != nil {
		result.fail(targetUnavailable(err).Failure)
		return
	}
	o.Digests = digests.All()
	found := rules.Found{Received: o.Received, Format: o.Format, Digest: digests.Declared()}
	verdict := rules.File(f, found, rules.ProfileOf(m.permit.batch.Profile))
	o.Rules = verdict.Results
	if verdict.Failure != nil {
		result.fail(*verdict.Failure)
	}
	result.measured.ValidateMS = time.Since(began).Milliseconds()
}
