package document

import "github.com/waybill-migration/waybill/domain"

// Command is what can be asked of a document.
type Command interface{ documentCommand() }

type (
	// Discover reports that a slice of a batch lists the document.
	Discover struct {
		ID        domain.DocumentID
		Batch     string
		Slice     string
		Preflight bool // the batch is one
		Listed    Listed
	}
	// ReportConflict: one listing showed the image number twice with other content.
	ReportConflict struct {
		Batch  string
		Detail string
	}
	// Migrate reports that everything that is not skipped arrived.
	Migrate struct {
		Batch    string
		Work     int
		Relisted *Listed // set when the source's answer changed on re-read
		Manifest domain.Stored
		Filed    *Filed       // nil: it is in the archive alone
		Rules    []RuleResult // of the document, not of its files
		Files    []FileOutcome
		Measured Measured
	}
	// Pass reports that everything that is not skipped would arrive.
	Pass struct {
		Batch    string
		Work     int
		Relisted *Listed      // set when the source's answer changed on re-read
		Rules    []RuleResult // of the document, not of its files
		Files    []FileOutcome
		Measured Measured
	}
	// FailAttempt reports that an attempt did not work.
	FailAttempt struct {
		Batch       string
		Work        int
		Relisted    *Listed
		Failure     domain.Failure
		Rules       []RuleResult // of the document, not of its files
		Files       []FileOutcome
		Next        string // RFC 3339 UTC: when to try again, if that makes sense
		MaxAttempts int
		Interrupted bool // by what does not concern the document: it counts as no attempt
		Measured    Measured
	}
	// RetryDocument asks for a failed document to be tried again.
	RetryDocument struct{ Batch, Reason string }
	// SkipFile sets a file aside for now. Owner is the subject that sees to it.
	SkipFile struct{ Batch, FileID, Reason, Owner, ReviewOn string }
	// RecallFile takes a skip back.
	RecallFile struct{ Batch, FileID, Reason string }
	// ExceptDocument takes a failed document as one that can never arrive.
	ExceptDocument struct{ Batch, Reason, Evidence string }
	// RevokeException takes that back.
	RevokeException struct{ Batch, Reason string }
	// CancelDocument cancels a pending document of a cancelled batch.
	CancelDocument struct{ Batch string }
	// ReportLoss tells that objects of the archive which the document's history
	// names are not there any more as they were stored. It concerns every batch
	// that needs one of them.
	ReportLoss struct {
		Objects      []Lost
		Reason       string
		Verification string // that found it; empty: it was found otherwise
	}
	// ReportIntact tells that a verification of a batch read all that the archive
	// has of the document, and that it is as it was stored.
	ReportIntact struct {
		Batch        string
		Verification string
		Objects      int
		Bytes        int64
		Unhashed     int
		Extra        int
	}
)

func (Discover) documentCommand()        {}
func (ReportConflict) documentCommand()  {}
func (Migrate) documentCommand()         {}
func (Pass) documentCommand()            {}
func (FailAttempt) documentCommand()     {}
func (RetryDocument) documentCommand()   {}
func (SkipFile) documentCommand()        {}
func (RecallFile) documentCommand()      {}
func (ExceptDocument) documentCommand()  {}
func (RevokeException) documentCommand() {}
func (CancelDocument) documentCommand()  {}
func (ReportLoss) documentCommand()      {}
func (ReportIntact) documentCommand()    {}
