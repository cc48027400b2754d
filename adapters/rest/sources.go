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
	AllowedNetworks        []string `json:"allowedNetworks,omitempty" nullable:"false" maxItems:"100" maxLength:"100" doc:"Private networks that the source may lie in, as 10.1.0.0/16"`
	CertificateAuthorities string   `json:"certificateAuthorities,omitempty" maxLength:"65536" doc:"Certificates in PEM of authorities that are trusted for this source beside the system's, 20 at most"`
	Profile                string   `json:"profile,omitempty" maxLength:"100" doc:"Target profile: flagship (default) or archive"`
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
		ID: s.ID, Status: status, SourceSettings: SourceSettings(s.Settings), Version: s.Version,
		RegisteredAt: s.RegisteredAt, ChangedAt: s.ChangedAt, ChangedBy: s.ChangedBy,
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
		summary: "Replace a source's settings", description: "What is left out gets its default. Batches under way go on with the new settings."}, s.changeSource)
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
		ID: in.Body.ID, Settings: source.Settings(in.Body.SourceSettings), Disabled: in.Body.Disabled,
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
	return doneOf(s.Handler.ReconfigureSource(ctx, in.meta(ctx), in.ID, version, source.Settings(in.Body)))
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
