package deliveries

import (
	"context"
	"log/slog"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Settings of the deliveries of a process.
type Settings struct {
	Requests   int           // at once
	PerWebhook int           // at once to one webhook, of all processes
	Timeout    time.Duration // of a request
	Lease      time.Duration // how long a killed process's request waits; longer than the timeout
	MinBackoff time.Duration // before the second attempt; it doubles from there
	MaxBackoff time.Duration // at most between two attempts
	Period     time.Duration // from the first attempt to the last
	MaxWaiting int           // deliveries of a webhook before nothing more is placed
}

// Usual settings: about 18 attempts in three days.
var Usual = Settings{
	Requests: 16, PerWebhook: 4, Timeout: 15 * time.Second, Lease: time.Minute,
	MinBackoff: 5 * time.Second, MaxBackoff: 12 * time.Hour, Period: 72 * time.Hour, MaxWaiting: 100_000,
}

// Status of a delivery.
type Status string

const (
	Pending   Status = "pending"
	Delivered Status = "delivered"
	Failed    Status = "failed"
	Withdrawn Status = "withdrawn" // the webhook no longer wants it
)

// Placed is a record that a webhook wants.
type Placed struct {
	ID
	EventID wire.UUID
	Type    string
	Lane    string
}

// Step moves a webhook on: from a position to another, with what lies between.
type Step struct {
	Webhook  string
	From, To wire.Position
	Placed   []Placed // in the order in which they are to be sent
	Retried  []ID     // those that failed and are to be tried again
}

// Claimed is a delivery whose lane is leased.
type Claimed struct {
	Placed
	Lease    string    // names it; of an older lease nothing is recorded
	Attempts int       // until now
	First    time.Time // attempt of this series; zero before it
}

// Outcome of an attempt.
type Outcome struct {
	Status     Status    // Pending: it is tried again
	First      time.Time // attempt of its series
	At         time.Time
	Next       time.Time // when it is pending
	HTTPStatus int       // 0: no answer
	Took       time.Duration
	Error      string
}

// Entry of the log of deliveries.
type Entry struct {
	Placed
	Place      int64 // among those of the webhook
	PlacedAt   time.Time
	Status     Status
	Attempts   int
	First      *time.Time // attempt of the present series
	Last       *time.Time
	Next       *time.Time // nil as well while it waits for those ahead of it
	HTTPStatus int        // of the last attempt; 0: no answer
	Took       time.Duration
	Error      string
}

// Queue keeps the deliveries, beside the journal.
type Queue interface {
	// Webhooks gives the ids of all that may have something to do.
	Webhooks(ctx context.Context) ([]string, error)
	// Begin gives a webhook's position; one that has none is at the start.
	Begin(ctx context.Context, webhook string, start wire.Position) (wire.Position, error)
	// Place makes a step at a time, or none of it: moved is false when the
	// webhook is not where the step begins.
	Place(ctx context.Context, step Step, now time.Time) (moved bool, err error)
	// Waiting counts a webhook's pending deliveries, up to a limit.
	Waiting(ctx context.Context, webhook string, limit int) (int, error)
	// Claim leases a lane whose first delivery is due, of one of the webhooks
	// of which fewer than perWebhook lanes are leased; nil when there is none.
	Claim(ctx context.Context, now time.Time, webhooks []string, perWebhook int, lease time.Duration) (*Claimed, error)
	// Settle records the outcome of an attempt and gives the lane back; when
	// the lease is another's by now, it does nothing.
	Settle(ctx context.Context, c Claimed, o Outcome) error
	// Release gives the lane back without an attempt, due at a time.
	Release(ctx context.Context, c Claimed, due time.Time) error
	// Pause sends nothing to a webhook before a time.
	Pause(ctx context.Context, webhook string, until time.Time) error
	// TookSince tells whether a webhook took anything at or after a time.
	TookSince(ctx context.Context, webhook string, at time.Time) (bool, error)
	// Forget what a removed webhook has waiting.
	Forget(ctx context.Context, webhook string) error
}

// Journal is where records are read.
type Journal interface {
	Heads(ctx context.Context) (wire.Position, error)
	Load(ctx context.Context, streams ...string) (map[string][]wire.Record, error)
	Read(ctx context.Context, partition int, after int64, limit int) ([]wire.Raw, error)
	Stretch(ctx context.Context, partition int, after, upTo int64, bytes int) ([]wire.Raw, error)
}

// Request to a receiver.
type Request struct {
	URL        string
	Networks   []string // private ones that it may go to
	SecretRefs []string
	ID         wire.UUID // of the event
	At         time.Time
	Body       []byte
}

// Answer of a receiver, or why there is none.
type Answer struct {
	Status     int // of HTTP; 0: none
	RetryAfter time.Duration
	Error      string // empty when the request was taken; no secret, no query
}

// Sender sends requests.
type Sender interface {
	Send(ctx context.Context, r Request) Answer
}

// Waker tells when the journal may have grown.
type Waker interface{ Next() <-chan struct{} }

// Ports that deliveries work through.
type Ports struct {
	Queue   Queue
	Journal Journal
	Sender  Sender
	Waker   Waker
	Now     commands.Clock
	// Observed is told of each attempt.
	Observed func(webhook string, o Outcome)
}

// Deliveries of a process.
type Deliveries struct {
	Ports
	settings Settings
	handler  *commands.Handler
	hooks    *hooks
	log      *slog.Logger
}

// New makes the deliveries of a process. Place is to run in one process at a
// time, Send in as many as there are.
func New(handler *commands.Handler, ports Ports, settings Settings, log *slog.Logger) *Deliveries {
	return &Deliveries{Ports: ports, settings: settings, handler: handler, log: log, hooks: &hooks{queue: ports.Queue, journal: ports.Journal}}
}

// Bounds of the interval at which an idle loop looks for something to do, as
// workers have them. A loop that was woken looks soon and then less and less
// often, since the queue follows the journal closely.
const (
	minLook = 10 * time.Millisecond
	maxLook = 500 * time.Millisecond
)

// untilDone repeats a step until ctx ends, and waits while it finds nothing.
func (d *Deliveries) untilDone(ctx context.Context, what string, step func(context.Context) (found bool, err error)) {
	look := minLook
	for ctx.Err() == nil {
		woken := d.Waker.Next()
		found, err := step(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn(what+" is tried again", "error", err)
			look = maxLook
		}
		if found && err == nil {
			look = minLook
			continue
		}
		select {
		case <-woken:
			look = minLook
		case <-time.After(look):
		case <-ctx.Done():
		}
		look = min(2*look, maxLook)
	}
}
