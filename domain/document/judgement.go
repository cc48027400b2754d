package document

import (
	"cmp"
	"maps"
	"slices"

	"github.com/waybill-migration/waybill/domain"
)

// Verdict is a judgement in the figures that the report of a preflight adds up.
type Verdict struct {
	Organization string          `json:"organization"`
	DocumentType string          `json:"documentType"`
	Category     domain.Category `json:"category,omitempty"` // of the failure; empty: it passed
	Files        int             `json:"files"`              // that are not skipped
	Bytes        int64           `json:"bytes"`              // of these, as received; as declared of those that were not
	Findings     []Findings      `json:"findings,omitempty"`
}

// Findings are the results of one rule in a document and its files.
type Findings struct {
	Finding
	Files int   `json:"files"` // that it was found in; 0: in what is listed of the document
	Bytes int64 `json:"bytes"` // of these
}

// Finding of a rule, without what was measured.
type Finding struct {
	Rule     string   `json:"rule"`
	Code     string   `json:"code,omitempty"`
	Severity Severity `json:"severity"`
}

// Inspection is what a preflight found in a file.
type Inspection struct {
	Received int64
	Findings []Finding // each once
}

// inspection keeps of an outcome what a verdict is made of.
func (o FileOutcome) inspection() Inspection {
	return Inspection{Received: o.Received, Findings: findingsOf(o.Rules)}
}

func findingsOf(results []RuleResult) []Finding {
	var found []Finding
	for _, r := range results {
		if f := (Finding{Rule: r.Rule, Code: r.Code, Severity: r.Severity}); !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	return found
}

// pass drops a judgement of work that is no longer open, and refuses one that
// leaves a file out, as migrate does.
func pass(s State, c Pass) ([]Event, error) {
	d := deciding(s, c.Batch)
	if !d.member().Preflight {
		return nil, domain.RefuseInvalid("batch", "batch-not-preflight", "batch %s is no preflight: nothing passes in it", c.Batch)
	}
	if !d.open(c.Work, c.Relisted, c.Files) {
		return d.events, nil
	}
	outcomes := d.member().concerning(c.Files)
	if tally := d.member().processed(outcomes).Tally(); tally.Pending+tally.Failed > 0 || tally.Passed == 0 {
		return nil, filesMissing(s.ID, tally.Pending+tally.Failed, tally.Passed)
	}
	attempt := d.member().Attempt + 1
	rest := d.processFiles(outcomes, attempt)
	return d.judge(Judged{Attempt: attempt, Rules: c.Rules, Files: rest, Measured: c.Measured}).events, nil
}

// judge settles the document of a preflight.
func (d *decision) judge(j Judged) *decision {
	m, after := d.member(), StatusPassed
	if j.Failure != nil {
		after = StatusFailed
	}
	j.Withdrawn, j.Verdict = m.Verdict, m.judged(j).verdict(j.Failure, j.Rules)
	return d.emit(after, func(ch Change) Event {
		j.Change = ch
		return j
	})
}

// judged applies a judgement. Files that it came to no result about fail with
// their document.
func (m Membership) judged(j Judged) Membership {
	m = m.processed(j.Files)
	m.Attempt, m.FailureCode, m.OfFiles, m.Verdict = 0, "", false, &j.Verdict
	if j.Failure != nil {
		m = m.turn(FileStatusPending, FileStatusFailed).blame(j.Failure.FileID)
		m.FailureCode, m.OfFiles = j.Failure.Code, j.Failure.FileID != ""
	}
	return m
}

// verdict on the document and its files as they have been judged.
func (m Membership) verdict(failure *domain.Failure, rules []RuleResult) Verdict {
	v := Verdict{Organization: m.Listed.Organization, DocumentType: m.Listed.DocumentType}
	sums := map[Finding]Findings{}
	add := func(f Finding, files int, bytes int64) {
		sum := sums[f]
		sums[f] = Findings{Finding: f, Files: sum.Files + files, Bytes: sum.Bytes + bytes}
	}
	for _, found := range findingsOf(rules) {
		add(found, 0, 0)
	}
	for _, f := range m.Files {
		if f.Status == FileStatusSkipped {
			continue
		}
		bytes := cmp.Or(f.Inspection.Received, f.Size)
		v.Files, v.Bytes = v.Files+1, v.Bytes+bytes
		for _, found := range f.Inspection.Findings {
			add(found, 1, bytes)
		}
	}
	if failure != nil {
		v.Category = failure.Category
		blocking := Finding{Rule: failure.Rule, Code: failure.Code, Severity: Block}
		if _, told := sums[blocking]; failure.Rule != "" && !told { // a rule that looks at more than one document or file leaves no result
			add(blocking, 0, 0)
		}
	}
	v.Findings = slices.SortedFunc(maps.Values(sums), func(a, b Findings) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Severity, b.Severity))
	})
	return v
}
