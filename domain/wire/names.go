package wire

import (
	"fmt"

	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/source"
)

// TypeOf gives the persisted name of an event, with its version. Names are
// written out, never derived from Go types: code may be renamed, history not.
func TypeOf(event any) (string, error) {
	switch event.(type) {
	case source.Registered:
		return "waybill.source.registered.v1", nil
	case source.Reconfigured:
		return "waybill.source.reconfigured.v1", nil
	case source.Enabled:
		return "waybill.source.enabled.v1", nil
	case source.Disabled:
		return "waybill.source.disabled.v1", nil

	case batch.Created:
		return "waybill.batch.created.v1", nil
	case batch.Held:
		return "waybill.batch.held.v1", nil
	case batch.Released:
		return "waybill.batch.released.v1", nil
	case batch.Paused:
		return "waybill.batch.paused.v1", nil
	case batch.Resumed:
		return "waybill.batch.resumed.v1", nil
	case batch.Cancelled:
		return "waybill.batch.cancelled.v1", nil
	case batch.ShortfallAccepted:
		return "waybill.batch.shortfall-accepted.v1", nil
	case batch.EmptyAcknowledged:
		return "waybill.batch.empty-acknowledged.v1", nil
	case batch.Finished:
		return "waybill.batch.finished.v1", nil
	case batch.Reopened:
		return "waybill.batch.reopened.v1", nil

	case discovery.Started:
		return "waybill.discovery.started.v1", nil
	case discovery.PageListed:
		return "waybill.discovery.page-listed.v1", nil
	case discovery.ListedAgain:
		return "waybill.discovery.listed-again.v1", nil
	case discovery.Completed:
		return "waybill.discovery.completed.v1", nil
	case discovery.AttemptFailed:
		return "waybill.discovery.attempt-failed.v1", nil
	case discovery.Failed:
		return "waybill.discovery.failed.v1", nil
	case discovery.RetryRequested:
		return "waybill.discovery.retry-requested.v1", nil

	case document.Discovered:
		return "waybill.document.discovered.v1", nil
	case document.FilesListed:
		return "waybill.document.files-listed.v1", nil
	case document.Relisted:
		return "waybill.document.relisted.v1", nil
	case document.FilesProcessed:
		return "waybill.document.files-processed.v1", nil
	case document.AttemptFailed:
		return "waybill.document.attempt-failed.v1", nil
	case document.Migrated:
		return "waybill.document.migrated.v1", nil
	case document.Failed:
		return "waybill.document.failed.v1", nil
	case document.RetryRequested:
		return "waybill.document.retry-requested.v1", nil
	case document.FileSkipped:
		return "waybill.document.file-skipped.v1", nil
	case document.FileRecalled:
		return "waybill.document.file-recalled.v1", nil
	case document.Excepted:
		return "waybill.document.excepted.v1", nil
	case document.ExceptionRevoked:
		return "waybill.document.exception-revoked.v1", nil
	case document.Cancelled:
		return "waybill.document.cancelled.v1", nil

	case operation.Requested:
		return "waybill.operation.requested.v1", nil
	case operation.Advanced:
		return "waybill.operation.advanced.v1", nil
	case operation.Completed:
		return "waybill.operation.completed.v1", nil
	case operation.Cancelled:
		return "waybill.operation.cancelled.v1", nil
	}
	return "", fmt.Errorf("events of Go type %T have no persisted name", event)
}

// decode reads the data of an event of a persisted name. An unknown name is an
// error, never skipped: it was written by a newer version of Waybill.
func decode(name string, data []byte) (any, error) {
	switch name {
	case "waybill.source.registered.v1":
		return into[source.Registered](data)
	case "waybill.source.reconfigured.v1":
		return into[source.Reconfigured](data)
	case "waybill.source.enabled.v1":
		return into[source.Enabled](data)
	case "waybill.source.disabled.v1":
		return into[source.Disabled](data)

	case "waybill.batch.created.v1":
		return into[batch.Created](data)
	case "waybill.batch.held.v1":
		return into[batch.Held](data)
	case "waybill.batch.released.v1":
		return into[batch.Released](data)
	case "waybill.batch.paused.v1":
		return into[batch.Paused](data)
	case "waybill.batch.resumed.v1":
		return into[batch.Resumed](data)
	case "waybill.batch.cancelled.v1":
		return into[batch.Cancelled](data)
	case "waybill.batch.shortfall-accepted.v1":
		return into[batch.ShortfallAccepted](data)
	case "waybill.batch.empty-acknowledged.v1":
		return into[batch.EmptyAcknowledged](data)
	case "waybill.batch.finished.v1":
		return into[batch.Finished](data)
	case "waybill.batch.reopened.v1":
		return into[batch.Reopened](data)

	case "waybill.discovery.started.v1":
		return into[discovery.Started](data)
	case "waybill.discovery.page-listed.v1":
		return into[discovery.PageListed](data)
	case "waybill.discovery.listed-again.v1":
		return into[discovery.ListedAgain](data)
	case "waybill.discovery.completed.v1":
		return into[discovery.Completed](data)
	case "waybill.discovery.attempt-failed.v1":
		return into[discovery.AttemptFailed](data)
	case "waybill.discovery.failed.v1":
		return into[discovery.Failed](data)
	case "waybill.discovery.retry-requested.v1":
		return into[discovery.RetryRequested](data)

	case "waybill.document.discovered.v1":
		return into[document.Discovered](data)
	case "waybill.document.files-listed.v1":
		return into[document.FilesListed](data)
	case "waybill.document.relisted.v1":
		return into[document.Relisted](data)
	case "waybill.document.files-processed.v1":
		return into[document.FilesProcessed](data)
	case "waybill.document.attempt-failed.v1":
		return into[document.AttemptFailed](data)
	case "waybill.document.migrated.v1":
		return into[document.Migrated](data)
	case "waybill.document.failed.v1":
		return into[document.Failed](data)
	case "waybill.document.retry-requested.v1":
		return into[document.RetryRequested](data)
	case "waybill.document.file-skipped.v1":
		return into[document.FileSkipped](data)
	case "waybill.document.file-recalled.v1":
		return into[document.FileRecalled](data)
	case "waybill.document.excepted.v1":
		return into[document.Excepted](data)
	case "waybill.document.exception-revoked.v1":
		return into[document.ExceptionRevoked](data)
	case "waybill.document.cancelled.v1":
		return into[document.Cancelled](data)

	case "waybill.operation.requested.v1":
		return into[operation.Requested](data)
	case "waybill.operation.advanced.v1":
		return into[operation.Advanced](data)
	case "waybill.operation.completed.v1":
		return into[operation.Completed](data)
	case "waybill.operation.cancelled.v1":
		return into[operation.Cancelled](data)
	}
	return nil, fmt.Errorf("events of type %q are not known to this version of Waybill: run the version that wrote them, or a newer one", name)
}
