package standardimaging

import (
	"container/list"
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
)

// look is how often whoever waits asks whether it still may, and by which
// limits: an operator who changes them sees it at once.
const look = time.Second

// pace is how fast a source is read: as its settings allow at this time of the
// week, and slower while it is overloaded. It outlives the settings' changes.
type pace struct {
	mu       sync.Mutex
	plan     commands.Plan // the newest that is known
	zone     *time.Location
	limits   source.Limits // in force
	closed   time.Time     // until when no request is begun; zero: it is open
	looked   time.Time     // at the calendar
	adaptive adaptive
	busy     int
	waiting  list.List // of chan struct{}, which is closed when its turn has come
	requests *rate.Limiter
	bytes    *rate.Limiter
	replaced chan struct{} // closed when the limiters are others
}

// version of the plan that is followed.
func (p *pace) version() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plan.Version
}

func newPace(plan commands.Plan) *pace {
	p := &pace{replaced: make(chan struct{}), requests: rate.NewLimiter(rate.Inf, 0), bytes: rate.NewLimiter(rate.Inf, 0), adaptive: adaptive{allowed: firstConcurrency}}
	p.take(plan)
	return p
}

// follow takes over a plan, unless a newer one is known, and what holds at this
// time of the week.
func (p *pace) follow(plan commands.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if plan.Version > p.plan.Version {
		p.take(plan)
	} else if time.Since(p.looked) >= look {
		p.lookUp()
	}
}

func (p *pace) take(plan commands.Plan) {
	p.plan = plan
	zone, err := time.LoadLocation(plan.Settings.TimeZone)
	if err != nil {
		zone = time.UTC // commands checked the name: this machine's database lacks it
	}
	p.zone = zone
	p.lookUp()
}

// lookUp takes the limits of this time of the week.
func (p *pace) lookUp() {
	p.looked = time.Now()
	limits, closed := p.plan.Settings.LimitsAt(p.looked.In(p.zone))
	p.closed = closed
	if limits == p.limits {
		return
	}
	p.limits = limits
	p.adaptive.allowed = min(p.adaptive.allowed, float64(limits.Concurrency))
	p.requests = limiter(limits.RequestsPerSecond, 1)
	p.bytes = limiter(float64(limits.BytesPerSecond), minBurst)
	close(p.replaced)
	p.replaced = make(chan struct{})
	p.grant()
}

// minBurst of bytes, and the least that is read at once.
const minBurst = 1 << 10

// limiter lets a tenth of a second's worth through at once.
func limiter(perSecond float64, least int) *rate.Limiter {
	if perSecond == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(int(perSecond/10), least))
}

// concurrency that holds now.
func (p *pace) concurrency() int {
	return max(min(int(p.adaptive.allowed), p.limits.Concurrency), 1)
}

// grant gives turns to those who wait longest.
func (p *pace) grant() {
	for p.waiting.Len() > 0 && p.busy < p.concurrency() {
		p.busy++
		close(p.waiting.Remove(p.waiting.Front()).(chan struct{}))
	}
}

// saw takes in how a request went.
func (p *pace) saw(sent time.Time, refused, file bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.adaptive.saw(seen{sent: sent, came: time.Now(), refused: refused, file: file}, p.limits.Concurrency)
	p.grant()
}

// turn waits until a request may go out: concurrency first, then the rate. Then
// it asks whether the plan may still be read.
func (p *pace) turn(ctx context.Context, plan commands.Plan) (release func(), err error) {
	if err := p.queue(ctx, plan); err != nil {
		return nil, err
	}
	release = sync.OnceFunc(p.release)
	if err := p.another(ctx, plan); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// another is for a further request within a turn.
func (p *pace) another(ctx context.Context, plan commands.Plan) error {
	if err := p.pay(ctx, plan, 1, func() *rate.Limiter { return p.requests }); err != nil {
		return err
	}
	return p.ask(ctx, plan)
}

// ask tells whether the plan may be read now, and follows it.
func (p *pace) ask(ctx context.Context, plan commands.Plan) error {
	now, err := plan.Permitted(ctx)
	if err != nil {
		return err
	}
	p.follow(now)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.IsZero() {
		return nil
	}
	return closedUntil(p.closed)
}

// queue waits for a turn of the concurrency.
func (p *pace) queue(ctx context.Context, plan commands.Plan) error {
	granted := make(chan struct{})
	p.mu.Lock()
	place := p.waiting.PushBack(granted)
	p.grant()
	p.mu.Unlock()
	for {
		select {
		case <-granted:
			return nil
		case <-ctx.Done():
			p.leave(place, granted)
			return ctx.Err()
		case <-time.After(look):
			if err := p.ask(ctx, plan); err != nil {
				p.leave(place, granted)
				return err
			}
		}
	}
}

// leave gives up a place, and the turn if it has come just now.
func (p *pace) leave(place *list.Element, granted <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-granted:
		p.busy--
		p.grant()
	default:
		p.waiting.Remove(place)
	}
}

// present is what holds now: how much goes out, and why nothing does.
func (p *pace) present() commands.SourcePace {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := commands.SourcePace{Concurrency: p.concurrency(), Requests: p.busy, Waiting: p.waiting.Len()}
	if p.closed.After(time.Now()) {
		rest := closedUntil(p.closed)
		now.RestUntil, now.Rest = rest.Until, rest.Failure
	}
	return now
}

// closedUntil is a source that its own calendar closes.
func closedUntil(end time.Time) *commands.NotNow {
	return &commands.NotNow{Until: end, Failure: domain.Failure{
		Code: "source-closed", Category: domain.SourceThrottled, Stage: domain.StageFetch, Retryable: true,
		Detail: "the source's windows let no request begin until " + end.Format(time.RFC3339), Remedy: "Wait, or change the source's windows.",
	}}
}

func (p *pace) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	p.grant()
}

// received waits until bytes that have arrived are within the rate. The plan is
// asked for its limits alone: what is under way goes on.
func (p *pace) received(ctx context.Context, plan commands.Plan, n int) error {
	return p.pay(ctx, plan, n, func() *rate.Limiter { return p.bytes })
}

// most bytes that should be read at once.
func (p *pace) most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes.Limit() == rate.Inf {
		return 1 << 20
	}
	return p.bytes.Burst()
}

// pay waits for n tokens of a limiter, and begins anew when it is replaced.
func (p *pace) pay(ctx context.Context, plan commands.Plan, n int, of func() *rate.Limiter) error {
	for n > 0 {
		p.mu.Lock()
		bucket, replaced := of(), p.replaced
		p.mu.Unlock()
		if bucket.Limit() == rate.Inf {
			return nil
		}
		some := min(n, bucket.Burst())
		paid, err := p.reserve(ctx, plan, bucket.ReserveN(time.Now(), some), replaced)
		if err != nil {
			return err
		}
		if paid {
			n -= some
		}
	}
	return nil
}

// reserve waits for a reservation's time; it is void when the limiter is
// replaced.
func (p *pace) reserve(ctx context.Context, plan commands.Plan, r *rate.Reservation, replaced <-chan struct{}) (paid bool, err error) {
	due := time.Now().Add(r.Delay())
	for wait := time.Until(due); wait > 0; wait = time.Until(due) {
		select {
		case <-time.After(min(wait, look)):
		case <-replaced:
			return false, nil
		case <-ctx.Done():
			r.Cancel()
			return false, ctx.Err()
		}
		if now, err := plan.Permitted(ctx); err == nil {
			p.follow(now)
		}
	}
	return true, nil
}
