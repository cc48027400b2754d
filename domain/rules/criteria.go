package rules

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Criteria are what a target profile asks of documents and files.
type Criteria struct {
	Types          []string `json:"types"`                    // accepted, by content (R05)
	ToleratedTypes []string `json:"toleratedTypes,omitempty"` // with a warning
	WarnBytes      int64    `json:"warnBytes"`                // of a file (R07)
	MaxBytes       int64    `json:"maxBytes"`
	MinDPI         int      `json:"minDpi"` // of a scan (R08)
	// Severities of codes that are not as the table of rules has them.
	Severities []CodeSeverity `json:"severities,omitempty"`
	// Mappings of the source's codes to the target's (R04). Empty: any code is
	// taken, and stays as it is.
	DocumentTypes Mapping `json:"documentTypes,omitempty"`
	Organizations Mapping `json:"organizations,omitempty"`
}

// CodeSeverity is what a finding means under a profile.
type CodeSeverity struct {
	Code     string            `json:"code"`
	Severity document.Severity `json:"severity"` // block, warn, info, off
}

// Mapping of codes.
type Mapping []Mapped

// Mapped is a code of the source by its name at the target.
type Mapped struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

// Of gives a code's name at the target: itself where nothing is mapped.
func (m Mapping) Of(code string) (target string, known bool) {
	if len(m) == 0 {
		return code, true
	}
	for _, one := range m {
		if one.Source == code {
			return one.Target, true
		}
	}
	return "", false
}

func (m Mapping) knows(code string) bool {
	_, known := m.Of(code)
	return known
}

// Default values of criteria.
const (
	defaultWarnBytes = 12 << 20
	defaultMaxBytes  = 16 << 20
	defaultMinDPI    = 200
)

var (
	defaultTypes     = []string{"pdf", "ofd", "xml", "jpeg", "png", "tiff", "bmp"}
	defaultTolerated = []string{"heic"}
)

// WithDefaults are the criteria as they are kept. No list of tolerated types is
// the default; an empty one tolerates none.
func (c Criteria) WithDefaults() Criteria {
	if len(c.Types) == 0 {
		c.Types = slices.Clone(defaultTypes)
	}
	if c.ToleratedTypes == nil {
		c.ToleratedTypes = slices.Clone(defaultTolerated)
	}
	c.WarnBytes = cmp.Or(c.WarnBytes, defaultWarnBytes)
	c.MaxBytes = cmp.Or(c.MaxBytes, defaultMaxBytes)
	c.MinDPI = cmp.Or(c.MinDPI, defaultMinDPI)
	// In order, and as they are read back.
	c.Severities = slices.SortedFunc(slices.Values(c.Severities), func(a, b CodeSeverity) int { return cmp.Compare(a.Code, b.Code) })
	c.DocumentTypes, c.Organizations = c.DocumentTypes.sorted(), c.Organizations.sorted()
	if len(c.ToleratedTypes) == 0 {
		c.ToleratedTypes = nil
	}
	return c
}

func (m Mapping) sorted() Mapping {
	return slices.SortedFunc(slices.Values(m), func(a, b Mapped) int { return cmp.Compare(a.Source, b.Source) })
}

// Severity of what a code names.
func (c Criteria) Severity(code string) document.Severity {
	if severity, given := c.given(code); given {
		return severity
	}
	return codes[code].Severity
}

func (c Criteria) given(code string) (severity document.Severity, given bool) {
	for _, one := range c.Severities {
		if one.Code == code {
			return one.Severity, true
		}
	}
	return "", false
}

// Limits of criteria.
const (
	maxTypes    = 100
	maxMapped   = 1500 // so that the record of a profile holds both mappings
	maxCode     = 100  // bytes
	lowestDPI   = 50
	highestDPI  = 1200
	maxTypeName = 100 // bytes
)

var validType = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*$`)

// Validate refuses criteria that cannot be, naming the field.
func (c Criteria) Validate() error {
	for _, list := range []struct {
		field string
		types []string
	}{{"types", c.Types}, {"toleratedTypes", c.ToleratedTypes}} {
		if err := validateTypes(list.field, list.types); err != nil {
			return err
		}
	}
	switch {
	case c.WarnBytes < 1 || c.WarnBytes > MaxSize:
		return domain.RefuseInvalid("warnBytes", "out-of-range", "warnBytes is 1 to %d, got %d", int64(MaxSize), c.WarnBytes)
	case c.MaxBytes < c.WarnBytes || c.MaxBytes > MaxSize:
		return domain.RefuseInvalid("maxBytes", "out-of-range", "maxBytes is warnBytes (%d) to %d, got %d", c.WarnBytes, int64(MaxSize), c.MaxBytes)
	case c.MinDPI < lowestDPI || c.MinDPI > highestDPI:
		return domain.RefuseInvalid("minDpi", "out-of-range", "minDpi is %d to %d, got %d; to ask for none, set resolution-low to off", lowestDPI, highestDPI, c.MinDPI)
	}
	if err := c.validateSeverities(); err != nil {
		return err
	}
	if err := c.DocumentTypes.validate("documentTypes"); err != nil {
		return err
	}
	return c.Organizations.validate("organizations")
}

func validateTypes(field string, types []string) error {
	if len(types) > maxTypes {
		return domain.RefuseInvalid(field, "too-many", "%s are %d at most, got %d", field, maxTypes, len(types))
	}
	seen := map[string]bool{}
	for _, t := range types {
		if len(t) > maxTypeName || !validType.MatchString(t) {
			return domain.RefuseInvalid(field, "file-type-invalid", "%q is not the name of a type as content is known by, such as pdf, jpeg or msword", domain.TruncateTo(t, maxTypeName))
		}
		if seen[t] {
			return domain.RefuseInvalid(field, "code-repeated", "%s names %s twice", field, t)
		}
		seen[t] = true
	}
	return nil
}

var severities = []document.Severity{document.Block, document.Warn, document.Info, Off}

func (c Criteria) validateSeverities() error {
	const field = "severities"
	seen := map[string]bool{}
	for _, s := range c.Severities {
		code, known := codes[s.Code]
		switch {
		case !known:
			return domain.RefuseInvalid(field, "rule-code-unknown", "no rule has the code %q; GET /v1/rules lists those that there are", domain.TruncateTo(s.Code, maxCode))
		case seen[s.Code]:
			return domain.RefuseInvalid(field, "code-repeated", "%s names %s twice", field, s.Code)
		case !slices.Contains(severities, s.Severity):
			return domain.RefuseInvalid(field, "choice-unknown", "%q is not one of block, warn, info, off", domain.TruncateTo(string(s.Severity), maxCode))
		case code.Fixed && s.Severity != code.Severity:
			return domain.RefuseInvalid(field, "severity-fixed", "%s (%s) has the severity %s under every profile: with another, what is wrong would count as right", s.Code, code.rule, code.Severity)
		case code.Harmless && s.Severity == document.Block:
			return domain.RefuseInvalid(field, "severity-fixed", "%s (%s) never blocks: it is an estimate", s.Code, code.rule)
		}
		seen[s.Code] = true
	}
	return nil
}

func (m Mapping) validate(field string) error {
	if len(m) > maxMapped {
		return domain.RefuseInvalid(field, "too-many", "%s maps %d codes at most, got %d", field, maxMapped, len(m))
	}
	seen := map[string]bool{}
	for _, one := range m {
		for _, code := range []string{one.Source, one.Target} {
			if code == "" || len(code) > maxCode {
				return domain.RefuseInvalid(field, "code-invalid", "each code of %s has 1 to %d bytes, got %q", field, maxCode, domain.TruncateTo(code, maxCode))
			}
		}
		if seen[one.Source] {
			return domain.RefuseInvalid(field, "code-repeated", "%s maps %q twice", field, one.Source)
		}
		seen[one.Source] = true
	}
	return nil
}
