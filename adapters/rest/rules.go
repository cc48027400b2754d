package rest

import (
	"context"
	"net/http"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/projections"
)

// RuleTable is all validation rules, as profiles have them.
type RuleTable struct {
	RuleSet string `json:"ruleSet" example:"2" doc:"Version of the rules; each outcome names it"`
	Items   []Rule `json:"items" nullable:"false"`
}

// Rule is a validation rule.
type Rule struct {
	ID         string        `json:"id" example:"R08"`
	Name       string        `json:"name" example:"resolution-low"`
	Title      Text          `json:"title"`
	Judges     rules.Subject `json:"judges" enum:"listing,document,content,arrival" doc:"What it looks at: the listing of a slice, a document and its files as listed, a file's bytes, or what arrived"`
	Citation   string        `json:"citation"`
	Findings   []Finding     `json:"findings" nullable:"false" doc:"What it can find; none: it exempts from other rules"`
	Parameters []Parameter   `json:"parameters" nullable:"false"`
}

// Text in both languages.
type Text struct {
	English string `json:"en"`
	Chinese string `json:"zh"`
}

// Finding is what a rule can find.
type Finding struct {
	Code       string            `json:"code" example:"resolution-low"`
	Category   domain.Category   `json:"category,omitempty" doc:"Of the failure, where it blocks"`
	Retryable  bool              `json:"retryable" doc:"It is tried again by itself"`
	Fixed      bool              `json:"fixed" doc:"No profile may change its severity"`
	Remedy     Text              `json:"remedy"`
	Severities []ProfileSeverity `json:"severities" nullable:"false"`
}

// ProfileSeverity is what a finding means under a profile.
type ProfileSeverity struct {
	Profile  string            `json:"profile"`
	Severity document.Severity `json:"severity" enum:"block,warn,info,off"`
}

// Parameter of a rule.
type Parameter struct {
	Name   string           `json:"name" example:"minDpi"`
	Values []ProfileSetting `json:"values" nullable:"false"`
}

// ProfileSetting is a parameter as a profile has it.
type ProfileSetting struct {
	Profile string `json:"profile"`
	Value   string `json:"value"`
}

func (s *server) registerRules() {
	register(s, route{method: http.MethodGet, path: "/v1/rules", id: "listRules", tag: "profiles", needs: readProfiles, reach: open,
		summary: "The validation rules", description: "All of them, by id, with what each means under every profile, or under one."}, s.listRules)
}

func (s *server) listRules(ctx context.Context, in *struct {
	Profile string `query:"profile" maxLength:"64" doc:"Only as this profile has them"`
	After
}) (*struct{ Body RuleTable }, error) {
	if err := s.waitFor(ctx, in.After, profilesView); err != nil {
		return nil, err
	}
	profiles, err := s.profilesNamed(ctx, in.Profile)
	if err != nil {
		return nil, err
	}
	body := RuleTable{RuleSet: rules.Version, Items: []Rule{}}
	for _, r := range rules.Table() {
		body.Items = append(body.Items, ruleOf(r, profiles))
	}
	return &struct{ Body RuleTable }{body}, nil
}

// profilesNamed is one, or all when none is named.
func (s *server) profilesNamed(ctx context.Context, name string) ([]projections.Profile, error) {
	if name == "" {
		return projections.Profiles(ctx, s.Views)
	}
	one, err := projections.FindProfile(ctx, s.Views, name)
	return []projections.Profile{one}, err
}

func ruleOf(r rules.Rule, profiles []projections.Profile) Rule {
	rule := Rule{ID: r.ID, Name: r.Name, Title: Text(r.Title), Judges: r.Judges, Citation: r.Citation, Findings: []Finding{}, Parameters: []Parameter{}}
	for _, c := range r.Codes {
		finding := Finding{Code: c.Code, Category: c.Category, Retryable: c.Retryable, Fixed: c.Fixed, Remedy: Text(c.Remedy), Severities: []ProfileSeverity{}}
		for _, p := range profiles {
			finding.Severities = append(finding.Severities, ProfileSeverity{Profile: p.Name, Severity: p.Settings.Severity(c.Code)})
		}
		rule.Findings = append(rule.Findings, finding)
	}
	for _, p := range profiles {
		for i, parameter := range r.Parameters(p.Settings.Criteria) {
			if i == len(rule.Parameters) {
				rule.Parameters = append(rule.Parameters, Parameter{Name: parameter.Name})
			}
			rule.Parameters[i].Values = append(rule.Parameters[i].Values, ProfileSetting{Profile: p.Name, Value: parameter.Value})
		}
	}
	return rule
}
