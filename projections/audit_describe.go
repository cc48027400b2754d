package projections

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/waybill-migration/waybill/domain"
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
	"github.com/waybill-migration/waybill/domain/wire"
)

// describe says what changed; false for events that only carry on another.
func (entry *Entry) describe(r *wire.Record) bool {
	switch e := r.Event.(type) {
	case document.FilesListed, document.FilesProcessed:
		return false
	case document.Event:
		c := e.GetChange()
		entry.Batch, entry.StatusBefore, entry.StatusAfter, entry.Organization = c.Batch, string(c.Before), string(c.After), c.Organization
		entry.describeDocument(e)
	case discovery.Event:
		c := e.GetChange()
		entry.Batch, entry.StatusBefore, entry.StatusAfter, entry.Organization = c.Batch, string(c.Before), string(c.After), batch.OrganizationOf(c.Slice)
		entry.describeListing(e)
	case batch.Event:
		entry.Batch, _ = domain.ParseBatchStream(r.Stream)
		entry.describeBatch(e)
	case operation.Event:
		entry.describeOperation(e)
	case source.Event:
		entry.describeSource(e)
	case fixity.Event:
		entry.Batch = e.GetBatch()
		entry.describeVerification(e)
	case access.Event:
		entry.Batch = e.GetBatch()
		entry.describeAccess(e)
	case webhook.Event:
		entry.describeWebhook(e)
	case approval.Event:
		entry.Batch = e.GetBatch()
		entry.describeApproval(e)
	case profile.Event:
		entry.Reason = e.GetReason()
	case list.EntriesAdded:
		return false
	case list.Uploaded:
		entry.StatusAfter, entry.Reason = "uploaded", fmt.Sprintf("%d %ss, %s", e.Count, e.Kind, e.Name)
	}
	return true
}

func (entry *Entry) describeDocument(event document.Event) {
	switch e := event.(type) {
	case document.AttemptFailed:
		entry.Reason, entry.FileID = e.Failure.Error(), e.Failure.FileID
	case document.Failed:
		entry.Reason, entry.FileID = e.Failure.Error(), e.Failure.FileID
	case document.Judged:
		if e.Failure != nil {
			entry.Reason, entry.FileID = e.Failure.Error(), e.Failure.FileID
		}
	case document.RetryRequested:
		entry.Reason = e.Reason
	case document.FileSkipped:
		entry.Reason, entry.FileID = e.Reason, e.FileID
	case document.FileRecalled:
		entry.Reason, entry.FileID = e.Reason, e.FileID
	case document.Excepted:
		entry.Reason = e.Reason
	case document.ExceptionRevoked:
		entry.Reason = e.Reason
	case document.VerificationFailed:
		entry.Reason, entry.FileID = e.Reason+": "+e.Failure.Error(), e.Failure.FileID
	case document.Verified:
		entry.Reason = fmt.Sprintf("verification %s: %d objects are as they were stored", e.Verification, e.Objects)
	}
}

func (entry *Entry) describeListing(event discovery.Event) {
	switch e := event.(type) {
	case discovery.ListedAgain:
		entry.Reason = e.Reason
	case discovery.AttemptFailed:
		entry.Reason = e.Failure.Error()
	case discovery.Failed:
		entry.Reason = e.Failure.Error()
	case discovery.RetryRequested:
		entry.Reason = e.Reason
	}
}

func (entry *Entry) describeBatch(event batch.Event) {
	phase := func(p batch.PhaseChanged) {
		entry.StatusBefore, entry.StatusAfter, entry.Reason = string(p.Before), string(p.After), p.Reason
	}
	switch e := event.(type) {
	case batch.Created:
		entry.StatusAfter = string(batch.PhaseActive)
	case batch.Held:
		phase(e.PhaseChanged)
	case batch.Released:
		phase(e.PhaseChanged)
	case batch.Paused:
		phase(e.PhaseChanged)
	case batch.Resumed:
		phase(e.PhaseChanged)
	case batch.Cancelled:
		phase(e.PhaseChanged)
	case batch.ShortfallAccepted:
		entry.Reason = e.Reason
	case batch.EmptyAcknowledged:
		entry.Reason = e.Reason
	case batch.Finished:
		entry.StatusAfter = "finished"
	case batch.Reopened:
		entry.StatusBefore = "finished"
	}
}

func (entry *Entry) describeOperation(event operation.Event) {
	switch e := event.(type) {
	case operation.Requested:
		entry.Batch, entry.StatusAfter, entry.Reason = e.Batch, string(operation.StatusRunning), e.Reason
	case operation.Advanced:
		entry.Batch, entry.StatusBefore, entry.StatusAfter = e.Batch, string(operation.StatusRunning), string(operation.StatusRunning)
	case operation.Paused:
		entry.Batch, entry.StatusBefore, entry.StatusAfter, entry.Reason = e.Batch, string(operation.StatusRunning), string(operation.StatusPaused), e.Reason
	case operation.Resumed:
		entry.Batch, entry.StatusBefore, entry.StatusAfter, entry.Reason = e.Batch, string(operation.StatusPaused), string(operation.StatusRunning), e.Reason
	case operation.Completed:
		entry.Batch, entry.StatusBefore, entry.StatusAfter = e.Batch, string(operation.StatusRunning), string(operation.StatusCompleted)
	case operation.Cancelled:
		entry.Batch, entry.StatusBefore, entry.StatusAfter, entry.Reason = e.Batch, string(operation.StatusRunning), string(operation.StatusCancelled), e.Reason
		if e.Paused {
			entry.StatusBefore = string(operation.StatusPaused)
		}
	}
}

func (entry *Entry) describeVerification(event fixity.Event) {
	status := func(before, after fixity.Status, reason string) {
		entry.StatusBefore, entry.StatusAfter, entry.Reason = string(before), string(after), reason
	}
	switch e := event.(type) {
	case fixity.Requested:
		status("", fixity.StatusRunning, described(fmt.Sprintf("%d of %d migrated documents", e.Selected, e.Migrated), "since", e.Reason))
	case fixity.Advanced:
		status(fixity.StatusRunning, fixity.StatusRunning, e.Counts.String())
	case fixity.Completed:
		status(fixity.StatusRunning, fixity.StatusCompleted, e.Counts.String())
	case fixity.RetryRequested:
		status(fixity.StatusCompleted, fixity.StatusRunning, described(fmt.Sprintf("%d documents again", e.Selected), "since", e.Reason))
	case fixity.Cancelled:
		status(fixity.StatusRunning, fixity.StatusCancelled, e.Reason)
	}
}

func (entry *Entry) describeSource(event source.Event) {
	const enabled, disabled = "enabled", "disabled"
	switch e := event.(type) {
	case source.Registered:
		entry.StatusAfter = disabled
		if e.Enabled {
			entry.StatusAfter = enabled
		}
	case source.Enabled:
		entry.StatusBefore, entry.StatusAfter, entry.Reason = disabled, enabled, e.Reason
	case source.Disabled:
		entry.StatusBefore, entry.StatusAfter, entry.Reason = enabled, disabled, e.Reason
	}
}

func (entry *Entry) describeAccess(event access.Event) {
	const issued, revoked, begun, refused = "issued", "revoked", "begun", "refused"
	switch e := event.(type) {
	case access.TokenIssued:
		entry.StatusAfter, entry.Reason = issued, fmt.Sprintf("token %s for %s with %s", e.ID, e.Subject, strings.Join(e.Roles, ", "))
		if len(e.Organizations) > 0 {
			entry.Reason += ", restricted to " + strings.Join(e.Organizations, ", ")
		}
		if e.ExpiresAt != "" {
			entry.Reason += " until " + e.ExpiresAt
		}
	case access.TokenRevoked:
		entry.StatusBefore, entry.StatusAfter, entry.Reason = issued, revoked, fmt.Sprintf("token %s of %s", e.ID, e.Subject)
	case access.ExportBegun:
		entry.StatusAfter, entry.Reason = begun, describeExport(e)
	case access.ExportEnded:
		entry.StatusBefore, entry.StatusAfter = begun, "complete"
		if !e.Complete {
			entry.StatusAfter = "broken-off"
		}
		entry.Reason = described(strconv.FormatInt(e.Rows, 10)+" rows", "the last is", e.Last, "since", e.Reason)
	case access.CommandRefused:
		entry.StatusAfter, entry.Reason = refused, fmt.Sprintf("%s %s: %d %s: %s", e.Method, e.Path, e.Status, e.Code, e.Detail)
	case access.RefusalsCounted:
		entry.StatusAfter, entry.Reason = refused, fmt.Sprintf("%d further requests from %s to %s:", e.Count, e.First, e.Last)
		for _, code := range sortedKeys(e.Codes) {
			entry.Reason += fmt.Sprintf(" %d %s", e.Codes[code], code)
		}
	}
}

func (entry *Entry) describeWebhook(event webhook.Event) {
	const enabled, disabled = "enabled", "disabled"
	switch e := event.(type) {
	case webhook.Registered:
		entry.StatusAfter, entry.Reason = enabled, "requests go to "+e.Settings.URL
	case webhook.Reconfigured:
		entry.Reason = "requests go to " + e.Settings.URL
	case webhook.Enabled:
		entry.StatusBefore, entry.StatusAfter, entry.Reason = disabled, enabled, e.Reason
	case webhook.Disabled:
		entry.StatusBefore, entry.StatusAfter, entry.Reason = enabled, disabled, e.Reason
	case webhook.Removed:
		entry.StatusAfter, entry.Reason = "removed", e.Reason
	case webhook.Tested:
		entry.Reason = e.Reason
	case webhook.RetryRequested:
		entry.Reason = described("delivery "+e.Delivery, "since", e.Reason)
	}
}

func (entry *Entry) describeApproval(event approval.Event) {
	settled := func(status approval.Status, by approval.Settled) {
		entry.StatusBefore, entry.StatusAfter, entry.Reason = string(approval.StatusPending), string(status), by.Reason
	}
	switch e := event.(type) {
	case approval.Requested:
		entry.StatusAfter = string(approval.StatusPending)
		entry.Reason = fmt.Sprintf("%s of %d documents and %d slices that were not listed yet: %s", e.Kind, e.Extent.Documents, e.Extent.UnlistedSlices, e.Reason)
	case approval.Approved:
		settled(approval.StatusApproved, e.Settled)
		entry.Reason = described(e.Reason, string(e.Outcome)+" since", e.Detail)
	case approval.Rejected:
		settled(approval.StatusRejected, e.Settled)
	case approval.Withdrawn:
		settled(approval.StatusWithdrawn, e.Settled)
	}
}

func describeExport(e access.ExportBegun) string {
	f := e.Filter
	return described(string(e.Format)+" up to "+wire.Position(e.Until).String(), "after", e.After, "batch", f.Batch, "document", f.Document, "operator", f.Operator,
		"types", strings.Join(f.Types, " "), "from", f.From, "to", f.To)
}

// described joins a text and those of the pairs that have a value.
func described(text string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			text += ", " + pairs[i] + " " + pairs[i+1]
		}
	}
	return text
}
