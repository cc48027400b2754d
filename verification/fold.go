package verification

import (
	"fmt"
	"strings"

	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/webhook"
)

// fold is the state of one stream, of the aggregate that its name says.
type fold struct {
	aggregate string
	source    source.State
	batch     batch.State
	operation operation.State
	discovery discovery.State
	document  document.State
	access    access.State
	webhook   webhook.State
	approval  approval.State
	profile   profile.State
	fixity    fixity.State
	list      list.State
}

func newFold(stream string) fold {
	aggregate, _, _ := strings.Cut(stream, "-")
	return fold{aggregate: aggregate}
}

// take folds an event. Evolve may rely on what Decide lets happen; a history
// that was changed by hand can make it panic, which is a finding like another.
func (f *fold) take(event any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it does not fit the events before it: %v", p)
		}
	}()
	of := ""
	switch e := event.(type) {
	case source.Event:
		of, f.source = "source", source.Evolve(f.source, e)
	case batch.Event:
		of, f.batch = "batch", batch.Evolve(f.batch, e)
	case operation.Event:
		of, f.operation = "operation", operation.Evolve(f.operation, e)
	case discovery.Event:
		of, f.discovery = "discovery", discovery.Evolve(f.discovery, e)
	case access.Event:
		of, f.access = "access", access.Evolve(f.access, e)
	case webhook.Event:
		of, f.webhook = "webhook", webhook.Evolve(f.webhook, e)
	case approval.Event:
		of, f.approval = "approval", approval.Evolve(f.approval, e)
	case profile.Event:
		of, f.profile = "profile", profile.Evolve(f.profile, e)
	case fixity.Event:
		of, f.fixity = "verification", fixity.Evolve(f.fixity, e)
	case list.Event:
		of, f.list = "list", list.Evolve(f.list, e)
	case document.Event:
		of = "document"
		err = f.takeDocument(e)
	}
	if of != f.aggregate {
		return fmt.Errorf("an event of a %s stands in a stream of a %s", of, f.aggregate)
	}
	return err
}

// takeDocument also holds the figures that the event carries, which views add
// up, against the state's own.
func (f *fold) takeDocument(e document.Event) error {
	change := e.GetChange()
	before := f.document.Batches[change.Batch]
	f.document = document.Evolve(f.document, e)
	after := f.document.Batches[change.Batch]
	switch {
	case change.Before != before.Status || change.FilesBefore != before.Tally():
		return fmt.Errorf("it says that it found the document %q with files %+v, and the events before it leave it %q with %+v", change.Before, change.FilesBefore, before.Status, before.Tally())
	case change.FilesAfter != after.Tally():
		return fmt.Errorf("it says that it leaves files %+v, and the events up to it leave %+v", change.FilesAfter, after.Tally())
	}
	return nil
}
