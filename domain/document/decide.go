package document

import (
	"slices"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
)

// Decide answers a command with the events it causes, or refuses it. A command
// whose effect is there already causes none.
func Decide(s State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Discover:
		return discover(s, c), nil
	case ReportConflict:
		return reportConflict(s, c)
	case Migrate:
		return migrate(s, c)
	case Pass:
		return pass(s, c)
	case FailAttempt:
		return failAttempt(s, c), nil
	case RetryDocument:
		return retry(s, c)
	case SkipFile:
		return skipFile(s, c)
	case RecallFile:
		return recallFile(s, c)
	case SkipFailed:
		return skipFailed(s, c)
	case RecallSkipped:
		return recallSkipped(s, c)
	case ExceptDocument:
		return except(s, c)
	case RevokeException:
		return revoke(s, c)
	case ReportLoss:
		return reportLoss(s, c)
	case ReportIntact:
		return reportIntact(s, c), nil
	case CancelDocument:
		if m := s.Batches[c.Batch]; m.Status == StatusPending {
			return deciding(s, c.Batch).emit(StatusCancelled, func(ch Change) Event { return Cancelled{ch} }).events, nil
		}
		return nil, nil
	}
	return nil, nil
}

// conflict is the failure's code: the image number came twice with other content.
const conflict = "listing-conflict"

func reportConflict(s State, c ReportConflict) ([]Event, error) {
	m, err := s.membership(c.Batch)
	if err != nil {
		return nil, err
	}
	reported := m.Status == StatusFailed && m.FailureCode == conflict
	if reported || m.Status == StatusExcepted || m.Status == StatusCancelled {
		return nil, nil
	}
	failure := domain.Failure{
		Code: conflict, Category: domain.Integrity, Stage: domain.StageList, Rule: "R02", Retryable: true,
		Detail: c.Detail,
		Remedy: "Find out at the source which content is right, remove the other, then retry the discovery of the slice and the document.",
	}
	return deciding(s, c.Batch).fail(Failed{Failure: failure.Trimmed()}).events, nil
}

func retry(s State, c RetryDocument) ([]Event, error) {
	m, err := s.membership(c.Batch)
	if err != nil {
		return nil, err
	}
	switch m.Status {
	case StatusFailed:
		if m.allSkipped() {
			return nil, domain.RefuseConflict(allSkipped.Code, "all files of the document are skipped: recall one, or except the document")
		}
		return deciding(s, c.Batch).emit(StatusPending, func(ch Change) Event {
			return RetryRequested{Change: ch, Reason: domain.Truncate(c.Reason)}
		}).events, nil
	case StatusExcepted:
		return nil, domain.RefuseConflict("document-excepted", "the document is excepted; revoke the exception before retrying it")
	case StatusCancelled:
		return nil, domain.RefuseConflict("document-cancelled", "the document's batch %s is cancelled; create a new batch of the same scope", c.Batch)
	}
	return nil, nil // pending, migrated or passed: what a retry asks for is there
}

// reportIntact changes no status, and no work that is open.
func reportIntact(s State, c ReportIntact) []Event {
	if s.Batches[c.Batch].Status != StatusMigrated {
		return nil
	}
	return deciding(s, c.Batch).emit(StatusMigrated, func(ch Change) Event {
		return Verified{Change: ch, Verification: c.Verification, Objects: c.Objects, Bytes: c.Bytes, Unhashed: c.Unhashed, Extra: c.Extra}
	}).events
}

func skipFile(s State, c SkipFile) ([]Event, error) {
	m, err := s.membership(c.Batch)
	if err != nil {
		return nil, err
	}
	f, ok := m.File(c.FileID)
	if !ok {
		return nil, domain.RefuseNotFound("file", c.FileID)
	}
	if strings.TrimSpace(c.Reason) == "" {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "skipping a file needs a reason")
	}
	if _, err := time.Parse(time.DateOnly, c.ReviewOn); err != nil && c.ReviewOn != "" {
		return nil, domain.RefuseInvalid("reviewOn", "date-invalid", "reviewOn must be a date YYYY-MM-DD, got %q", domain.Truncate(c.ReviewOn))
	}
	switch f.Status {
	case FileStatusSkipped:
		return nil, nil
	case FileStatusMigrated:
		return nil, domain.RefuseConflict("file-migrated", "file %s is migrated; a migrated file cannot be skipped", c.FileID)
	case FileStatusExcepted, FileStatusCancelled:
		return nil, domain.RefuseConflict("file-closed", "file %s is %s; it cannot be skipped", c.FileID, f.Status)
	}
	d := deciding(s, c.Batch)
	d.emit(m.setFile(c.FileID, FileStatusSkipped).afterSkip(), func(ch Change) Event {
		return FileSkipped{Change: ch, FileID: c.FileID, Reason: domain.Truncate(c.Reason), Owner: cut(c.Owner), ReviewOn: c.ReviewOn}
	}).failAllSkipped()
	return d.events, nil
}

// afterSkip: what failed only because of files goes on when none of those is
// left. What a preflight has judged it judges anew, without the file.
func (m Membership) afterSkip() Status {
	if m.Preflight && m.Status != StatusCancelled {
		return StatusPending
	}
	faulty := slices.ContainsFunc(m.Files, func(f File) bool { return f.Fault })
	if m.Status == StatusFailed && m.OfFiles && !faulty && !m.allSkipped() {
		return StatusPending
	}
	return m.Status
}

func recallFile(s State, c RecallFile) ([]Event, error) {
	m, err := s.membership(c.Batch)
	if err != nil {
		return nil, err
	}
	f, ok := m.File(c.FileID)
	if !ok {
		return nil, domain.RefuseNotFound("file", c.FileID)
	}
	if f.Status != FileStatusSkipped {
		return nil, nil
	}
	if m.Status == StatusExcepted || m.Status == StatusCancelled {
		return nil, domain.RefuseConflict("document-closed", "the document is %s; its files cannot be recalled", m.Status)
	}
	return deciding(s, c.Batch).emit(StatusPending, func(ch Change) Event {
		return FileRecalled{Change: ch, FileID: c.FileID, Reason: domain.Truncate(c.Reason)}
	}).events, nil
}

func except(s State, c ExceptDocument) ([]Event, error) {
	m, err := s.membership(c.Batch)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(c.Reason) == "" {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "an exception needs a reason")
	}
	if strings.TrimSpace(c.Evidence) == "" {
		return nil, domain.RefuseInvalid("evidence", "evidence-missing", "an exception needs evidence, such as the number of a protocol of destruction")
	}
	if m.Preflight {
		return nil, domain.RefuseConflict("batch-is-preflight", "batch %s is a preflight, by which nothing arrives anyway: except the document in the run", c.Batch)
	}
	switch m.Status {
	case StatusExcepted:
		return nil, nil
	case StatusFailed:
		return deciding(s, c.Batch).emit(StatusExcepted, func(ch Change) Event {
			return Excepted{Change: ch, Reason: domain.Truncate(c.Reason), Evidence: domain.Truncate(c.Evidence)}
		}).events, nil
	}
	return nil, domain.RefuseConflict("document-not-failed", "the document is %s; only a failed document can be excepted", m.Status)
}

func revoke(s State, c RevokeException) ([]Event, error) {
	m, err := s.membership(c.Batch)
	if err != nil {
		return nil, err
	}
	if m.Status != StatusExcepted {
		return nil, domain.RefuseConflict("document-not-excepted", "the document is %s; there is no exception to revoke", m.Status)
	}
	return deciding(s, c.Batch).emit(StatusFailed, func(ch Change) Event {
		return ExceptionRevoked{Change: ch, Reason: domain.Truncate(c.Reason)}
	}).events, nil
}

func (s State) membership(batch string) (Membership, error) {
	m, ok := s.Batches[batch]
	if !ok {
		return m, domain.RefuseNotFound("document", s.ID.ImageNumber+" in batch "+batch)
	}
	return m, nil
}
