package deliveries

import (
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

// subjectOf says what an event is about.
func subjectOf(r wire.Record) webhook.Subject {
	s := webhook.Subject{Type: r.Type}
	switch e := r.Event.(type) {
	case document.Event:
		s.Batch, s.Organization = e.GetChange().Batch, e.GetChange().Organization
	case discovery.Event:
		s.Batch = e.GetChange().Batch
	case batch.Event:
		s.Batch, _ = domain.ParseBatchStream(r.Stream)
	case access.Event:
		s.Batch = e.GetBatch()
	case fixity.Event:
		s.Batch = e.GetBatch()
	case operation.Requested:
		s.Batch = e.Batch
	case operation.Advanced:
		s.Batch = e.Batch
	case operation.Completed:
		s.Batch = e.Batch
	case operation.Cancelled:
		s.Batch = e.Batch
	}
	return s
}

// wants tells whether a webhook is sent a record, and in which lane. It is sent
// the test that was asked of it whatever it wants else.
func wants(w webhook.State, r wire.Record) (lane string, wanted bool) {
	subject := subjectOf(r)
	if lane = subject.Batch; lane == "" {
		lane = r.Stream
	}
	return lane, isTestOf(w.ID, r) || w.Settings.Wants(subject)
}

func isTestOf(id string, r wire.Record) bool {
	_, test := r.Event.(webhook.Tested)
	return test && r.Stream == domain.WebhookStream(id)
}
