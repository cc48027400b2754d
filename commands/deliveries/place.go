package deliveries

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// stretchRecords and stretchBytes bound what is read of a partition at once.
	stretchRecords = 500
	stretchBytes   = 1 << 20
	// pace is how often the journal is looked at at most, however much is
	// appended.
	pace = 100 * time.Millisecond
)

// Place puts into the queue what webhooks are to be sent, until ctx ends.
func (d *Deliveries) Place(ctx context.Context) error {
	d.untilDone(ctx, "placing what webhooks are sent", func(ctx context.Context) (bool, error) {
		placed, err := d.placeAll(ctx)
		if placed && err == nil {
			select {
			case <-time.After(pace):
			case <-ctx.Done():
			}
		}
		return placed, err
	})
	return nil
}

// placeAll moves each webhook on by a step; one that cannot be moved keeps none
// of the others from it.
func (d *Deliveries) placeAll(ctx context.Context) (moved bool, err error) {
	all, err := d.hooks.all(ctx)
	if err != nil || len(all) == 0 {
		return false, err
	}
	heads, err := d.Journal.Heads(ctx)
	if err != nil {
		return false, err
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		w := all[id].State
		if w.Removed {
			if err := d.Queue.Forget(ctx, id); err != nil {
				return moved, err
			}
			continue
		}
		if !w.Enabled {
			continue
		}
		stepped, stepErr := d.placeOne(ctx, w, heads)
		moved = moved || stepped
		if stepErr != nil {
			err = fmt.Errorf("webhook %s: %w", id, stepErr)
		}
	}
	return moved, err
}

// placeOne makes a step towards the heads.
func (d *Deliveries) placeOne(ctx context.Context, w webhook.State, heads wire.Position) (bool, error) {
	at, err := d.Queue.Begin(ctx, w.ID, w.Start)
	if err != nil || at.Reached(heads) {
		return false, err
	}
	waiting, err := d.Queue.Waiting(ctx, w.ID, d.settings.MaxWaiting)
	if err != nil || waiting >= d.settings.MaxWaiting {
		return false, err
	}
	records, err := d.read(ctx, at, heads)
	if err != nil {
		return false, err
	}
	step, err := stepOver(w, at, records)
	if err != nil {
		return false, err
	}
	return d.Queue.Place(ctx, step, d.Now())
}

// read gives what follows a position, in order of time.
func (d *Deliveries) read(ctx context.Context, at, heads wire.Position) ([]wire.Raw, error) {
	var stretches []stretch
	for partition := range domain.Partitions {
		after, head := at[partition], heads[partition]
		if after >= head {
			continue
		}
		records, err := d.Journal.Stretch(ctx, partition, after, min(head, after+stretchRecords), stretchBytes)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			return nil, fmt.Errorf("the journal lacks what follows %d:%d", partition, after)
		}
		stretches = append(stretches, stretch{records: records, whole: records[len(records)-1].Offset >= head})
	}
	return merge(stretches)
}

// stepOver says what records mean to a webhook.
func stepOver(w webhook.State, at wire.Position, records []wire.Raw) (Step, error) {
	step := Step{Webhook: w.ID, From: at, To: maps.Clone(at)}
	own := domain.WebhookStream(w.ID)
	for _, raw := range records {
		step.To[raw.Partition] = raw.Offset
		name, err := wire.NameOf(raw.Bytes)
		if err != nil {
			return step, err
		}
		if raw.Stream != own && !w.Settings.WantsType(name) {
			continue // without decoding it, as most are
		}
		record, err := wire.Decode(raw.Bytes)
		if err != nil {
			return step, err
		}
		if retry, ok := record.Event.(webhook.RetryRequested); ok && raw.Stream == own {
			if id, err := ParseID(w.ID, retry.Delivery); err == nil { // else it names none that there can be
				step.Retried = append(step.Retried, id)
			}
		}
		if lane, wanted := wants(w, record); wanted {
			step.Placed = append(step.Placed, Placed{
				ID: ID{w.ID, raw.Partition, raw.Offset}, EventID: record.ID, Type: record.Type, Lane: lane,
			})
		}
	}
	return step, nil
}
