package rest

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/projections"
)

// WebhookSettings are where events are sent, and which.
type WebhookSettings struct {
	URL             string   `json:"url" maxLength:"2000" example:"https://erp.example/waybill" doc:"Where the requests go: https, or http within allowedNetworks; without user, query and fragment"`
	Description     string   `json:"description,omitempty" maxLength:"2000" doc:"For people"`
	Types           []string `json:"types,omitempty" nullable:"false" maxLength:"100" maxItems:"100" example:"[\"waybill.batch.\",\"waybill.document.failed\"]" doc:"Only events of these types, with or without their version; one that ends with a dot is what types begin with. Absent: all"`
	Batches         []string `json:"batches,omitempty" nullable:"false" maxLength:"100" maxItems:"100" doc:"Only events of these batches, of their documents, listings and operations. Absent: all"`
	Organizations   []string `json:"organizations,omitempty" nullable:"false" maxLength:"100" maxItems:"1000" doc:"Only events of documents of these organisations, and nothing of which it is not known whose it is. Absent: all"`
	AllowedNetworks []string `json:"allowedNetworks,omitempty" nullable:"false" maxLength:"100" maxItems:"100" doc:"Private networks that the receiver may lie in, as 10.1.0.0/16"`
	SecretRefs      []string `json:"secretRefs" nullable:"false" maxLength:"1000" minItems:"1" maxItems:"4" example:"[\"file:/run/secrets/erp\"]" doc:"Where the workers find the secrets that requests are signed with, env:NAME or file:/path, with encrypted: in front when it is encrypted there; never a secret itself. Each is whsec_ and the base64 of 24 to 64 random bytes. Several: all sign, so that a receiver can change over"`
}

// Webhook tells a receiver of events.
type Webhook struct {
	ID     string `json:"id"`
	Status string `json:"status" enum:"enabled,disabled"`
	Reason string `json:"reason,omitempty" doc:"Why it was enabled or disabled, the last time"`
	WebhookSettings
	Start        string    `json:"start" example:"0:15,7:123" doc:"Position after which its events lie"`
	Version      int       `json:"version"`
	RegisteredAt time.Time `json:"registeredAt"`
	ChangedAt    time.Time `json:"changedAt"`
	ChangedBy    string    `json:"changedBy"`
}

// NewWebhook is a webhook to be made.
type NewWebhook struct {
	ID string `json:"id" maxLength:"64" example:"erp" doc:"1 to 64 lower-case letters, digits and hyphens; one that was ever used is not taken again"`
	WebhookSettings
}

// WebhookMade answers the making of a webhook.
type WebhookMade struct {
	ID string `json:"id"`
	Outcome
}

// WebhookTested answers the test of a webhook.
type WebhookTested struct {
	Delivery string `json:"delivery" example:"0:15" doc:"Id of the delivery of the test"`
	Outcome
}

func webhookOf(w projections.Webhook) Webhook {
	status := "disabled"
	if w.Enabled {
		status = "enabled"
	}
	s := w.Settings
	return Webhook{
		ID: w.ID, Status: status, Reason: w.Reason, WebhookSettings: WebhookSettings{
			URL: s.URL, Description: s.Description, Types: s.Types, Batches: s.Batches, Organizations: s.Organizations, AllowedNetworks: s.AllowedNetworks, SecretRefs: s.SecretRefs,
		},
		Start: w.Start.String(), Version: w.Version, RegisteredAt: w.RegisteredAt, ChangedAt: w.ChangedAt, ChangedBy: w.ChangedBy,
	}
}

func (s WebhookSettings) settings() webhook.Settings {
	return webhook.Settings{
		URL: s.URL, Description: s.Description, Types: s.Types, Batches: s.Batches, Organizations: s.Organizations, AllowedNetworks: s.AllowedNetworks, SecretRefs: s.SecretRefs,
	}
}

// WebhookID is the part of inputs that name a webhook.
type WebhookID struct {
	ID string `path:"id" maxLength:"64" doc:"Of the webhook"`
}

const (
	webhooksView = "webhooks"
	oneWebhook   = "/v1/webhooks/{id}"
)

func (s *server) registerWebhooks() {
	const path, tag = "/v1/webhooks", "webhooks"
	register(s, route{method: http.MethodPost, path: path, id: "createWebhook", tag: tag, needs: writeWebhooks, status: created,
		summary: "Make a webhook", description: "It is sent what happens from now on, each record as the event stream has it, signed as the Standard Webhooks specification says."}, s.createWebhook)
	register(s, route{method: http.MethodGet, path: path, id: "listWebhooks", tag: tag, needs: readWebhooks,
		summary: "All webhooks, by id"}, s.listWebhooks)
	register(s, route{method: http.MethodGet, path: oneWebhook, id: "getWebhook", tag: tag, needs: readWebhooks,
		summary: "A webhook"}, s.getWebhook)
	register(s, route{method: http.MethodPut, path: oneWebhook, id: "changeWebhook", tag: tag, needs: writeWebhooks,
		summary: "Replace a webhook's settings", description: "What waits to be sent is sent by the new settings, or withdrawn when they do not ask for it."}, s.changeWebhook)
	for _, c := range []struct {
		name, id, summary, description string
		command                        func(reason string) webhook.Command
	}{
		{"enable", "enableWebhook", "Enable a webhook", "It goes on from where it stood.", func(r string) webhook.Command { return webhook.Enable{Reason: r} }},
		{"disable", "disableWebhook", "Disable a webhook", "Nothing is sent until it is enabled again; what happens meanwhile is sent then. To begin anew instead, remove it and make another.", func(r string) webhook.Command { return webhook.Disable{Reason: r} }},
		{"remove", "removeWebhook", "Remove a webhook", "For good, with what waits to be sent.", func(r string) webhook.Command { return webhook.Remove{Reason: r} }},
	} {
		register(s, route{method: http.MethodPost, path: oneWebhook + "/" + c.name, id: c.id, tag: tag, needs: writeWebhooks, summary: c.summary, description: c.description},
			func(ctx context.Context, in *webhookCommand) (*done, error) {
				return doneOf(s.Handler.OnWebhook(ctx, in.meta(ctx), in.ID, in.version(), c.command(in.Body.Reason)))
			})
	}
	register(s, route{method: http.MethodPost, path: oneWebhook + "/test", id: "testWebhook", tag: tag, needs: writeWebhooks, status: accepted,
		summary: "Send a test event to a webhook", description: "waybill.webhook.tested, whatever else it asks for. Location names the delivery."}, s.testWebhook)
	s.registerDeliveries(tag)
}

func (s *server) createWebhook(ctx context.Context, in *struct {
	Command
	Body NewWebhook
}) (*made[WebhookMade], error) {
	heads, err := s.Journal.Heads(ctx)
	if err != nil {
		return nil, err
	}
	others, err := projections.Webhooks(ctx, s.Views)
	if err != nil {
		return nil, err
	}
	result, err := s.Handler.RegisterWebhook(ctx, in.meta(ctx), webhook.Register{ID: in.Body.ID, Settings: in.Body.settings(), Start: heads, Others: len(others)})
	if err != nil {
		return nil, err
	}
	body := WebhookMade{ID: in.Body.ID, Outcome: outcomeOf(result)}
	return &made[WebhookMade]{Location: "/v1/webhooks/" + url.PathEscape(body.ID), Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

func (s *server) listWebhooks(ctx context.Context, in *struct{ After }) (*listed[Webhook], error) {
	if err := s.waitFor(ctx, in.After, webhooksView); err != nil {
		return nil, err
	}
	found, err := projections.Webhooks(ctx, s.Views)
	return whole(found, webhookOf), err
}

func (s *server) getWebhook(ctx context.Context, in *struct {
	WebhookID
	After
}) (*read[Webhook], error) {
	if err := s.waitFor(ctx, in.After, webhooksView); err != nil {
		return nil, err
	}
	found, err := projections.FindWebhook(ctx, s.Views, in.ID)
	return &read[Webhook]{ETag: etag(found.Version), Body: webhookOf(found)}, err
}

func (s *server) changeWebhook(ctx context.Context, in *struct {
	WebhookID
	Command
	MustMatch
	Body WebhookSettings
}) (*done, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return doneOf(s.Handler.ReconfigureWebhook(ctx, in.meta(ctx), in.ID, version, in.Body.settings()))
}

// webhookCommand is a command on a webhook that needs nothing but a reason.
type webhookCommand struct {
	WebhookID
	Command
	IfMatch
	Body Reason
}

func (s *server) testWebhook(ctx context.Context, in *webhookCommand) (*made[WebhookTested], error) {
	result, err := s.Handler.OnWebhook(ctx, in.meta(ctx), in.ID, in.version(), webhook.Test{Reason: in.Body.Reason})
	if err != nil {
		return nil, err
	}
	body := WebhookTested{Delivery: result.Position.String(), Outcome: outcomeOf(result)} // the event is what is delivered
	return &made[WebhookTested]{Location: deliveryPath(in.ID, body.Delivery), Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}
