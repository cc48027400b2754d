package deliveries

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Send sends what is due until ctx ends.
func (d *Deliveries) Send(ctx context.Context) error {
	var group errgroup.Group
	free := make(chan struct{}, d.settings.Requests)
	d.untilDone(ctx, "sending to webhooks", func(ctx context.Context) (bool, error) {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return false, nil
		}
		first, err := d.claim(ctx)
		if first == nil {
			<-free
			return false, err
		}
		group.Go(func() error {
			defer func() { <-free }()
			d.sendFrom(ctx, first)
			return nil
		})
		return true, nil
	})
	return group.Wait()
}

// sendFrom goes on from one delivery to the next that is due, so that a lane
// goes as fast as its receiver takes it.
func (d *Deliveries) sendFrom(ctx context.Context, a *attempt) {
	for a != nil {
		err := a.make(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("a delivery was not settled, and is made again", "webhook", a.Webhook, "delivery", a.String(), "error", err)
		}
		if err != nil || ctx.Err() != nil {
			return
		}
		if a, err = d.claim(ctx); err != nil {
			return // which the loop finds too
		}
	}
}

// claim is not cut off when the process stops: a lane that was leased then
// would wait for the end of its lease.
func (d *Deliveries) claim(ctx context.Context) (*attempt, error) {
	all, err := d.hooks.all(ctx)
	if err != nil {
		return nil, err
	}
	ids := enabled(all)
	if len(ids) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.settings.Lease)
	defer cancel()
	claimed, err := d.Queue.Claim(ctx, d.Now(), ids, d.settings.PerWebhook, d.settings.Lease)
	if err != nil || claimed == nil {
		return nil, err
	}
	return &attempt{Deliveries: d, Claimed: *claimed, hook: all[claimed.Webhook]}, nil
}

// attempt at a delivery.
type attempt struct {
	*Deliveries
	Claimed
	hook   hook
	record wire.Record
	begun  time.Time
}

// make sends the record and records what became of it. What a process sees fail
// while it is being stopped says nothing: the lane is given back.
func (a *attempt) make(ctx context.Context) error {
	a.begun = a.Now()
	if err := a.read(ctx); err != nil {
		return errors.Join(err, a.Queue.Release(context.WithoutCancel(ctx), a.Claimed, a.begun.Add(a.settings.MinBackoff)))
	}
	if _, wanted := wants(a.hook.State, a.record); !wanted {
		return a.settle(ctx, Outcome{Status: Withdrawn, First: a.begun, At: a.begun, Error: "the webhook's settings no longer ask for this event"})
	}
	sent := time.Now()
	answer := a.send(ctx)
	if ctx.Err() != nil && answer.Error != "" {
		return a.Queue.Release(context.WithoutCancel(ctx), a.Claimed, a.begun)
	}
	ctx = context.WithoutCancel(ctx)
	outcome, disable, err := a.judge(ctx, answer)
	if err != nil {
		return err
	}
	outcome.Took = time.Since(sent)
	if err := a.settle(ctx, outcome); err != nil {
		return err
	}
	if disable != "" {
		return a.disable(ctx, disable)
	}
	if outcome.Status == Pending && answer.RetryAfter > 0 {
		return a.Queue.Pause(ctx, a.Webhook, a.begun.Add(a.asked(answer)))
	}
	return nil
}

func (a *attempt) send(ctx context.Context) Answer {
	ctx, cancel := context.WithTimeout(ctx, a.settings.Timeout)
	defer cancel()
	s := a.hook.Settings
	return a.Sender.Send(ctx, Request{URL: s.URL, Networks: s.AllowedNetworks, SecretRefs: s.SecretRefs, ID: a.EventID, At: a.begun, Body: a.record.Bytes})
}

func (a *attempt) read(ctx context.Context) error {
	found, err := a.Journal.Read(ctx, a.Partition, a.Offset-1, 1)
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].Offset != a.Offset {
		return fmt.Errorf("the journal has no record %s", a.ID)
	}
	a.record, err = wire.Decode(found[0].Bytes)
	return err
}

func (a *attempt) settle(ctx context.Context, o Outcome) error {
	if err := a.Queue.Settle(ctx, a.Claimed, o); err != nil {
		return err
	}
	a.Observed(a.Webhook, o)
	return nil
}

// judge says what an answer means for the delivery, and why the webhook is to
// be disabled when it is. A series of attempts that was interrupted, since the
// webhook was disabled, begins anew.
func (a *attempt) judge(ctx context.Context, answer Answer) (o Outcome, disable string, err error) {
	o = Outcome{Status: Delivered, First: a.begun, At: a.begun, HTTPStatus: answer.Status, Error: answer.Error}
	if a.First.After(a.hook.since) {
		o.First = a.First
	}
	if answer.Error == "" {
		return o, "", nil
	}
	last := o.First.Add(a.settings.Period)
	o.Status, o.Next = Pending, a.begun.Add(max(a.backoff(), a.asked(answer)))
	switch {
	case answer.Status == http.StatusGone:
		return o, "the receiver answered 410 Gone", nil
	case a.begun.Before(last):
		if o.Next.After(last) {
			o.Next = last
		}
		return o, "", nil
	}
	took, err := a.Queue.TookSince(ctx, a.Webhook, o.First)
	if took {
		o.Status, o.Next = Failed, time.Time{}
		return o, "", err
	}
	return o, fmt.Sprintf("the receiver took nothing for %s, delivery %s least of all: %s", a.settings.Period, a.ID, answer.Error), err
}

// asked is how long the receiver asked to be left alone.
func (a *attempt) asked(answer Answer) time.Duration {
	return min(answer.RetryAfter, a.settings.MaxBackoff)
}

// backoff doubles from the shortest, with jitter so that what failed together
// does not come back together.
func (a *attempt) backoff() time.Duration {
	doubled := float64(a.settings.MinBackoff) * math.Pow(2, float64(a.Attempts))
	wait := time.Duration(min(doubled, float64(a.settings.MaxBackoff)))
	return wait/2 + rand.N(wait/2+1)
}

// disable the webhook as it was when the attempt began: what it was answered
// before somebody enabled it again says nothing of what it is now.
func (a *attempt) disable(ctx context.Context, reason string) error {
	meta := wire.Metadata{
		Command: wire.Derive(a.record.ID, fmt.Sprintf("webhook %s attempt %d", a.Webhook, a.Attempts+1)), CausationID: a.record.ID.String(),
		CorrelationID: a.record.Metadata.CorrelationID, Actor: domain.SystemActor("webhooks"),
	}
	_, err := a.handler.OnWebhook(ctx, meta, a.Webhook, &a.hook.Version, webhook.Disable{Reason: reason})
	a.hooks.forget()
	var stale *commands.StaleVersion
	if errors.As(err, &stale) {
		return nil
	}
	if err == nil {
		a.log.Warn("a webhook was disabled", "webhook", a.Webhook, "reason", reason)
	}
	return err
}
