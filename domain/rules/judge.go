package rules

import (
	"fmt"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Verdict on a file or a document.
type Verdict struct {
	Results []document.RuleResult
	Failure *domain.Failure // of the first rule that blocks
}

// Item is a document as its source listed it, with all its files.
type Item struct {
	ID     domain.DocumentID
	Listed document.Listed
	Files  []document.ListedFile
}

// Document judges what was listed of a document, before any file is fetched.
func Document(item Item, c Criteria) Verdict {
	v := verdict{criteria: c}
	for _, r := range table {
		if r.ofDocument != nil {
			v.take("", r.ofDocument(c, item))
		}
	}
	return v.Verdict
}

// Listed judges what was listed of a file, before it is fetched.
func Listed(f document.ListedFile, c Criteria) Verdict {
	v := verdict{criteria: c}
	for _, r := range table {
		if r.ofFile != nil {
			v.take(f.ID, r.ofFile(c, f))
		}
	}
	return v.Verdict
}

// File judges a file by what was found in its bytes. One over the limit was
// not read to its end.
func File(f document.ListedFile, found Found, c Criteria) Verdict {
	v := verdict{criteria: c}
	for _, r := range byContent {
		if v.take(f.ID, r.ofContent(c, f, found)); v.concluded {
			break
		}
	}
	return v.Verdict
}

// verdict while rules are asked.
type verdict struct {
	Verdict
	criteria  Criteria
	concluded bool
}

// take weighs what a rule has found by the criteria.
func (v *verdict) take(fileID string, findings []finding) {
	for _, f := range findings {
		code := codes[f.code]
		severity := v.criteria.Severity(f.code)
		if severity == Off {
			continue
		}
		detail := domain.TruncateTo(f.detail, maxDetail)
		v.Results = append(v.Results, document.RuleResult{Rule: code.rule, Code: f.code, Severity: severity, Detail: detail, Measured: domain.TruncateTo(f.measured, maxMeasured)})
		if severity != document.Block {
			continue
		}
		v.concluded = v.concluded || code.concludes
		if v.Failure == nil {
			v.Failure = &domain.Failure{
				Code: f.code, Category: code.Category, Stage: domain.StageValidate, Retryable: code.Retryable, Detail: detail,
				Remedy: code.Remedy.English, Rule: code.rule, FileID: fileID,
			}
		}
	}
}

// Bounds of texts in events, in bytes.
const (
	maxDetail   = 600
	maxMeasured = 200
)

// one finding, with what was measured or without.
func one(code, measured, format string, args ...any) []finding {
	return []finding{{code: code, measured: measured, detail: fmt.Sprintf(format, args...)}}
}

// name of a file, for details.
func name(f document.ListedFile) string {
	if f.Name == "" {
		return f.ID
	}
	return f.ID + " (" + domain.TruncateTo(f.Name, document.MaxNamed) + ")"
}
