package commands

import (
	"context"
	"slices"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Webhooks is the aggregate of webhooks.
var Webhooks = Aggregate[webhook.State, webhook.Command, webhook.Event]{webhook.Decide, webhook.Evolve}

// RegisterWebhook makes a webhook known.
func (h *Handler) RegisterWebhook(ctx context.Context, meta wire.Metadata, c webhook.Register) (Result, error) {
	if err := knownTypes(c.Settings.Types); err != nil {
		return Result{}, err
	}
	return h.OnWebhook(ctx, meta, c.ID, nil, c)
}

// ReconfigureWebhook replaces a webhook's settings.
func (h *Handler) ReconfigureWebhook(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, settings webhook.Settings) (Result, error) {
	if err := knownTypes(settings.Types); err != nil {
		return Result{}, err
	}
	return h.OnWebhook(ctx, meta, id, ifMatch, webhook.Reconfigure{Settings: settings})
}

// OnWebhook decides any other command on a webhook.
func (h *Handler) OnWebhook(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, c webhook.Command) (Result, error) {
	target := Target[webhook.State]{Stream: domain.WebhookStream(id), Initial: webhook.State{ID: id}, IfMatch: ifMatch}
	return Execute(ctx, h, meta, Webhooks, target, c)
}

// knownTypes refuses types of which there is no event, which a webhook would
// wait for in vain. The domain cannot know their names: they are of all its
// aggregates.
func knownTypes(asked []string) error {
	for _, one := range asked {
		if !slices.ContainsFunc(wire.Types(), webhook.Settings{Types: []string{one}}.WantsType) {
			return domain.RefuseInvalid("types", "type-unknown", "%q is not an event; /schemas/index.json names those that there are", domain.TruncateTo(one, 100))
		}
	}
	return nil
}
