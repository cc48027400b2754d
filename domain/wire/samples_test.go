package wire_test

import (
	"slices"

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
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/webhook"
)

// Parts of the samples. No field is zero, so that every name is in a golden
// file.
var (
	settings = source.Settings{
		Name: "标准版影像", Kind: "standard-imaging", TokenURL: "https://imaging.example/token", DataURL: "https://imaging.example/data",
		ClientID: "waybill", SecretRef: "env:WAYBILL_SECRET", SignAlgorithm: "md5", TimestampUnit: "ms", HashAlgorithm: "md5", TimeZone: "Asia/Shanghai",
		PageSize: 100, Concurrency: 64, RequestsPerSecond: 12.5, BytesPerSecond: 5000000, Windows: []source.Window{{
			Days: []string{"mon"}, From: "08:30", To: "18:00", Closed: true, Concurrency: 4, RequestsPerSecond: 2.5, BytesPerSecond: 1000000,
		}}, AllowedNetworks: []string{"10.1.0.0/16"},
		CertificateAuthorities: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", Profile: "flagship",
	}
	hook = webhook.Settings{
		URL: "https://erp.example/waybill", Description: "凭证系统", Types: []string{"waybill.batch.", "waybill.document.failed"}, Batches: []string{"B20250301-080000-ABCDE"},
		Organizations: []string{"ORG1"}, AllowedNetworks: []string{"10.1.0.0/16"}, SecretRefs: []string{"file:/run/secrets/erp"},
	}
	criteria = profile.Settings{
		Description: "旧扫描件", Criteria: rules.Criteria{
			Types: []string{"pdf", "ofd"}, ToleratedTypes: []string{"heic"}, WarnBytes: 12582912, MaxBytes: 16777216, MinDPI: 300,
			Severities:    []rules.CodeSeverity{{Code: "resolution-low", Severity: document.Warn}},
			DocumentTypes: rules.Mapping{{Source: "BILL", Target: "er_bill"}}, Organizations: rules.Mapping{{Source: "ORG1", Target: "1001"}},
		}, Target: "flagship", FlagshipTarget: &profile.FlagshipTarget{
			URL: "https://flagship.example", AppID: "waybill", SecretRef: "file:/run/secrets/flagship", TenantID: "t1", AccountID: "a1", User: "u1", UserType: "UserName", Language: "zh_CN",
			Resource: "EAS", Concurrency: 4, MaxFileBytes: 16777216, AllowedNetworks: []string{"10.1.0.0/16"},
			CertificateAuthorities: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
		},
	}
	scope         = batch.Scope{Organizations: []string{"ORG1"}, DocumentTypes: []string{"BILL"}, From: "2025-03-05", To: "2025-03-31", List: "L20250301-075900-ABCDE"}
	uploaded      = list.Head{ID: "L20250301-075900-ABCDE", Kind: list.BillNumbers, Count: 3, Digest: stored.SHA256}
	slicesOfScope = []batch.Slice{{ID: "2025-03@ORG1", Organization: "ORG1", DocumentTypes: []string{"BILL"}, From: "2025-03-05", To: "2025-03-31"}}
	phase         = batch.PhaseChanged{Before: batch.PhaseActive, After: batch.PhaseHeld, Reason: "maintenance"}
	counts        = batch.Counts{Total: 22, Migrated: 5, Passed: 7, Failed: 4, Pending: 3, Excepted: 2, Cancelled: 1}
	at            = map[int]int64{0: 15, 7: 123}

	failure = domain.Failure{
		Code: "http-503", Category: domain.SourceUnavailable, Stage: domain.StageFetch, Retryable: true, Detail: "file f1 (发票.pdf): the source answered 503",
		Remedy: "Wait: it is tried again by itself.", Rule: "R12", FileID: "f1", HTTPStatus: 503, SourceCode: "0500", TraceID: "trace-1", RequestID: "1700000000000123",
	}
	listing = discovery.Change{Batch: "B20250301-080000-ABCDE", Source: "standard", Slice: "2025-03@ORG1", Before: discovery.StatusListing, After: discovery.StatusListing}
	figures = discovery.Figures{Found: 97, Elsewhere: 2, Total: 100, Duplicates: 3, Conflicts: 1, Unlisted: 1}

	change = document.Change{
		DocumentID: domain.DocumentID{Source: "standard", Resource: "erp", ImageNumber: "影像/0001 A", Anonymous: "9f86d081884c7d65"},
		Batch:      "B20250301-080000-ABCDE", Organization: "ORG1", DocumentType: "BILL", BillNumber: "V-0001", BillDate: "2025-03-05", Retention: "30",
		Before: document.StatusPending, After: document.StatusFailed,
		FilesBefore: document.Tally{Pending: 6, Migrated: 5, Passed: 7, Failed: 4, Skipped: 3, Excepted: 2, Cancelled: 1},
		FilesAfter:  document.Tally{Pending: 1, Migrated: 2, Passed: 8, Failed: 3, Skipped: 4, Excepted: 5, Cancelled: 6},
	}
	files = []document.ListedFile{{
		ID: "f1", PID: "p1", Class: document.Invoice, Sequence: 2, Name: "发票 <1>.pdf", Type: "pdf", Size: 81920,
		Hash: "d41d8cd98f00b204e9800998ecf8427e", HashAlgorithm: "md5", Rendition: true,
	}}
	marks   = []document.Mark{{FileID: "f1", Reason: "blurred", Owner: "u-17", ReviewOn: "2025-12-31"}}
	unowned = []document.Mark{{FileID: "f1", Reason: "blurred", ReviewOn: "2025-12-31"}}
	stored  = domain.Stored{
		Target: "folder", Key: "standard/erp/0001/e3b0c442.pdf", Version: "7",
		SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Bytes: 81920,
	}
	listed = document.Listed{
		Organization: "ORG1", OrganizationName: "北京公司", DocumentType: "BILL", BillID: "1234567890", BillNumber: "V-0001", BillDate: "2025-03-05",
		Retention: "30", Files: files, Content: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", Raw: stored,
	}
	outcomes = []document.FileOutcome{{
		ID: "f1", PID: "p1", Class: document.Invoice, Sequence: 2, Name: "发票 <1>.pdf", Type: "pdf", Size: 81920, Hash: "d41d8cd98f00b204e9800998ecf8427e",
		Received: 81920, Digests: map[string]string{"md5": "d41d8cd98f00b204e9800998ecf8427e", "sha256": stored.SHA256}, Format: "pdf",
		Width: 1654, Height: 2339, DPI: 200.5, Pages: 3,
		Rules:  []document.RuleResult{{Rule: "R07", Code: "size-large", Severity: document.Warn, Detail: "file f1 is large", Measured: "13000000 bytes"}},
		Passed: true, Stored: &stored, ReadBack: stored.SHA256, Result: document.NewVersion, Supersedes: "standard/erp/0001/older.pdf", Final: true, Failure: &failure,
	}}
	filed = document.Filed{
		Target: "flagship", Address: "https://flagship.example", Account: "a1", Resource: "EAS", ImageNumber: "影像/0001 A", Status: "submitted", Files: 3, Compared: 2,
	}
	judged  = []document.RuleResult{{Rule: "R16", Code: "cover-missing", Severity: document.Warn, Detail: "none of the 3 files is a cover", Measured: "0"}}
	verdict = document.Verdict{
		Organization: "ORG1", DocumentType: "BILL", Category: domain.FormatMismatch, Files: 3, Bytes: 245760,
		Findings: []document.Findings{{Finding: document.Finding{Rule: "R08", Code: "resolution-low", Severity: document.Block}, Files: 1, Bytes: 81920}},
	}
	settled  = approval.Settled{Batch: "B20250301-080000-ABCDE", By: approval.Person{Issuer: "token", Subject: "u-18"}, Reason: "seen with the owner"}
	measured = document.Measured{
		QueueMS: 1, FetchMS: 2, ValidateMS: 3, StoreMS: 4, BytesListed: 81920, BytesReceived: 81921, BytesStored: 81922,
		RuleSet: "1", Profile: "flagship", ProfileVersion: 2, SourceVersion: 3,
	}
)

// upcasted has what the golden file of every version that is no longer written
// is read as.
var upcasted = map[string]any{
	"waybill.document.discovered.v1": document.Discovered{
		Change: unjudged(change), Slice: "2025-03@ORG1", Listed: listed, FilesTotal: 501, Skipped: []document.Mark{{FileID: "f1"}},
	},
	"waybill.access.token-issued.v1":   access.TokenIssued{ID: "9f86d081884c7d65", Subject: "erp-nightly", Roles: []string{"reader"}, ExpiresAt: "2026-01-01T00:00:00Z"},
	"waybill.source.registered.v1":     source.Registered{ID: "standard", Settings: withoutAuthorities(settings), Enabled: true},
	"waybill.source.reconfigured.v1":   source.Reconfigured{Settings: withoutAuthorities(settings)},
	"waybill.document.files-listed.v1": document.FilesListed{Change: unjudged(change), Files: files, Skipped: []document.Mark{{FileID: "f1"}}, Kept: []string{"f2"}},
	"waybill.document.relisted.v1": document.Relisted{
		Change: unjudged(change), Listed: listed, FilesTotal: 501, Skipped: []document.Mark{{FileID: "f1"}}, Kept: []string{"f2"},
	},
	"waybill.operation.requested.v1": operation.Requested{
		ID: "3d813cbb-47fb-52ba-91df-831e1593ac29", Kind: operation.Retry, Batch: "B20250301-080000-ABCDE",
		Filter: operation.Filter{Category: domain.SourceUnavailable, Code: "http-503", Organization: "ORG1", DocumentType: "BILL"},
		Reason: "the source is back", Count: 4, Coordinates: at,
	},
	"waybill.operation.requested.v2": operation.Requested{
		ID: "3d813cbb-47fb-52ba-91df-831e1593ac29", Kind: operation.Retry, Batch: "B20250301-080000-ABCDE",
		Filter: operation.Filter{
			Category: domain.SourceUnavailable, Code: "http-503", Organization: "ORG1", DocumentType: "BILL", Organizations: domain.Organizations{"ORG1", "ORG2"},
		},
		Reason: "the source is back", Count: 4, Coordinates: at,
	},
}

func withoutAuthorities(s source.Settings) source.Settings {
	s.CertificateAuthorities = ""
	return unpaced(s)
}

// unpaced is of before bytes a second had a limit, and the week windows.
func unpaced(s source.Settings) source.Settings {
	s.BytesPerSecond, s.Windows = 0, nil
	return s
}

// widened has what each earlier edition of a name's golden file is read as: of
// before members were added within its version.
var widened = map[string][]any{
	"waybill.source.registered.v2":   {source.Registered{ID: "standard", Settings: unpaced(settings), Enabled: true}},
	"waybill.source.reconfigured.v2": {source.Reconfigured{Settings: unpaced(settings)}},

	"waybill.operation.requested.v3": {operation.Requested{
		ID: "3d813cbb-47fb-52ba-91df-831e1593ac29", Kind: operation.Skip, Batch: "B20250301-080000-ABCDE",
		Filter: operation.Filter{
			Category: domain.FormatMismatch, Code: "type-unsupported", Organization: "ORG1", DocumentType: "BILL", Organizations: domain.Organizations{"ORG1", "ORG2"},
			Documents: []string{"document-standard/erp/0001"}, List: "L20250301-080000-ABCDE", FailedOf: "6fa459ea-ee8a-5ca4-894e-db77e160355e",
		},
		Terms:  operation.Terms{Owner: "u-18", ReviewOn: "2025-06-30", PerSecond: 50},
		Reason: "they are scanned again", Count: 4, Coordinates: at,
	}},

	"waybill.discovery.page-listed.v1": {discovery.PageListed{
		Change: listing, Pass: 1, Page: 2, Next: 3, Items: []discovery.Item{{Key: "9f86d081884c7d659a2feaa0", Content: "2c26b46b68ffc68ff99b453c", Elsewhere: true}},
		Repeats: []discovery.Repeat{{ImageNumber: "影像/0002", Page: 2, FirstPage: 1, Conflict: true}},
		Total:   100, Found: 97, RequestID: "1700000000000123", TraceID: "trace-1",
	}},
	"waybill.discovery.completed.v1":       {discovery.Completed{Change: listing, Figures: without(figures), Missing: 1, Passes: 2, Digest: stored.SHA256}},
	"waybill.discovery.retry-requested.v1": {discovery.RetryRequested{Change: listing, Withdrawn: without(figures), Missing: 1, Reason: "the source was mended"}},

	"waybill.batch.created.v1": {batch.Created{
		Number: "B20250301-080000-ABCDE", Source: "standard", SourceVersion: 3, Profile: "flagship", Scope: unlisted(scope), Slices: slicesOfScope,
	}},
	"waybill.operation.cancelled.v1": {operation.Cancelled{Batch: "B20250301-080000-ABCDE", Counts: map[operation.Outcome]int{operation.Done: 2}, Reason: "wrong filter"}},
	"waybill.batch.finished.v1":      {batch.Finished{Counts: migrating(counts), Coordinates: at}},
	"waybill.batch.reopened.v1":      {batch.Reopened{Counts: migrating(counts)}},

	"waybill.document.discovered.v2": {
		document.Discovered{Change: unjudged(change), Slice: "2025-03@ORG1", Listed: listed, FilesTotal: 501, Skipped: unowned},
		document.Discovered{Change: change, Slice: "2025-03@ORG1", Preflight: true, Listed: listed, FilesTotal: 501, Skipped: unowned},
	},
	"waybill.document.files-listed.v2": {
		document.FilesListed{Change: unjudged(change), Files: files, Skipped: unowned, Kept: []string{"f2"}},
		document.FilesListed{Change: change, Files: files, Skipped: unowned, Kept: []string{"f2"}},
	},
	"waybill.document.relisted.v2": {
		document.Relisted{Change: unjudged(change), Listed: listed, FilesTotal: 501, Skipped: unowned, Kept: []string{"f2"}},
		document.Relisted{Change: change, Listed: listed, FilesTotal: 501, Skipped: unowned, Kept: []string{"f2"}},
	},
	"waybill.document.files-processed.v1": {
		document.FilesProcessed{Change: unjudged(change), Attempt: 2, Files: before(outcomes)},
		document.FilesProcessed{Change: unjudged(change), Attempt: 2, Files: unpassed(outcomes)},
	},
	"waybill.document.attempt-failed.v1": {
		document.AttemptFailed{
			Change: unjudged(change), Attempt: 2, Failure: failure, Next: "2025-03-01T08:00:10Z", Files: before(outcomes), Measured: unversioned(measured),
		},
		document.AttemptFailed{
			Change: unjudged(change), Attempt: 2, Failure: failure, Next: "2025-03-01T08:00:10Z", Rules: judged, Files: unpassed(outcomes), Measured: measured,
		},
	},
	"waybill.document.migrated.v1": {
		document.Migrated{
			Change: unjudged(change), Attempt: 2, Result: document.NewVersion, Manifest: stored, Supersedes: "standard/erp/0001/older.json",
			Files: before(outcomes), Measured: unversioned(measured),
		},
		document.Migrated{
			Change: unjudged(change), Attempt: 2, Result: document.NewVersion, Manifest: stored, Supersedes: "standard/erp/0001/older.json",
			Filed: &filed, Rules: judged, Files: unpassed(outcomes), Measured: measured,
		},
	},
	"waybill.document.failed.v1": {
		document.Failed{Change: unjudged(change), Attempt: 5, Failure: failure, Files: before(outcomes), Measured: unversioned(measured)},
		document.Failed{Change: unjudged(change), Attempt: 5, Failure: failure, Rules: judged, Files: unpassed(outcomes), Measured: measured},
	},
	"waybill.document.retry-requested.v1": {document.RetryRequested{Change: unjudged(change), Reason: "the source is back"}},
	"waybill.document.file-skipped.v1": {
		document.FileSkipped{Change: unjudged(change), FileID: "f1", Reason: "blurred", ReviewOn: "2025-12-31"},
		document.FileSkipped{Change: change, FileID: "f1", Reason: "blurred", ReviewOn: "2025-12-31"},
	},
	"waybill.document.file-recalled.v1":     {document.FileRecalled{Change: unjudged(change), FileID: "f1", Reason: "scanned again"}},
	"waybill.document.excepted.v1":          {document.Excepted{Change: unjudged(change), Reason: "destroyed", Evidence: "protocol 7"}},
	"waybill.document.exception-revoked.v1": {document.ExceptionRevoked{Change: unjudged(change), Reason: "found"}},
	"waybill.document.cancelled.v1":         {document.Cancelled{Change: unjudged(change)}},
	"waybill.document.verification-failed.v1": {document.VerificationFailed{
		Change: unjudged(change), Failure: failure, Objects: []document.Lost{{Key: stored.Key, Fault: document.Missing, FileID: "f1"}}, Reason: "the archive was restored from Tuesday",
	}, document.VerificationFailed{
		Change: unjudged(change), Failure: failure, Objects: []document.Lost{{Key: stored.Key, Fault: document.Missing, FileID: "f1"}}, Reason: "the archive was restored from Tuesday",
		Verification: "B20250301-080000-ABCDE-V1",
	}},
	"waybill.document.verified.v1": {document.Verified{
		Change: unjudged(change), Verification: "B20250301-080000-ABCDE-V1", Objects: 5, Bytes: 81234, Unhashed: 1, Extra: 2,
	}},
}

// unjudged is of before there were preflights.
func unjudged(c document.Change) document.Change {
	c.FilesBefore.Passed, c.FilesAfter.Passed = 0, 0
	return c
}

func migrating(c batch.Counts) batch.Counts {
	c.Total, c.Passed = c.Total-c.Passed, 0
	return c
}

func unpassed(outcomes []document.FileOutcome) []document.FileOutcome {
	earlier := slices.Clone(outcomes)
	for i := range earlier {
		earlier[i].Passed = false
	}
	return earlier
}

// unlisted is of before a scope could be a list.
func unlisted(s batch.Scope) batch.Scope {
	s.List = ""
	return s
}

// without is of before there were lists.
func without(f discovery.Figures) discovery.Figures {
	f.Unlisted = 0
	return f
}

// before results of rules had codes.
func before(outcomes []document.FileOutcome) []document.FileOutcome {
	earlier := unpassed(outcomes)
	for i := range earlier {
		earlier[i].Rules = slices.Clone(earlier[i].Rules)
		for n := range earlier[i].Rules {
			earlier[i].Rules[n].Code = ""
		}
	}
	return earlier
}

// unversioned is of before profiles had versions.
func unversioned(m document.Measured) document.Measured {
	m.ProfileVersion = 0
	return m
}

// samples has one event of every name that is written.
var samples = map[string]any{
	"waybill.source.registered.v2":   source.Registered{ID: "standard", Settings: settings, Enabled: true},
	"waybill.source.reconfigured.v2": source.Reconfigured{Settings: settings},
	"waybill.source.enabled.v1":      source.Enabled{Reason: "ready"},
	"waybill.source.disabled.v1":     source.Disabled{Reason: "maintenance"},

	"waybill.batch.created.v1": batch.Created{
		Number: "B20250301-080000-ABCDE", Mode: batch.Preflight, RunOf: "B20250228-080000-ABCDE", Source: "standard", SourceVersion: 3, Profile: "flagship",
		Scope: scope, List: &uploaded, Slices: slicesOfScope,
	},
	"waybill.batch.held.v1":               batch.Held{PhaseChanged: phase},
	"waybill.batch.released.v1":           batch.Released{PhaseChanged: phase},
	"waybill.batch.paused.v1":             batch.Paused{PhaseChanged: phase},
	"waybill.batch.resumed.v1":            batch.Resumed{PhaseChanged: phase},
	"waybill.batch.cancelled.v1":          batch.Cancelled{PhaseChanged: phase},
	"waybill.batch.shortfall-accepted.v1": batch.ShortfallAccepted{Slice: "2025-03@ORG1", Missing: 2, Before: 1, Reason: "destroyed in 2019"},
	"waybill.batch.empty-acknowledged.v1": batch.EmptyAcknowledged{Reason: "no vouchers"},
	"waybill.batch.finished.v1":           batch.Finished{Counts: counts, Coordinates: at},
	"waybill.batch.reopened.v1":           batch.Reopened{Counts: counts},

	"waybill.discovery.started.v1": discovery.Started{Change: listing},
	"waybill.discovery.page-listed.v1": discovery.PageListed{
		Change: listing, Pass: 1, Page: 2, Next: 3, Items: []discovery.Item{{Key: "9f86d081884c7d659a2feaa0", Content: "2c26b46b68ffc68ff99b453c", Elsewhere: true,
			Unlisted: &discovery.Unlisted{ImageNumber: "影像/0001", BillNumber: "V-0001"}}},
		Looked: 200, Absent: []string{"V-0002"}, Repeats: []discovery.Repeat{{ImageNumber: "影像/0002", Page: 2, FirstPage: 1, Conflict: true}},
		Total: 100, Found: 97, RequestID: "1700000000000123", TraceID: "trace-1",
	},
	"waybill.discovery.listed-again.v1":    discovery.ListedAgain{Change: listing, Pass: 2, Reason: "3 items came twice", Digest: stored.SHA256},
	"waybill.discovery.completed.v1":       discovery.Completed{Change: listing, Figures: figures, Missing: 1, Passes: 2, Digest: stored.SHA256},
	"waybill.discovery.attempt-failed.v1":  discovery.AttemptFailed{Change: listing, Attempt: 2, Failure: failure, Next: "2025-03-01T08:00:10Z"},
	"waybill.discovery.failed.v1":          discovery.Failed{Change: listing, Attempt: 5, Failure: failure},
	"waybill.discovery.retry-requested.v1": discovery.RetryRequested{Change: listing, Withdrawn: figures, Missing: 1, Reason: "the source was mended"},

	"waybill.document.discovered.v2": document.Discovered{
		Change: change, Slice: "2025-03@ORG1", Preflight: true, Listed: listed, FilesTotal: 501, Skipped: marks, Novelty: document.NewContent,
	},
	"waybill.document.files-listed.v2": document.FilesListed{Change: change, Files: files, Skipped: marks, Kept: []string{"f2"}},
	"waybill.document.relisted.v2": document.Relisted{
		Change: change, Listed: listed, FilesTotal: 501, Skipped: marks, Kept: []string{"f2"},
		Was: &document.Dimensions{Organization: "ORG2", DocumentType: "BILL2", BillDate: "2025-02-28"},
	},
	"waybill.document.files-processed.v1": document.FilesProcessed{Change: change, Attempt: 2, Files: outcomes},
	"waybill.document.attempt-failed.v1": document.AttemptFailed{
		Change: change, Attempt: 2, Failure: failure, Next: "2025-03-01T08:00:10Z", Rules: judged, Files: outcomes, Measured: measured,
	},
	"waybill.document.migrated.v1": document.Migrated{
		Change: change, Attempt: 2, Result: document.NewVersion, Manifest: stored, Supersedes: "standard/erp/0001/older.json",
		Filed: &filed, Rules: judged, Files: outcomes, Measured: measured,
	},
	"waybill.document.judged.v1": document.Judged{
		Change: change, Attempt: 2, Verdict: verdict, Withdrawn: &verdict, Failure: &failure, Rules: judged, Files: outcomes, Measured: measured,
	},
	"waybill.document.failed.v1":            document.Failed{Change: change, Attempt: 5, Failure: failure, Rules: judged, Files: outcomes, Measured: measured},
	"waybill.document.retry-requested.v1":   document.RetryRequested{Change: change, Reason: "the source is back"},
	"waybill.document.file-skipped.v1":      document.FileSkipped{Change: change, FileID: "f1", Reason: "blurred", Owner: "u-17", ReviewOn: "2025-12-31"},
	"waybill.document.file-recalled.v1":     document.FileRecalled{Change: change, FileID: "f1", Reason: "scanned again"},
	"waybill.document.excepted.v1":          document.Excepted{Change: change, Reason: "destroyed", Evidence: "protocol 7"},
	"waybill.document.exception-revoked.v1": document.ExceptionRevoked{Change: change, Reason: "found"},
	"waybill.document.cancelled.v1":         document.Cancelled{Change: change},
	"waybill.document.verification-failed.v1": document.VerificationFailed{
		Change: change, Failure: failure, Objects: []document.Lost{{Key: stored.Key, Fault: document.Missing, FileID: "f1"}}, Reason: "the archive was restored from Tuesday",
		Verification: "B20250301-080000-ABCDE-V1",
	},
	"waybill.document.verified.v1": document.Verified{
		Change: change, Verification: "B20250301-080000-ABCDE-V1", Objects: 5, Bytes: 81234, Unhashed: 1, Extra: 2,
	},

	"waybill.verification.requested.v1": fixity.Requested{
		ID: "B20250301-080000-ABCDE-V1", Batch: "B20250301-080000-ABCDE", Number: 1, Migrated: 1000, Selected: 50,
		Sample: &fixity.Sample{Percent: 5, Count: 50, Seed: 7, Bound: "0d1f"}, Coordinates: at, Reason: "yearly inspection",
	},
	"waybill.verification.advanced.v1": fixity.Advanced{
		Batch: "B20250301-080000-ABCDE", Round: 2, Cursor: "document-standard/erp/0001",
		Counts: fixity.Counts{Documents: map[fixity.Outcome]int{fixity.Intact: 1, fixity.Missing: 1}, Objects: 10, Bytes: 162468, Files: 3, Unhashed: 1},
		Items: []fixity.Item{{
			Document: "document-standard/erp/0001", Outcome: fixity.Missing, Was: fixity.Unverifiable, Flawed: 1,
			Flaws: []fixity.Flaw{{Key: stored.Key, Fault: fixity.Missing, FileID: "f1", Detail: "it is missing"}},
		}},
	},
	"waybill.verification.completed.v1": fixity.Completed{
		Batch: "B20250301-080000-ABCDE", Round: 2,
		Counts: fixity.Counts{Documents: map[fixity.Outcome]int{fixity.Intact: 49, fixity.Missing: 1}, Objects: 250, Bytes: 4061700, Files: 140, Unhashed: 1},
	},
	"waybill.verification.retry-requested.v1": fixity.RetryRequested{Batch: "B20250301-080000-ABCDE", Round: 2, Selected: 1, Reason: "the disk is mounted again"},
	"waybill.verification.cancelled.v1": fixity.Cancelled{
		Batch: "B20250301-080000-ABCDE", Counts: fixity.Counts{Documents: map[fixity.Outcome]int{fixity.Intact: 49}, Objects: 245, Bytes: 3980466, Files: 140, Unhashed: 1}, Reason: "not at night",
	},

	"waybill.operation.requested.v3": operation.Requested{
		ID: "3d813cbb-47fb-52ba-91df-831e1593ac29", Kind: operation.Skip, Batch: "B20250301-080000-ABCDE",
		Filter: operation.Filter{
			Category: domain.FormatMismatch, Code: "type-unsupported", Fingerprint: "9f86d081884c7d65", Organization: "ORG1", DocumentType: "BILL", Organizations: domain.Organizations{"ORG1", "ORG2"},
			Documents: []string{"document-standard/erp/0001"}, List: "L20250301-080000-ABCDE", FailedOf: "6fa459ea-ee8a-5ca4-894e-db77e160355e",
		},
		Terms:  operation.Terms{Owner: "u-18", ReviewOn: "2025-06-30", PerSecond: 50},
		Reason: "they are scanned again", Count: 4, Coordinates: at,
	},
	"waybill.operation.advanced.v1": operation.Advanced{
		Batch: "B20250301-080000-ABCDE", Page: 1,
		Items: []operation.Item{{Document: "document-standard/erp/0001", Outcome: operation.Refused, Detail: "the document is excepted"}},
	},
	"waybill.operation.paused.v1":    operation.Paused{Batch: "B20250301-080000-ABCDE", Reason: "the source is slow"},
	"waybill.operation.resumed.v1":   operation.Resumed{Batch: "B20250301-080000-ABCDE", Reason: "it is night"},
	"waybill.operation.completed.v1": operation.Completed{Batch: "B20250301-080000-ABCDE", Counts: map[operation.Outcome]int{operation.Done: 3, operation.Changed: 1}},
	"waybill.operation.cancelled.v1": operation.Cancelled{Batch: "B20250301-080000-ABCDE", Counts: map[operation.Outcome]int{operation.Done: 2}, Reason: "wrong filter", Paused: true},

	"waybill.access.token-issued.v2": access.TokenIssued{
		ID: "9f86d081884c7d65", Subject: "erp-nightly", Roles: []string{"reader"}, Organizations: []string{"ORG1", "ORG2"}, ExpiresAt: "2026-01-01T00:00:00Z",
	},
	"waybill.access.token-revoked.v1": access.TokenRevoked{ID: "9f86d081884c7d65", Subject: "erp-nightly"},
	"waybill.access.export-begun.v1": access.ExportBegun{
		Format: access.CSV, After: "7:122", Until: at,
		Filter: access.Filter{
			Batch: "B20250301-080000-ABCDE", Document: "erp/0001", Operator: "u-17", Types: []string{"waybill.document.failed.v1"},
			From: "2025-03-01T00:00:00Z", To: "2025-04-01T00:00:00Z",
		},
	},
	"waybill.access.export-ended.v1": access.ExportEnded{Batch: "B20250301-080000-ABCDE", Rows: 12, Complete: true, Last: "7:123", Reason: "the client went"},
	"waybill.access.command-refused.v1": access.CommandRefused{
		Operation: "cancelBatch", Method: "POST", Path: "/v1/batches/B20250301-080000-ABCDE/cancel", Batch: "B20250301-080000-ABCDE",
		Status: 409, Code: "batch-cancelled", Detail: "the batch is cancelled",
	},
	"waybill.access.refusals-counted.v1": access.RefusalsCounted{
		Count: 7, First: "2025-03-01T08:00:00Z", Last: "2025-03-01T08:00:59Z", Codes: map[string]int{"permission-missing": 7},
	},

	"waybill.webhook.registered.v1":      webhook.Registered{ID: "erp", Settings: hook, Start: at},
	"waybill.webhook.reconfigured.v1":    webhook.Reconfigured{Settings: hook},
	"waybill.webhook.enabled.v1":         webhook.Enabled{Reason: "the receiver is back"},
	"waybill.webhook.disabled.v1":        webhook.Disabled{Reason: "the receiver answered 410 Gone"},
	"waybill.webhook.removed.v1":         webhook.Removed{Reason: "the ERP is gone"},
	"waybill.webhook.tested.v1":          webhook.Tested{Reason: "is it there?"},
	"waybill.webhook.retry-requested.v1": webhook.RetryRequested{Delivery: "7:123", Reason: "the receiver was mended"},

	"waybill.approval.requested.v1": approval.Requested{
		ID: "3d813cbb-47fb-52ba-91df-831e1593ac29", Kind: approval.CancelBatch, Batch: "B20250301-080000-ABCDE", BatchVersion: 3,
		Extent: approval.Extent{Documents: 120000, UnlistedSlices: 2, Coordinates: at}, Limit: 1000, Reason: "wrong scope",
		By: approval.Person{Issuer: "token", Subject: "u-17"}, ExpiresAt: "2025-03-04T08:00:00Z",
	},
	"waybill.approval.approved.v1":  approval.Approved{Settled: settled, Outcome: approval.Refused, Code: "version-stale", Detail: "batch-B is at version 4, you expected 3: read it again"},
	"waybill.approval.rejected.v1":  approval.Rejected{Settled: settled},
	"waybill.approval.withdrawn.v1": approval.Withdrawn{Settled: settled},

	"waybill.profile.registered.v1":   profile.Registered{Name: "ours", Settings: criteria, Reason: "new scanners"},
	"waybill.profile.reconfigured.v1": profile.Reconfigured{Settings: criteria, Reason: "new scanners"},

	"waybill.list.uploaded.v1":      list.Uploaded{Head: uploaded, Name: "凭证.csv", Column: "凭证号", Blank: 2, Duplicates: 1},
	"waybill.list.entries-added.v1": list.EntriesAdded{First: 1, Entries: []string{"V-0001", "凭证 2"}},
}
