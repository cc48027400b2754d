package document

import "github.com/waybill-migration/waybill/domain"

// Event is what can happen to a document.
type Event interface {
	GetChange() Change
	documentEvent()
}

// Change stands in every document event: the dimensions that analytics group
// by, and the status before and after with the files' counts. Views add up the
// differences and so need no earlier row.
type Change struct {
	domain.DocumentID
	Batch        string `json:"batch"`
	Organization string `json:"organization"`
	DocumentType string `json:"documentType"`
	BillNumber   string `json:"billNumber,omitempty"`
	BillDate     string `json:"billDate,omitempty"`
	Retention    string `json:"retention,omitempty"`
	Before       Status `json:"statusBefore,omitempty"` // empty: was not in the batch
	After        Status `json:"statusAfter"`
	FilesBefore  Tally  `json:"filesBefore"`
	FilesAfter   Tally  `json:"filesAfter"`
}

// GetChange gives views the part that all document events share.
func (c Change) GetChange() Change { return c }

type (
	// Discovered: the source listed the document in a batch's scope.
	Discovered struct {
		Change
		Slice      string `json:"slice"`
		Listed     Listed `json:"listed"`              // with the first files, as many as a record holds
		FilesTotal int    `json:"filesTotal"`          // all files; the rest is in FilesListed
		Preflight  bool   `json:"preflight,omitempty"` // the batch judges, and migrates nothing
		Skipped    []Mark `json:"skipped,omitempty"`   // of these files, by mark from before
		// Novelty is what no batch that migrates had of the document. Empty: one has
		// met it as it is listed now, or this is the document's first event.
		Novelty Novelty `json:"novelty,omitempty"`
	}
	// FilesListed carries further files of the Discovered or Relisted before it.
	FilesListed struct {
		Change
		Files   []ListedFile `json:"files"`
		Skipped []Mark       `json:"skipped,omitempty"` // of these files
		Kept    []string     `json:"kept,omitempty"`    // of these files, as in Relisted
	}
	// Relisted: the source's answer about the document has changed. Kept are
	// files that had arrived intact and are the same by id and declared hash:
	// they stay migrated (in a preflight: passed) and are not fetched again.
	Relisted struct {
		Change
		Listed     Listed   `json:"listed"`
		FilesTotal int      `json:"filesTotal"`
		Skipped    []Mark   `json:"skipped,omitempty"`
		Kept       []string `json:"kept,omitempty"`
		// Was is by what the document was counted before, where that is other now.
		Was *Dimensions `json:"was,omitempty"`
	}
	// FilesProcessed carries outcomes of files for which the outcome event that
	// follows it in the same append has no room.
	FilesProcessed struct {
		Change
		Attempt int           `json:"attempt"`
		Files   []FileOutcome `json:"files"`
	}
	// AttemptFailed: it did not work, and will be tried again at Next.
	AttemptFailed struct {
		Change
		Attempt int            `json:"attempt"`
		Failure domain.Failure `json:"failure"`
		Next    string         `json:"nextAttempt"` // RFC 3339, UTC
		Rules   []RuleResult   `json:"rules,omitempty"`
		Files   []FileOutcome  `json:"files,omitempty"`
		Measured
	}
	// Migrated: every file that is not skipped is in the archive, read back and
	// found equal, and the manifest is written.
	Migrated struct {
		Change
		Attempt    int           `json:"attempt"`
		Result     Result        `json:"result"`
		Manifest   domain.Stored `json:"manifest"`
		Supersedes string        `json:"supersedes,omitempty"` // key of the manifest that it follows
		Filed      *Filed        `json:"filed,omitempty"`      // in a target system; nil: it is in the archive alone
		Rules      []RuleResult  `json:"rules,omitempty"`
		Files      []FileOutcome `json:"files,omitempty"`
		Measured
	}
	// Judged: a preflight found that the document would be migrated (passed), or
	// fail as Failure says. Nothing was written for it. Verdict is that in
	// figures; Withdrawn are those of the judgement before in the same batch,
	// whose place it takes: views add the one and take away the other.
	Judged struct {
		Change
		Attempt   int             `json:"attempt"`
		Verdict   Verdict         `json:"verdict"`
		Withdrawn *Verdict        `json:"withdrawn,omitempty"`
		Failure   *domain.Failure `json:"failure,omitempty"` // nil: it passed
		Rules     []RuleResult    `json:"rules,omitempty"`
		Files     []FileOutcome   `json:"files,omitempty"`
		Measured
	}
	// Failed: it did not work, and nobody will try again unless asked to.
	Failed struct {
		Change
		Attempt int            `json:"attempt"`
		Failure domain.Failure `json:"failure"`
		Rules   []RuleResult   `json:"rules,omitempty"`
		Files   []FileOutcome  `json:"files,omitempty"`
		Measured
	}
	// RetryRequested: a failed document is to be tried again.
	RetryRequested struct {
		Change
		Reason string `json:"reason,omitempty"`
	}
	// FileSkipped: a file is set aside (暂不迁移) so that the others go first.
	FileSkipped struct {
		Change
		FileID   string `json:"fileId"`
		Reason   string `json:"reason"`
		Owner    string `json:"owner,omitempty"`    // subject that sees to it
		ReviewOn string `json:"reviewOn,omitempty"` // YYYY-MM-DD
	}
	// FileRecalled: the mark is taken back.
	FileRecalled struct {
		Change
		FileID string `json:"fileId"`
		Reason string `json:"reason,omitempty"`
	}
	// Excepted: the document can never arrive, and why.
	Excepted struct {
		Change
		Reason   string `json:"reason"`
		Evidence string `json:"evidence"`
	}
	// ExceptionRevoked: it can arrive after all; it is failed again.
	ExceptionRevoked struct {
		Change
		Reason string `json:"reason"`
	}
	// Cancelled: its batch was cancelled while it was pending.
	Cancelled struct{ Change }
	// VerificationFailed: objects that the archive had are missing or changed. A
	// migrated document that needs one of them is failed by it, and the files
	// at fault are to be fetched again. Objects of an earlier version, which no
	// batch needs any more, are recorded without changing a status.
	VerificationFailed struct {
		Change
		Failure      domain.Failure `json:"failure"`
		Objects      []Lost         `json:"objects"`
		Reason       string         `json:"reason,omitempty"`
		Verification string         `json:"verification,omitempty"` // that found it
	}
	// Verified: a verification of the batch read all objects of the archive that
	// the document's history names, and they are as they were stored.
	Verified struct {
		Change
		Verification string `json:"verification"`
		Objects      int    `json:"objects"`
		Bytes        int64  `json:"bytes"`
		Unhashed     int    `json:"unhashed,omitempty"` // files of which the source gave no hash
		Extra        int    `json:"extra,omitempty"`    // objects beside them that no event names
	}
)

func (Discovered) documentEvent()         {}
func (FilesListed) documentEvent()        {}
func (Relisted) documentEvent()           {}
func (FilesProcessed) documentEvent()     {}
func (AttemptFailed) documentEvent()      {}
func (Migrated) documentEvent()           {}
func (Judged) documentEvent()             {}
func (Failed) documentEvent()             {}
func (RetryRequested) documentEvent()     {}
func (FileSkipped) documentEvent()        {}
func (FileRecalled) documentEvent()       {}
func (Excepted) documentEvent()           {}
func (ExceptionRevoked) documentEvent()   {}
func (Cancelled) documentEvent()          {}
func (VerificationFailed) documentEvent() {}
func (Verified) documentEvent()           {}

// Fault is what is wrong with an object of the archive.
type Fault string

const (
	Missing Fault = "missing"
	Changed Fault = "changed" // its bytes are not those that were stored
)

// Lost is an object of the archive that is not there as it was stored.
type Lost struct {
	Key    string `json:"key"`
	Fault  Fault  `json:"fault"`
	FileID string `json:"fileId,omitempty"` // the file that it held; empty: an item, a manifest, or an earlier version
}

// Novelty of a document in a batch's listing.
type Novelty string

const (
	NewDocument Novelty = "document" // no batch that migrates has met it
	NewContent  Novelty = "content"  // what the archive has of it was listed otherwise
)

// Dimensions by which a document is counted in a batch.
type Dimensions struct {
	Organization string `json:"organization"`
	DocumentType string `json:"documentType"`
	BillDate     string `json:"billDate"`
}

// GetDimensions gives those of the document after the change.
func (c Change) GetDimensions() Dimensions {
	return Dimensions{c.Organization, c.DocumentType, c.BillDate}
}

// Mark says of a listed file that it is set aside from the start, and why: a
// batch that meets the file later says so by itself.
type Mark struct {
	FileID   string `json:"fileId"`
	Reason   string `json:"reason"`             // empty: written when events did not say
	Owner    string `json:"owner,omitempty"`    // subject that sees to it
	ReviewOn string `json:"reviewOn,omitempty"` // YYYY-MM-DD
}

// Result says what a migration did to the archive.
type Result string

const (
	Written    Result = "written"
	Unchanged  Result = "unchanged"   // the archive had it all; nothing was written
	NewVersion Result = "new-version" // beside an older one, which stays
)

// FileOutcome is what became of one file in an attempt. Stored is set when it
// arrived intact and Passed when a preflight found that it would, else Failure
// says why not.
type FileOutcome struct {
	ID       string            `json:"id"`
	PID      string            `json:"pid,omitempty"`
	Class    Class             `json:"class,omitempty"`
	Sequence int               `json:"sequence"`
	Name     string            `json:"name"`
	Type     string            `json:"type,omitempty"` // declared
	Size     int64             `json:"size"`           // declared bytes
	Hash     string            `json:"hash,omitempty"` // declared
	Received int64             `json:"received"`       // bytes
	Digests  map[string]string `json:"digests,omitempty"`
	Format   string            `json:"format,omitempty"` // found in the content: pdf, ofd, png, ...
	Width    int               `json:"width,omitempty"`  // pixels
	Height   int               `json:"height,omitempty"` // pixels
	DPI      float64           `json:"dpi,omitempty"`
	Pages    int               `json:"pages,omitempty"`
	Rules    []RuleResult      `json:"rules,omitempty"` // those that did not pass
	Passed   bool              `json:"passed,omitempty"`
	Stored   *domain.Stored    `json:"stored,omitempty"`
	ReadBack string            `json:"readBack,omitempty"` // SHA-256 of what was read back
	Result   Result            `json:"result,omitempty"`
	// Supersedes is the key of the object that held this file before.
	Supersedes string          `json:"supersedes,omitempty"`
	Final      bool            `json:"final,omitempty"` // the failure will not be tried again by itself
	Failure    *domain.Failure `json:"failure,omitempty"`
}

// Settled tells that the file arrived, or passed.
func (o FileOutcome) Settled() bool { return o.Stored != nil || o.Passed }

// Severity of a rule's result.
type Severity string

const (
	Block Severity = "block" // fails the file and so the document
	Warn  Severity = "warn"
	Info  Severity = "info"
)

// RuleResult is a validation rule that a file did not pass, or the document by
// what was listed of it, with what was measured.
type RuleResult struct {
	Rule     string   `json:"rule"`           // R01..R19
	Code     string   `json:"code,omitempty"` // of the finding; empty: written before there were any
	Severity Severity `json:"severity"`
	Detail   string   `json:"detail"`
	Measured string   `json:"measured,omitempty"`
}

// Measured are the durations (milliseconds, measured by one clock and never
// subtracted from event times) and bytes of an attempt.
type Measured struct {
	QueueMS    int64 `json:"queueMs"` // from due to claimed
	FetchMS    int64 `json:"fetchMs"`
	ValidateMS int64 `json:"validateMs"`
	StoreMS    int64 `json:"storeMs"`

	BytesListed   int64 `json:"bytesListed"`
	BytesReceived int64 `json:"bytesReceived"`
	BytesStored   int64 `json:"bytesStored"`

	// Versions of what judged and mapped.
	RuleSet        string `json:"ruleSet,omitempty"`
	Profile        string `json:"profile,omitempty"`
	ProfileVersion int    `json:"profileVersion,omitempty"` // 0: as it is built in
	SourceVersion  int    `json:"sourceVersion,omitempty"`
}
