package commands

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// refusalsAlone are recorded of a person in a minute, one by one; further
	// ones are counted.
	refusalsAlone = 10
	// lastCountTimeout bounds what is recorded when the process ends.
	lastCountTimeout = 5 * time.Second
)

// Refusals bounds what is recorded of requests that were refused. They are of
// interest one by one, and whoever has a token can send as many as he likes:
// the control partition, which everybody reads, takes eleven records a minute
// of a person from a process at most.
type Refusals struct {
	handler *Handler
	log     *slog.Logger

	mu      sync.Mutex
	minutes map[minute]*refused
}

// minute of a person.
type minute struct {
	issuer, subject string
	at              int64
}

type refused struct {
	alone  int
	actor  domain.Actor
	count  access.RefusalsCounted // beyond those
	record wire.UUID              // the command that records the count
}

// NewRefusals makes one for a process.
func NewRefusals(handler *Handler, log *slog.Logger) *Refusals {
	return &Refusals{handler: handler, log: log, minutes: map[minute]*refused{}}
}

// Alone tells whether a person's refused request is to be recorded by itself;
// when it is not, it is counted.
func (r *Refusals) Alone(actor domain.Actor, code string) bool {
	now := r.handler.now().UTC()
	of := minute{actor.Issuer, actor.Subject, minuteOf(now)}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.minutes[of]
	if m == nil {
		m = &refused{actor: actor}
		r.minutes[of] = m
	}
	if m.alone < refusalsAlone {
		m.alone++
		return true
	}
	at := now.Format(time.RFC3339Nano)
	if m.count.Count == 0 {
		m.count.First, m.count.Codes = at, map[string]int{}
		_, _ = rand.Read(m.record[:]) // it ends the process rather than fail
	}
	m.count.Count++
	m.count.Codes[code]++
	m.count.Last = at
	return false
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// Run records the counts of each minute when it is over, and the last ones when
// ctx ends. What cannot be recorded is tried again with the next.
func (r *Refusals) Run(ctx context.Context) error {
	ticks := time.NewTicker(time.Minute)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			r.settle(ctx, minuteOf(r.handler.now()))
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCountTimeout)
			defer cancel()
			r.settle(last, minuteOf(r.handler.now())+1)
			return nil
		}
	}
}

// settle the minutes before one.
func (r *Refusals) settle(ctx context.Context, before int64) {
	for of, m := range r.over(before) {
		if err := r.handler.recordCount(ctx, m); err != nil {
			r.log.Error("refused requests were counted and not recorded; they will be", "subject", of.subject, "count", m.count.Count, "error", err)
			continue
		}
		r.mu.Lock()
		delete(r.minutes, of)
		r.mu.Unlock()
	}
}

// over are the minutes to be recorded; those with nothing to record are
// forgotten.
func (r *Refusals) over(before int64) map[minute]*refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.minutes, func(of minute, m *refused) bool { return of.at < before && m.count.Count == 0 })
	over := maps.Clone(r.minutes)
	maps.DeleteFunc(over, func(of minute, _ *refused) bool { return of.at >= before })
	return over
}

func (h *Handler) recordCount(ctx context.Context, m *refused) error {
	meta := wire.Metadata{Command: m.record, Actor: domain.SystemActor("refusals"), Initiator: m.actor}
	_, err := h.onAccess(ctx, meta, refusalStreams, m.record.String(), access.CountRefusals{RefusalsCounted: m.count})
	return err
}
