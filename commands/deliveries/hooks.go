package deliveries

import (
	"context"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

// hookMemory is how old what is known of the webhooks may be.
const hookMemory = time.Second

// hook is a webhook and when it was last made to send.
type hook struct {
	webhook.State
	since time.Time
}

// hooks are the webhooks as the journal has them.
type hooks struct {
	queue   Queue
	journal Journal

	mu    sync.Mutex
	known map[string]hook
	until time.Time
}

// all webhooks by id, those among them that were removed and have something
// left.
func (h *hooks) all(ctx context.Context) (map[string]hook, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if now.Before(h.until) {
		return h.known, nil
	}
	known, err := h.load(ctx)
	if err != nil {
		return nil, err
	}
	h.known, h.until = known, now.Add(hookMemory)
	return known, nil
}

func (h *hooks) load(ctx context.Context) (map[string]hook, error) {
	ids, err := h.queue.Webhooks(ctx)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	streams := make([]string, len(ids))
	for i, id := range ids {
		streams[i] = domain.WebhookStream(id)
	}
	loaded, err := h.journal.Load(ctx, streams...)
	if err != nil {
		return nil, err
	}
	known := make(map[string]hook, len(ids))
	for i, id := range ids {
		records := loaded[streams[i]]
		state, err := commands.Webhooks.Fold(webhook.State{ID: id}, records)
		if err != nil {
			return nil, err
		}
		known[id] = hook{state, madeToSend(records)}
	}
	return known, nil
}

// madeToSend is when a webhook was enabled the last time.
func madeToSend(records []wire.Record) (at time.Time) {
	for _, r := range records {
		switch r.Event.(type) {
		case webhook.Registered, webhook.Enabled:
			at = r.Time
		}
	}
	return at
}

// forget what is known, since it has just been changed.
func (h *hooks) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until = time.Time{}
}

// enabled are the ids of those that requests are sent to.
func enabled(all map[string]hook) []string {
	var ids []string
	for id, w := range all {
		if w.Enabled {
			ids = append(ids, id)
		}
	}
	return ids
}
