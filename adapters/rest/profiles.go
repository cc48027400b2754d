package rest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/projections"
)

// ProfileSettings are what a target asks of documents and files, and which
// target it is. What is left out gets its default.
type ProfileSettings struct {
	Description    string          `json:"description,omitempty" maxLength:"2000" doc:"For people"`
	Types          []string        `json:"types,omitempty" nullable:"false" maxItems:"100" maxLength:"100" example:"[\"pdf\",\"ofd\",\"jpeg\"]" doc:"Accepted types of files, as their content is known by; by default pdf, ofd, xml, jpeg, png, tiff, bmp"`
	ToleratedTypes []string        `json:"toleratedTypes" required:"false" nullable:"false" maxItems:"100" maxLength:"100" doc:"Types that are taken with a warning; absent: heic; empty: none"`
	WarnBytes      int64           `json:"warnBytes,omitempty" doc:"Of a file, above which there is a warning; by default 12 MiB"`
	MaxBytes       int64           `json:"maxBytes,omitempty" doc:"Of a file at most, 4 GiB at most; by default 16 MiB. Where size-over-limit does not block, more is taken"`
	MinDPI         int             `json:"minDpi,omitempty" doc:"Resolution of a scan at least, 50 to 1200; by default 200"`
	Severities     []CodeSeverity  `json:"severities,omitempty" nullable:"false" maxItems:"100" doc:"Of findings that mean something else here than the table of rules says"`
	DocumentTypes  []Mapped        `json:"documentTypes,omitempty" nullable:"false" maxItems:"1500" doc:"Codes of document types at the source, and what they are called at the target. Absent: all are taken as they are; else one that is not here is refused (R04)"`
	Organizations  []Mapped        `json:"organizations,omitempty" nullable:"false" maxItems:"1500" doc:"The same of organisations"`
	Target         string          `json:"target,omitempty" maxLength:"100" doc:"archive (default), or flagship, where documents are filed besides"`
	FlagshipTarget *FlagshipTarget `json:"flagshipTarget,omitempty" doc:"Where that is; required when the target is flagship"`
}

// CodeSeverity is what a finding means under a profile.
type CodeSeverity struct {
	Code     string            `json:"code" maxLength:"100" example:"resolution-low"`
	Severity document.Severity `json:"severity" enum:"block,warn,info,off"`
}

// Mapped is a code of the source by its name at the target.
type Mapped struct {
	Source string `json:"source" maxLength:"100"`
	Target string `json:"target" maxLength:"100"`
}

// Profile is what a target asks of documents and files, in a version.
type Profile struct {
	Name    string `json:"name" example:"flagship"`
	BuiltIn bool   `json:"builtIn" doc:"It comes with the software; version 0 is as it came"`
	Version int    `json:"version"`
	ProfileSettings
	Reason    string     `json:"reason,omitempty" doc:"Why it was changed"`
	ChangedAt *time.Time `json:"changedAt,omitempty" doc:"Absent: it is as it came"`
	ChangedBy string     `json:"changedBy,omitempty"`
}

// NewProfile is a profile to be made.
type NewProfile struct {
	Name string `json:"name" maxLength:"64" example:"vouchers-300dpi" doc:"1 to 64 lower-case letters, digits and hyphens"`
	ProfileSettings
	Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"Why; it is kept in the audit log"`
}

// ProfileChange is what replaces a profile's settings.
type ProfileChange struct {
	ProfileSettings
	Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"Why; it is kept in the audit log"`
}

// ProfileMade answers the making of a profile.
type ProfileMade struct {
	Name string `json:"name"`
	Outcome
}

// profileOf a profile, of whose mapping those see their organisations who are
// restricted to some.
func profileOf(p projections.Profile, theirs domain.Organizations) Profile {
	s := p.Settings
	answer := Profile{
		Name: p.Name, BuiltIn: p.BuiltIn, Version: p.Version, Reason: p.Reason, ChangedBy: p.ChangedBy,
		ProfileSettings: ProfileSettings{
			Description: s.Description, Types: s.Types, ToleratedTypes: append([]string{}, s.ToleratedTypes...), WarnBytes: s.WarnBytes, MaxBytes: s.MaxBytes,
			MinDPI: s.MinDPI, Target: s.Target, FlagshipTarget: flagshipTargetOf(s.FlagshipTarget),
		},
	}
	for _, one := range s.Severities {
		answer.Severities = append(answer.Severities, CodeSeverity(one))
	}
	for _, one := range s.DocumentTypes {
		answer.DocumentTypes = append(answer.DocumentTypes, Mapped(one))
	}
	for _, one := range s.Organizations {
		if theirs.Has(one.Source) {
			answer.Organizations = append(answer.Organizations, Mapped(one))
		}
	}
	if !p.ChangedAt.IsZero() {
		answer.ChangedAt = &p.ChangedAt
	}
	return answer
}

func (s ProfileSettings) settings() profile.Settings {
	c := rules.Criteria{Types: s.Types, ToleratedTypes: s.ToleratedTypes, WarnBytes: s.WarnBytes, MaxBytes: s.MaxBytes, MinDPI: s.MinDPI}
	for _, one := range s.Severities {
		c.Severities = append(c.Severities, rules.CodeSeverity(one))
	}
	for _, one := range s.DocumentTypes {
		c.DocumentTypes = append(c.DocumentTypes, rules.Mapped(one))
	}
	for _, one := range s.Organizations {
		c.Organizations = append(c.Organizations, rules.Mapped(one))
	}
	return profile.Settings{Description: s.Description, Criteria: c, Target: s.Target, FlagshipTarget: s.FlagshipTarget.settings()}
}

// ProfileName is the part of inputs that name a profile.
type ProfileName struct {
	Name string `path:"name" maxLength:"64" doc:"Of the profile"`
}

const profilesView = "profiles"

func (s *server) registerProfiles() {
	const path, one = "/v1/profiles", "/v1/profiles/{name}"
	register(s, route{method: http.MethodPost, path: path, id: "createProfile", tag: "profiles", needs: writeProfiles, status: created,
		summary: "Make a profile", description: "It stays for good, since batches and outcomes name it."}, s.createProfile)
	register(s, route{method: http.MethodGet, path: path, id: "listProfiles", tag: "profiles", needs: readProfiles, reach: open,
		summary: "All profiles, by name"}, s.listProfiles)
	register(s, route{method: http.MethodGet, path: one, id: "getProfile", tag: "profiles", needs: readProfiles, reach: open,
		summary: "A profile"}, s.getProfile)
	register(s, route{method: http.MethodGet, path: one + "/versions", id: "listProfileVersions", tag: "profiles", needs: readProfiles, reach: open,
		summary: "What a profile was", description: "All its versions, the newest first. An outcome names the version by which it was judged."}, s.listProfileVersions)
	register(s, route{method: http.MethodPut, path: one, id: "changeProfile", tag: "profiles", needs: writeProfiles,
		summary: "Replace a profile's settings", description: "What is left out gets its default. Batches under way go on with the new settings within a second; what was judged before stays as it was judged."}, s.changeProfile)
}

func (s *server) createProfile(ctx context.Context, in *struct {
	Command
	Body NewProfile
}) (*made[ProfileMade], error) {
	others, err := projections.Profiles(ctx, s.Views)
	if err != nil {
		return nil, err
	}
	result, err := s.Handler.RegisterProfile(ctx, in.meta(ctx), profile.Register{Name: in.Body.Name, Settings: in.Body.settings(), Reason: in.Body.Reason, Others: len(others)})
	if err != nil {
		return nil, err
	}
	body := ProfileMade{Name: in.Body.Name, Outcome: outcomeOf(result)}
	return &made[ProfileMade]{Location: "/v1/profiles/" + url.PathEscape(body.Name), Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

func (s *server) listProfiles(ctx context.Context, in *struct{ After }) (*listed[Profile], error) {
	if err := s.waitFor(ctx, in.After, profilesView); err != nil {
		return nil, err
	}
	found, err := projections.Profiles(ctx, s.Views)
	return whole(found, func(p projections.Profile) Profile { return profileOf(p, restriction(ctx)) }), err
}

func (s *server) getProfile(ctx context.Context, in *struct {
	ProfileName
	After
}) (*read[Profile], error) {
	if err := s.waitFor(ctx, in.After, profilesView); err != nil {
		return nil, err
	}
	found, err := projections.FindProfile(ctx, s.Views, in.Name)
	return &read[Profile]{ETag: etag(found.Version), Body: profileOf(found, restriction(ctx))}, err
}

func (s *server) listProfileVersions(ctx context.Context, in *struct {
	ProfileName
	Paging
	After
}) (*listed[Profile], error) {
	last, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	before, _ := strconv.Atoi(last) // a key of this list, or none
	if err := s.waitFor(ctx, in.After, profilesView); err != nil {
		return nil, err
	}
	found, err := projections.ProfileVersions(ctx, s.Views, in.Name, before, in.more())
	return page(ctx, found, in.Paging, func(p projections.Profile) string { return strconv.Itoa(p.Version) }, func(p projections.Profile) Profile {
		return profileOf(p, restriction(ctx))
	}), err
}

func (s *server) changeProfile(ctx context.Context, in *struct {
	ProfileName
	Command
	MustMatch
	Body ProfileChange
}) (*done, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return doneOf(s.Handler.ReconfigureProfile(ctx, in.meta(ctx), in.Name, version, profile.Reconfigure{Settings: in.Body.settings(), Reason: in.Body.Reason}))
}
