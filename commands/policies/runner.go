package policies

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Checkpoints keeps how far policies got: the offset of the last event in the
// control partition that a policy has handled.
type Checkpoints interface {
	// Begin gives a policy's checkpoint; for a policy that has none it sets one.
	Begin(ctx context.Context, policy string, head int64) (int64, error)
	// Load gives the checkpoint of a policy that has begun.
	Load(ctx context.Context, policy string) (int64, error)
	// Save moves a checkpoint forward; it never moves back.
	Save(ctx context.Context, policy string, offset int64) error
}

// History is where a policy reads what it was not brought.
type History interface {
	Read(ctx context.Context, partition int, after int64, limit int) ([]wire.Raw, error)
	Heads(ctx context.Context) (wire.Position, error)
}

const (
	// readLimit is how many missing records are read at once.
	readLimit = 200
	// eventTimeout bounds one try, so that waiting for a view that does not come
	// forward is shown as what keeps the policy.
	eventTimeout = 20 * time.Second
)

// Status of a policy in this process.
type Status struct {
	Policy string
	Offset int64     // of the last event handled, as far as this process knows
	Error  string    // what keeps it from going on; empty when nothing does
	Since  time.Time // of the error
}

// Runner takes events to a policy, each once and in order.
type Runner struct {
	policy      Policy
	checkpoints Checkpoints
	history     History
	log         *slog.Logger

	turn  sync.Mutex // events are handled one after the other
	stood int64      // where the policy was when Missed was last asked

	mu     sync.Mutex
	status Status
}

// NewRunner makes the runner of a policy. Begin comes before anything else.
func NewRunner(policy Policy, checkpoints Checkpoints, history History, log *slog.Logger) *Runner {
	return &Runner{policy: policy, checkpoints: checkpoints, history: history, log: log.With("policy", policy.Name), status: Status{Policy: policy.Name}}
}

// Name of the policy.
func (r *Runner) Name() string { return r.policy.Name }

// Status tells how far the policy is, and what keeps it from going on.
func (r *Runner) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Begin finds the policy's checkpoint. A policy that never ran begins at the
// journal's head: what happened before is none of its business.
func (r *Runner) Begin(ctx context.Context) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	heads, err := r.history.Heads(ctx)
	if err != nil {
		return r.ended(ctx, err)
	}
	at, err := r.checkpoints.Begin(ctx, r.policy.Name, heads[domain.ControlPartition])
	if err != nil {
		return r.ended(ctx, err)
	}
	r.stood = at
	r.reached(at)
	return nil
}

// Take handles a record of the control partition, after those before it that
// are missing. What was handled already, and what is no record of it, is
// dropped. When it fails, the record is to be taken again.
func (r *Runner) Take(ctx context.Context, record []byte) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	partition, offset, err := wire.Locate(record)
	if err != nil || partition != domain.ControlPartition {
		r.log.Warn("a message that is no record of the control partition is ignored", "error", err)
		return nil
	}
	defer r.panicked(ctx)
	return r.ended(ctx, r.upTo(ctx, offset, record))
}

// panicked shows a panic in the status and passes it on.
func (r *Runner) panicked(ctx context.Context) {
	if p := recover(); p != nil {
		r.log.Error("policy panicked", "panic", p, "stack", string(debug.Stack()))
		_ = r.ended(ctx, fmt.Errorf("panic: %v", p))
		panic(p)
	}
}

// ended notes what became of a step.
func (r *Runner) ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return err // being told to stop is no failure
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.status.Error, r.status.Since = "", time.Time{}
		return nil
	case r.status.Error == "":
		r.status.Since = time.Now()
	}
	r.status.Error = err.Error()
	r.log.Warn("policy cannot go on", "after", r.status.Offset, "error", err)
	return err
}

func (r *Runner) reached(offset int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Offset = offset
}

// upTo handles what follows the checkpoint up to a record. The checkpoint only
// ever moves forward, so what is behind the one last seen needs no look at it.
func (r *Runner) upTo(ctx context.Context, offset int64, record []byte) error {
	if offset <= r.Status().Offset {
		return nil
	}
	at, err := r.checkpoints.Load(ctx, r.policy.Name)
	if err != nil {
		return err
	}
	r.reached(at)
	for at < offset {
		next := [][]byte{record}
		if offset > at+1 {
			if next, err = r.missing(ctx, at, offset); err != nil {
				return err
			}
		}
		for _, bytes := range next {
			if err := r.handle(ctx, at+1, bytes); err != nil {
				return err
			}
			at++
			r.reached(at)
		}
	}
	return nil
}

// missing reads the records between two offsets, or the first of them.
func (r *Runner) missing(ctx context.Context, after, before int64) ([][]byte, error) {
	limit := min(before-after-1, readLimit)
	records, err := r.history.Read(ctx, domain.ControlPartition, after, int(limit))
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || records[0].Offset != after+1 {
		return nil, fmt.Errorf("the journal lacks what follows %d/%d", domain.ControlPartition, after)
	}
	bytes := make([][]byte, len(records))
	for i, raw := range records {
		bytes[i] = raw.Bytes
	}
	return bytes, nil
}

func (r *Runner) handle(ctx context.Context, offset int64, bytes []byte) error {
	record, err := wire.Decode(bytes)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	if err := r.policy.React(limited, record); err != nil {
		return fmt.Errorf("event %d/%d (%s): %w", domain.ControlPartition, offset, record.Type, err)
	}
	return r.checkpoints.Save(ctx, r.policy.Name, offset)
}

// Missed gives the journal's last control record when the policy stands before
// it and has not moved since this was asked before; else nil. Kafka's group
// offsets may be beyond records that were sent again to a topic made anew, and
// a topic may forget: then nothing else would bring them until the next event.
func (r *Runner) Missed(ctx context.Context) ([]byte, error) {
	at, err := r.checkpoints.Load(ctx, r.policy.Name)
	if err != nil {
		return nil, err
	}
	stood := r.stood
	r.stood = at
	heads, err := r.history.Heads(ctx)
	head := heads[domain.ControlPartition]
	if err != nil || at != stood || head <= at {
		return nil, err
	}
	records, err := r.history.Read(ctx, domain.ControlPartition, head-1, 1)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	return records[0].Bytes, nil
}
