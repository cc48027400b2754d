package rest

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/projections"
)

// SourceSettings are how documents are read from a source. What is left out
// gets its default.
type SourceSettings struct {
	Name                   string   `json:"name" maxLength:"400" doc:"For people"`
	Kind                   string   `json:"kind,omitempty" maxLength:"100" example:"standard-imaging" doc:"The source system; standard-imaging is the one that is supported"`
	TokenURL               string   `json:"tokenUrl,omitempty" maxLength:"2000" doc:"Token request URL; needed to enable the source"`
	DataURL                string   `json:"dataUrl,omitempty" maxLength:"2000" doc:"Data request URL; needed to enable the source"`
	ClientID               string   `json:"clientId,omitempty" maxLength:"400"`
	SecretRef              string   `json:"secretRef,omitempty" maxLength:"1000" example:"env:WAYBILL_SOURCE_SECRET" doc:"Where the workers find the client secret, env:NAME or file:/path, with encrypted: in front when it is encrypted there; never the secret itself"`
	SignAlgorithm          string   `json:"signAlgorithm,omitempty" maxLength:"100" doc:"md5 (default), sha256 or hmac-sha256"`
	TimestampUnit          string   `json:"timestampUnit,omitempty" maxLength:"100" doc:"ms (default) or s"`
	HashAlgorithm          string   `json:"hashAlgorithm,omitempty" maxLength:"100" doc:"Of fileHash: md5 (default), sha1, sha256 or sm3"`
	TimeZone               string   `json:"timeZone,omitempty" maxLength:"100" example:"Asia/Shanghai" doc:"In which dates of a scope are days"`
	PageSize               int      `json:"pageSize,omitempty" doc:"Items a listed page, 1 to 1000; 100 by default"`
	Concurrency            int      `json:"concurrency,omitempty" doc:"Requests at once, 1 to 1000; 64 by default"`
	RequestsPerSecond      float64  `json:"requestsPerSecond,omitempty" doc:"0: no limit"`
	BytesPerSecond         int64    `json:"bytesPerSecond,omitempty" doc:"Of files, all together; 0: no limit, else 1024 at least"`
	Windows                []Window `json:"windows,omitempty" nullable:"false" maxItems:"50" doc:"Parts of the week in which other limits hold, such as working hours; where two overlap, the first holds"`
	AllowedNetworks        []string `json:"allowedNetworks,omitempty" nullable:"false" maxItems:"100" maxLength:"100" doc:"Private networks that the source may lie in, as 10.1.0.0/16"`
	CertificateAuthorities string   `json:"certificateAuthorities,omitempty" maxLength:"65536" doc:"Certificates in PEM of authorities that are trusted for this source beside the system's, 20 at most"`
	Profile                string   `json:"profile,omitempty" maxLength:"100" doc:"Target profile: flagship (default) or archive"`
}

// Window is a part of the week with limits of its own. What is left out is as
// outside of it.
type Window struct {
	Days              []string `json:"days" nullable:"false" minItems:"1" maxItems:"7" maxLength:"3" example:"[\"mon\",\"tue\"]" doc:"On which it begins: mon, tue, wed, thu, fri, sat, sun"`
	From              string   `json:"from" maxLength:"5" example:"08:30" doc:"In the source's time zone"`
	To                string   `json:"to" maxLength:"5" example:"18:00" doc:"24:00 is the day's end; one that is not after from is on the next day"`
	Closed            bool     `json:"closed,omitempty" doc:"No request is begun; what is under way is finished"`
	Concurrency       int      `json:"concurrency,omitempty" doc:"1 to 1000"`
	RequestsPerSecond float64  `json:"requestsPerSecond,omitempty"`
	BytesPerSecond    int64    `json:"bytesPerSecond,omitempty" doc:"1024 at least"`
}

// Source is a plan from which documents are read (数据源).
type Source struct {
	ID     string `json:"id"`
	Status string `json:"status" enum:"enabled,disabled"`
	SourceSettings
	Version      int       `json:"version"`
	RegisteredAt time.Time `json:"registeredAt"`
	ChangedAt    time.Time `json:"changedAt"`
	ChangedBy    string    `json:"changedBy"`
}

// NewSource is a source to be made.
type NewSource struct {
	ID       string `json:"id" maxLength:"64" example:"standard-2024" doc:"1 to 64 lower-case letters, digits and hyphens"`
	Disabled bool   `json:"disabled,omitempty" doc:"Make it disabled, without its URLs if they are not known yet"`
	SourceSettings
}

// SourceMade answers the making of a source.
type SourceMade struct {
	ID string `json:"id"`
	Outcome
}

func sourceOf(s projections.Source) Source {
	status := "disabled"
	if s.Enabled {
		status = "enabled"
	}
	return Source{
		ID: s.ID, Status: status, SourceSettings: settingsOf(s.Settings), Version: s.Version,
		RegisteredAt: s.RegisteredAt, ChangedAt: s.ChangedAt, ChangedBy: s.ChangedBy,
	}
}

func settingsOf(s source.Settings) SourceSettings {
	windows := make([]Window, len(s.Windows))
	for i, w := range s.Windows {
		windows[i] = Window(w)
	}
	return SourceSettings{
		Name: s.Name, Kind: s.Kind, TokenURL: s.TokenURL, DataURL: s.DataURL, ClientID: s.ClientID, SecretRef: s.SecretRef,
		SignAlgorithm: s.SignAlgorithm, TimestampUnit: s.TimestampUnit, HashAlgorithm: s.HashAlgorithm, TimeZone: s.TimeZone, PageSize: s.PageSize,
		Concurrency: s.Concurrency, RequestsPerSecond: s.RequestsPerSecond, BytesPerSecond: s.BytesPerSecond, Windows: windows,
		AllowedNetworks: s.AllowedNetworks, CertificateAuthorities: s.CertificateAuthorities, Profile: s.Profile,
	}
}

func (s SourceSettings) settings() source.Settings {
	windows := make([]source.Window, len(s.Windows))
	for i, w := range s.Windows {
		windows[i] = source.Window(w)
	}
	return source.Settings{
		Name: s.Name, Kind: s.Kind, TokenURL: s.TokenURL, DataURL: s.DataURL, ClientID: s.ClientID, SecretRef: s.SecretRef,
		SignAlgorithm: s.SignAlgorithm, TimestampUnit: s.TimestampUnit, HashAlgorithm: s.HashAlgorithm, TimeZone: s.TimeZone, PageSize: s.PageSize,
		Concurrency: s.Concurrency, RequestsPerSecond: s.RequestsPerSecond, BytesPerSecond: s.BytesPerSecond, Windows: windows,
		AllowedNetworks: s.AllowedNetworks, CertificateAuthorities: s.CertificateAuthorities, Profile: s.Profile,
	}
}

// SourceID is the part of inputs that name a source.
type SourceID struct {
	ID string `path:"id" maxLength:"64" doc:"Of the source"`
}

const sourcesView = "sources"

func (s *server) registerSources() {
	const path, one = "/v1/sources", "/v1/sources/{id}"
	register(s, route{method: http.MethodPost, path: path, id: "createSource", tag: "sources", needs: writeSources, status: created,
		summary: "Make a source"}, s.createSource)
	register(s, route{method: http.MethodGet, path: path, id: "listSources", tag: "sources", needs: readSources, reach: open,
		summary: "All sources, by id"}, s.listSources)
	register(s, route{method: http.MethodGet, path: one, id: "getSource", tag: "sources", needs: readSources, reach: open,
		summary: "A source"}, s.getSource)
	register(s, route{method: http.MethodPut, path: one, id: "changeSource", tag: "sources", needs: writeSources,
		summary: "Replace a source's settings", description: "What is left out gets its default. Batches under way go on with the new settings: limits hold within a second."}, s.changeSource)
	register(s, route{method: http.MethodPost, path: one + "/enable", id: "enableSource", tag: "sources", needs: writeSources,
		summary: "Enable a source", description: "Its batches that were held go on."}, s.enableSource)
	register(s, route{method: http.MethodPost, path: one + "/disable", id: "disableSource", tag: "sources", needs: writeSources,
		summary: "Disable a source", description: "No batch can be made of it, its running batches are held, and no further request is sent to it."}, s.disableSource)
}

func (s *server) createSource(ctx context.Context, in *struct {
	Command
	Body NewSource
}) (*made[SourceMade], error) {
	result, err := s.Handler.RegisterSource(ctx, in.meta(ctx), source.Register{
		ID: in.Body.ID, Settings: in.Body.settings(), Disabled: in.Body.Disabled,
	})
	if err != nil {
		return nil, err
	}
	body := SourceMade{ID: in.Body.ID, Outcome: outcomeOf(result)}
	return &made[SourceMade]{Location: "/v1/sources/" + url.PathEscape(body.ID), Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

func (s *server) listSources(ctx context.Context, in *struct{ After }) (*listed[Source], error) {
	if err := s.waitFor(ctx, in.After, sourcesView); err != nil {
		return nil, err
	}
	sources, err := projections.Sources(ctx, s.Views)
	return whole(sources, sourceOf), err
}

func (s *server) getSource(ctx context.Context, in *struct {
	SourceID
	After
}) (*read[Source], error) {
	if err := s.waitFor(ctx, in.After, sourcesView); err != nil {
		return nil, err
	}
	found, err := projections.FindSource(ctx, s.Views, in.ID)
	return &read[Source]{ETag: etag(found.Version), Body: sourceOf(found)}, err
}

func (s *server) changeSource(ctx context.Context, in *struct {
	SourceID
	Command
	MustMatch
	Body SourceSettings
}) (*done, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return doneOf(s.Handler.ReconfigureSource(ctx, in.meta(ctx), in.ID, version, in.Body.settings()))
}

// sourceCommand is a command on a source that needs nothing but a reason.
type sourceCommand struct {
	SourceID
	Command
	IfMatch
	Body Reason
}

func (s *server) enableSource(ctx context.Context, in *sourceCommand) (*done, error) {
	return doneOf(s.Handler.EnableSource(ctx, in.meta(ctx), in.ID, in.version(), in.Body.Reason))
}

func (s *server) disableSource(ctx context.Context, in *sourceCommand) (*done, error) {
	return doneOf(s.Handler.DisableSource(ctx, in.meta(ctx), in.ID, in.version(), in.Body.Reason))
}
