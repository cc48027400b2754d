package domain

import (
	"strconv"
	"unicode/utf8"
)

// Category groups failures for operators. The values are part of the API and
// never change (domain.md, "Failure categories").
type Category string

const (
	MissingField      Category = "missing-field"
	FormatMismatch    Category = "format-mismatch"
	Integrity         Category = "integrity"
	SourceAuth        Category = "source-auth"
	SourceUnavailable Category = "source-unavailable"
	SourceThrottled   Category = "source-throttled"
	SourceRejected    Category = "source-rejected"
	TargetRejected    Category = "target-rejected"
	TargetUnavailable Category = "target-unavailable"
	Internal          Category = "internal"
)

// Categories lists all failure categories in the order shown to operators.
var Categories = []Category{
	MissingField, FormatMismatch, Integrity, SourceAuth, SourceUnavailable,
	SourceThrottled, SourceRejected, TargetRejected, TargetUnavailable, Internal,
}

// Stage is the step of the migration in which something failed.
type Stage string

const (
	StageList     Stage = "list"
	StageFetch    Stage = "fetch"
	StageValidate Stage = "validate"
	StageStore    Stage = "store"
	StageVerify   Stage = "verify"
)

// Failure says what went wrong, where, and what to do about it. It holds no
// secret and no URL.
type Failure struct {
	Code       string   `json:"code"` // stable: "type-unsupported", "http-503"
	Category   Category `json:"category"`
	Stage      Stage    `json:"stage"`
	Retryable  bool     `json:"retryable"`
	Detail     string   `json:"detail"` // names the file and the field
	Remedy     string   `json:"remedy"`
	Rule       string   `json:"rule,omitempty"`       // R01..R19 when a validation rule refused
	FileID     string   `json:"fileId,omitempty"`     // the file at fault, when it is one
	HTTPStatus int      `json:"httpStatus,omitempty"` // the source's or target's answer
	SourceCode string   `json:"sourceCode,omitempty"` // its errcode
	TraceID    string   `json:"traceId,omitempty"`    // its trace id
	RequestID  string   `json:"reqId,omitempty"`      // the reqid that we sent
}

func (f *Failure) Error() string {
	return string(f.Category) + " (" + f.Code + "): " + f.Detail
}

// maxText bounds free text in events (bytes), so that no answer of a source
// can push a record over its limit.
const maxText = 2000

// Truncate cuts a text to the limit of a free text in an event.
func Truncate(text string) string { return TruncateTo(text, maxText) }

// TruncateTo cuts a text to a number of bytes, at a rune's edge, and says how
// long it was.
func TruncateTo(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "... (cut, " + strconv.Itoa(len(text)) + " bytes)"
}

// Trimmed is the failure with its texts within the limits of an event.
func (f Failure) Trimmed() Failure {
	f.Detail, f.Remedy = Truncate(f.Detail), Truncate(f.Remedy)
	f.SourceCode, f.TraceID = Truncate(f.SourceCode), Truncate(f.TraceID)
	return f
}
