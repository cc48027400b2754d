package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

// flagship are the criteria that nobody changed.
var flagship = rules.Criteria{}.WithDefaults()

// with other severities.
func with(severities ...rules.CodeSeverity) rules.Criteria {
	c := flagship
	c.Severities = severities
	return c
}

// codesOf what was found, in order.
func codesOf(v rules.Verdict) (codes []string) {
	for _, r := range v.Results {
		codes = append(codes, r.Code)
	}
	return codes
}

// requireBlocks: a code is what the verdict fails for.
func requireBlocks(t *testing.T, v rules.Verdict, rule, code string, category domain.Category) {
	t.Helper()
	require.NotNil(t, v.Failure)
	require.Equal(t, rule, v.Failure.Rule)
	require.Equal(t, code, v.Failure.Code)
	require.Equal(t, category, v.Failure.Category)
	require.Equal(t, domain.StageValidate, v.Failure.Stage)
	require.NotEmpty(t, v.Failure.Remedy)
	require.Contains(t, v.Results, document.RuleResult{Rule: rule, Code: code, Severity: document.Block, Detail: v.Failure.Detail, Measured: measured(v, code)})
}

// requireTells: a code was found, and the verdict is good nevertheless.
func requireTells(t *testing.T, v rules.Verdict, severity document.Severity, codes ...string) {
	t.Helper()
	require.Nil(t, v.Failure)
	require.Equal(t, codes, codesOf(v))
	for _, r := range v.Results {
		require.Equal(t, severity, r.Severity)
	}
}

func measured(v rules.Verdict, code string) string {
	i := slices.IndexFunc(v.Results, func(r document.RuleResult) bool { return r.Code == code })
	if i < 0 {
		return "not found: " + code
	}
	return v.Results[i].Measured
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	names, codes := map[string]bool{}, map[string]bool{}
	for i, r := range rules.Table() {
		require.Equal(t, fmt.Sprintf("R%02d", i+1), r.ID, "in order")
		require.False(t, names[r.Name], r.Name)
		names[r.Name] = true
		requireBothLanguages(t, r.Title)
		require.NotEmpty(t, r.Citation, r.ID)
		require.NotEmpty(t, r.Judges, r.ID)
		for _, c := range r.Codes {
			require.False(t, codes[c.Code], c.Code)
			codes[c.Code] = true
			requireBothLanguages(t, c.Remedy)
			require.Equal(t, c.Severity, flagship.Severity(c.Code))
			if c.Severity == document.Block {
				require.Contains(t, domain.Categories, c.Category, c.Code)
			}
		}
		for _, p := range r.Parameters(flagship) {
			require.NotEmpty(t, p.Name)
			require.NotEmpty(t, p.Value, p.Name)
		}
	}
	require.Len(t, names, 19)
}

func requireBothLanguages(t *testing.T, text rules.Text) {
	t.Helper()
	han := func(r rune) bool { return unicode.Is(unicode.Han, r) }
	require.NotEmpty(t, text.English)
	require.False(t, slices.ContainsFunc([]rune(text.English), han), text.English)
	require.True(t, slices.ContainsFunc([]rune(text.Chinese), han), text.Chinese)
}

// What the document itself decides of R02 says what the table says.
func TestListingConflictIsAsInTheTable(t *testing.T) {
	t.Parallel()
	id := domain.DocumentID{Source: "s", Resource: "r", ImageNumber: "1"}
	state := document.State{}
	for _, c := range []document.Command{document.Discover{ID: id, Batch: "B", Listed: document.Listed{Files: []document.ListedFile{{ID: "f"}}}}, document.ReportConflict{Batch: "B"}} {
		events, err := document.Decide(state, c)
		require.NoError(t, err)
		for _, e := range events {
			state = document.Evolve(state, e)
			if failed, ok := e.(document.Failed); ok {
				r := rules.Table()[1]
				require.Equal(t, r.ID, failed.Failure.Rule)
				require.Equal(t, r.Codes[0].Code, failed.Failure.Code)
				require.Equal(t, r.Codes[0].Category, failed.Failure.Category)
				require.Equal(t, r.Codes[0].Remedy.English, failed.Failure.Remedy)
				require.Equal(t, r.Codes[0].Retryable, failed.Failure.Retryable)
				return
			}
		}
	}
	require.Fail(t, "nothing failed")
}

// A profile softens what blocks, hardens what warns, and turns off.
func TestProfilesWeighWhatIsFound(t *testing.T) {
	t.Parallel()
	exe := rules.Found{Received: 1, Format: "x-msdownload", Digest: "h"}
	file := document.ListedFile{ID: "f", Hash: "h"}
	requireBlocks(t, rules.File(file, exe, flagship), "R05", "type-unsupported", domain.FormatMismatch)
	requireTells(t, rules.File(file, exe, with(rules.CodeSeverity{Code: "type-unsupported", Severity: document.Warn})), document.Warn, "type-unsupported")
	require.Empty(t, rules.File(file, exe, with(rules.CodeSeverity{Code: "type-unsupported", Severity: rules.Off})).Results)
	item := rules.Item{ID: domain.DocumentID{ImageNumber: "1"}, Listed: whole, Files: []document.ListedFile{{ID: "f", Class: document.Invoice}}}
	requireTells(t, rules.Document(item, flagship), document.Warn, "cover-missing")
	requireBlocks(t, rules.Document(item, with(rules.CodeSeverity{Code: "cover-missing", Severity: document.Block})), "R16", "cover-missing", domain.MissingField)
}

func TestCriteriaAreCompletedWithoutTouchingWhatWasGiven(t *testing.T) {
	t.Parallel()
	given := rules.Criteria{Severities: []rules.CodeSeverity{{Code: "size-large", Severity: "off"}, {Code: "cover-missing", Severity: "block"}}, DocumentTypes: rules.Mapping{{Source: "B", Target: "2"}, {Source: "A", Target: "1"}}}
	c := given.WithDefaults()
	require.Equal(t, "size-large", given.Severities[0].Code)
	require.Equal(t, "B", given.DocumentTypes[0].Source)
	require.Equal(t, "cover-missing", c.Severities[0].Code)
	require.Equal(t, []string{"heic"}, c.ToleratedTypes)
	require.NoError(t, c.Validate())
	require.Equal(t, c, c.WithDefaults(), "they stay so")
	target, known := c.DocumentTypes.Of("A")
	require.True(t, known)
	require.Equal(t, "1", target)
	_, known = c.DocumentTypes.Of("C")
	require.False(t, known)
	target, known = c.Organizations.Of("any")
	require.True(t, known, "nothing is mapped")
	require.Equal(t, "any", target)
}
