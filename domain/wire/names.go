package wire

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

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

// TypeOf gives the persisted name of an event, with its newest version, which
// is the only one that is written. Names are spelled out, never derived from
// Go types: code may be renamed, history not.
func TypeOf(event any) (string, error) {
	switch event.(type) {
	case source.Registered:
		return "waybill.source.registered.v2", nil
	case source.Reconfigured:
		return "waybill.source.reconfigured.v2", nil
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
		return "waybill.document.discovered.v2", nil
	case document.FilesListed:
		return "waybill.document.files-listed.v2", nil
	case document.Relisted:
		return "waybill.document.relisted.v2", nil
	case document.FilesProcessed:
		return "waybill.document.files-processed.v1", nil
	case document.AttemptFailed:
		return "waybill.document.attempt-failed.v1", nil
	case document.Migrated:
		return "waybill.document.migrated.v1", nil
	case document.Judged:
		return "waybill.document.judged.v1", nil
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
	case document.VerificationFailed:
		return "waybill.document.verification-failed.v1", nil
	case document.Verified:
		return "waybill.document.verified.v1", nil

	case fixity.Requested:
		return "waybill.verification.requested.v1", nil
	case fixity.Advanced:
		return "waybill.verification.advanced.v1", nil
	case fixity.Completed:
		return "waybill.verification.completed.v1", nil
	case fixity.RetryRequested:
		return "waybill.verification.retry-requested.v1", nil
	case fixity.Cancelled:
		return "waybill.verification.cancelled.v1", nil

	case operation.Requested:
		return "waybill.operation.requested.v3", nil
	case operation.Advanced:
		return "waybill.operation.advanced.v1", nil
	case operation.Paused:
		return "waybill.operation.paused.v1", nil
	case operation.Resumed:
		return "waybill.operation.resumed.v1", nil
	case operation.Completed:
		return "waybill.operation.completed.v1", nil
	case operation.Cancelled:
		return "waybill.operation.cancelled.v1", nil

	case access.TokenIssued:
		return "waybill.access.token-issued.v2", nil
	case access.TokenRevoked:
		return "waybill.access.token-revoked.v1", nil
	case access.ExportBegun:
		return "waybill.access.export-begun.v1", nil
	case access.ExportEnded:
		return "waybill.access.export-ended.v1", nil
	case access.CommandRefused:
		return "waybill.access.command-refused.v1", nil
	case access.RefusalsCounted:
		return "waybill.access.refusals-counted.v1", nil

	case webhook.Registered:
		return "waybill.webhook.registered.v1", nil
	case webhook.Reconfigured:
		return "waybill.webhook.reconfigured.v1", nil
	case webhook.Enabled:
		return "waybill.webhook.enabled.v1", nil
	case webhook.Disabled:
		return "waybill.webhook.disabled.v1", nil
	case webhook.Removed:
		return "waybill.webhook.removed.v1", nil
	case webhook.Tested:
		return "waybill.webhook.tested.v1", nil
	case webhook.RetryRequested:
		return "waybill.webhook.retry-requested.v1", nil

	case approval.Requested:
		return "waybill.approval.requested.v1", nil
	case approval.Approved:
		return "waybill.approval.approved.v1", nil
	case approval.Rejected:
		return "waybill.approval.rejected.v1", nil
	case approval.Withdrawn:
		return "waybill.approval.withdrawn.v1", nil

	case profile.Registered:
		return "waybill.profile.registered.v1", nil
	case profile.Reconfigured:
		return "waybill.profile.reconfigured.v1", nil

	case list.Uploaded:
		return "waybill.list.uploaded.v1", nil
	case list.EntriesAdded:
		return "waybill.list.entries-added.v1", nil
	}
	return "", fmt.Errorf("events of Go type %T have no persisted name", event)
}

// form is how the data of an event of a persisted name looks, and how it is
// read.
type form struct {
	shape  reflect.Type // of an old version its frozen struct
	decode func(data []byte) (any, error)
}

// into reads the newest version of an event: by encoding/json/v2, which takes
// less than half the time, and that is most of what a view's event costs. Events
// are written by the first version, as ever: their bytes stay the same.
func into[E any]() form {
	return form{shape: reflect.TypeFor[E](), decode: func(data []byte) (any, error) {
		var event E
		err := json.Unmarshal(data, &event)
		return event, err
	}}
}

// forms has every name that was ever written; none is ever taken out. A
// version that is no longer written is read through its upcaster.
var forms = map[string]form{
	"waybill.source.registered.v1":   upcast(sourceRegisteredV1.event),
	"waybill.source.registered.v2":   into[source.Registered](),
	"waybill.source.reconfigured.v1": upcast(sourceReconfiguredV1.event),
	"waybill.source.reconfigured.v2": into[source.Reconfigured](),
	"waybill.source.enabled.v1":      into[source.Enabled](),
	"waybill.source.disabled.v1":     into[source.Disabled](),

	"waybill.batch.created.v1":            into[batch.Created](),
	"waybill.batch.held.v1":               into[batch.Held](),
	"waybill.batch.released.v1":           into[batch.Released](),
	"waybill.batch.paused.v1":             into[batch.Paused](),
	"waybill.batch.resumed.v1":            into[batch.Resumed](),
	"waybill.batch.cancelled.v1":          into[batch.Cancelled](),
	"waybill.batch.shortfall-accepted.v1": into[batch.ShortfallAccepted](),
	"waybill.batch.empty-acknowledged.v1": into[batch.EmptyAcknowledged](),
	"waybill.batch.finished.v1":           into[batch.Finished](),
	"waybill.batch.reopened.v1":           into[batch.Reopened](),

	"waybill.discovery.started.v1":         into[discovery.Started](),
	"waybill.discovery.page-listed.v1":     into[discovery.PageListed](),
	"waybill.discovery.listed-again.v1":    into[discovery.ListedAgain](),
	"waybill.discovery.completed.v1":       into[discovery.Completed](),
	"waybill.discovery.attempt-failed.v1":  into[discovery.AttemptFailed](),
	"waybill.discovery.failed.v1":          into[discovery.Failed](),
	"waybill.discovery.retry-requested.v1": into[discovery.RetryRequested](),

	"waybill.document.discovered.v1":          upcast(discoveredV1.event),
	"waybill.document.discovered.v2":          into[document.Discovered](),
	"waybill.document.files-listed.v1":        upcast(filesListedV1.event),
	"waybill.document.files-listed.v2":        into[document.FilesListed](),
	"waybill.document.relisted.v1":            upcast(relistedV1.event),
	"waybill.document.relisted.v2":            into[document.Relisted](),
	"waybill.document.files-processed.v1":     into[document.FilesProcessed](),
	"waybill.document.attempt-failed.v1":      into[document.AttemptFailed](),
	"waybill.document.migrated.v1":            into[document.Migrated](),
	"waybill.document.judged.v1":              into[document.Judged](),
	"waybill.document.failed.v1":              into[document.Failed](),
	"waybill.document.retry-requested.v1":     into[document.RetryRequested](),
	"waybill.document.file-skipped.v1":        into[document.FileSkipped](),
	"waybill.document.file-recalled.v1":       into[document.FileRecalled](),
	"waybill.document.excepted.v1":            into[document.Excepted](),
	"waybill.document.exception-revoked.v1":   into[document.ExceptionRevoked](),
	"waybill.document.cancelled.v1":           into[document.Cancelled](),
	"waybill.document.verification-failed.v1": into[document.VerificationFailed](),
	"waybill.document.verified.v1":            into[document.Verified](),

	"waybill.verification.requested.v1":       into[fixity.Requested](),
	"waybill.verification.advanced.v1":        into[fixity.Advanced](),
	"waybill.verification.completed.v1":       into[fixity.Completed](),
	"waybill.verification.retry-requested.v1": into[fixity.RetryRequested](),
	"waybill.verification.cancelled.v1":       into[fixity.Cancelled](),

	"waybill.operation.requested.v1": upcast(operationRequestedV1.event),
	"waybill.operation.requested.v2": upcast(operationRequestedV2.event),
	"waybill.operation.requested.v3": into[operation.Requested](),
	"waybill.operation.advanced.v1":  into[operation.Advanced](),
	"waybill.operation.paused.v1":    into[operation.Paused](),
	"waybill.operation.resumed.v1":   into[operation.Resumed](),
	"waybill.operation.completed.v1": into[operation.Completed](),
	"waybill.operation.cancelled.v1": into[operation.Cancelled](),

	"waybill.access.token-issued.v1":     upcast(tokenIssuedV1.event),
	"waybill.access.token-issued.v2":     into[access.TokenIssued](),
	"waybill.access.token-revoked.v1":    into[access.TokenRevoked](),
	"waybill.access.export-begun.v1":     into[access.ExportBegun](),
	"waybill.access.export-ended.v1":     into[access.ExportEnded](),
	"waybill.access.command-refused.v1":  into[access.CommandRefused](),
	"waybill.access.refusals-counted.v1": into[access.RefusalsCounted](),

	"waybill.webhook.registered.v1":      into[webhook.Registered](),
	"waybill.webhook.reconfigured.v1":    into[webhook.Reconfigured](),
	"waybill.webhook.enabled.v1":         into[webhook.Enabled](),
	"waybill.webhook.disabled.v1":        into[webhook.Disabled](),
	"waybill.webhook.removed.v1":         into[webhook.Removed](),
	"waybill.webhook.tested.v1":          into[webhook.Tested](),
	"waybill.webhook.retry-requested.v1": into[webhook.RetryRequested](),

	"waybill.approval.requested.v1": into[approval.Requested](),
	"waybill.approval.approved.v1":  into[approval.Approved](),
	"waybill.approval.rejected.v1":  into[approval.Rejected](),
	"waybill.approval.withdrawn.v1": into[approval.Withdrawn](),

	"waybill.profile.registered.v1":   into[profile.Registered](),
	"waybill.profile.reconfigured.v1": into[profile.Reconfigured](),

	"waybill.list.uploaded.v1":      into[list.Uploaded](),
	"waybill.list.entries-added.v1": into[list.EntriesAdded](),
}

// Types are the names of all events that this build can read, in order.
func Types() []string { return slices.Sorted(maps.Keys(forms)) }

// Shape is the Go type of which the data of an event of a known name is the
// JSON: what its published schema is made from.
func Shape(name string) reflect.Type { return forms[name].shape }

// UnknownType is a type of event that this build cannot read. It is never
// passed over: nobody can tell what it would have changed.
type UnknownType struct {
	Name  string
	Known []int // the versions of this event that the build knows, none for another event
}

func (u *UnknownType) Error() string {
	if len(u.Known) == 0 {
		return u.Name + " is not known to this build"
	}
	versions := make([]string, len(u.Known))
	for i, v := range u.Known {
		versions[i] = "v" + strconv.Itoa(v)
	}
	return fmt.Sprintf("%s is newer than this build (it knows %s)", u.Name, strings.Join(versions, ", "))
}

// CheckType gives an *UnknownType when this build cannot read events of a type.
func CheckType(name string) error {
	if _, known := forms[name]; known {
		return nil
	}
	u := &UnknownType{Name: name}
	if i := strings.LastIndex(name, ".v"); i >= 0 {
		for v := 1; forms[name[:i+2]+strconv.Itoa(v)].decode != nil; v++ { // versions are counted from 1
			u.Known = append(u.Known, v)
		}
	}
	return u
}

// decode reads the data of an event of a persisted name.
func decode(name string, data []byte) (any, error) {
	if err := CheckType(name); err != nil {
		return nil, fmt.Errorf("%w: run the build that wrote it, or a newer one", err)
	}
	return forms[name].decode(data)
}
