// Package rules judges documents and files by the validation rules R01 to R19:
// the same engine for the run and for preflight. It measures nothing itself:
// what was listed and what was found in a file come in.
//
// A rule is one unit: its id, the codes of what it can find, each with a
// severity, a category and a remedy in two languages, what it is cited from, and
// the check. A target profile (Criteria) says by code what blocks, what only
// warns and what is off, and gives the parameters.
//
//   - What a rule finds is told with what was measured, also when it only warns.
//   - A severity that no profile may change is fixed: the other one would let
//     wrong bytes through as if they were right.
//   - A failure carries its remedy in English, as all texts of events are. The
//     other language is in the table, which whoever shows it looks up by code:
//     history then says what to do in words that can still be mended.
//   - A changed rule, or a changed built-in profile, is a new Version.
package rules

import (
	"slices"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Version of the rule set, recorded with each outcome.
const Version = "2"

// Off is the severity of what is not looked at.
const Off document.Severity = "off"

// Text in the languages that operators read.
type Text struct{ English, Chinese string }

// Rule of the table.
type Rule struct {
	ID       string // R01
	Name     string // "image-number-missing"
	Title    Text
	Judges   Subject
	Citation string // the standard, or whose limit it is
	Codes    []Code // none: it only exempts from others

	parameters func(Criteria) []Parameter
	ofDocument func(Criteria, Item) []finding
	ofFile     func(Criteria, document.ListedFile) []finding
	ofContent  func(Criteria, document.ListedFile, Found) []finding
}

// Subject is what a rule looks at.
type Subject string

const (
	OfListing  Subject = "listing"  // of a slice: it is judged while it is listed
	OfDocument Subject = "document" // and its files, as listed, before they are fetched
	OfContent  Subject = "content"  // a file's bytes
	OfArrival  Subject = "arrival"  // what came of all files
)

// Code names what a rule can find. It is stable: programs decide by it.
type Code struct {
	Code      string
	Severity  document.Severity // unless a profile says otherwise
	Fixed     bool              // no profile may say otherwise
	Harmless  bool              // no profile may make it block
	Category  domain.Category   // of the failure when it blocks
	Retryable bool
	Remedy    Text

	concludes bool // when it blocks, nothing else can be said of the file
}

// Parameter of a rule, as a profile has it.
type Parameter struct{ Name, Value string }

// Parameters of the rule by a profile's criteria.
func (r Rule) Parameters(c Criteria) []Parameter {
	if r.parameters == nil {
		return nil
	}
	return r.parameters(c)
}

// finding is what a rule holds against what it looks at.
type finding struct {
	code     string
	detail   string // names the file and the field
	measured string
}

// table of all rules, in order of their ids.
var table = []Rule{
	imageNumberMissing, imageNumberDuplicate, fieldMissing, fieldInvalid, typeUnsupported, extensionMismatch, sizeLimits, resolutionLow, resolutionUnknown,
	dpiExempt, unreadable, hashMismatch, hashAbsent, countMismatch, pageOrder, coverMissing, originalMissing, retentionAbsent, encryptedOrActive,
}

// byContent are the rules on a file's bytes in the order in which they are asked:
// of bytes that are not the source's nothing else can be said, and of encrypted
// ones not that they cannot be read.
var byContent = []Rule{hashMismatch, hashAbsent, sizeLimits, typeUnsupported, extensionMismatch, encryptedOrActive, unreadable, resolutionLow, resolutionUnknown}

// Table gives all rules, in order of their ids.
func Table() []Rule { return slices.Clone(table) }

// codes of all rules, with the rule that each is of.
var codes = func() map[string]coded {
	all := map[string]coded{}
	for _, r := range table {
		for _, c := range r.Codes {
			all[c.Code] = coded{rule: r.ID, Code: c}
		}
	}
	return all
}()

type coded struct {
	rule string
	Code
}
