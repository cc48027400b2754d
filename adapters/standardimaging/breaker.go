package standardimaging

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// Bounds of a rest that the service did not name itself; it doubles from the
// first to the last.
const (
	firstRest = time.Second
	lastRest  = time.Minute
)

// breaker tells a service that is away from a document that cannot be had. When
// a request fails, something is asked for that is no document's: if that fails
// too, nobody's request is to blame, and the service is left alone for a while.
// Then one such probe goes first, and only when it is answered do the others
// follow.
type breaker struct {
	asking chan struct{} // held by whoever sends the probe

	mu       sync.Mutex
	rest     *commands.NotNow // nil: requests go out
	began    time.Time        // the rest
	length   time.Duration    // of the last rest
	answered time.Time        // when the latest request was sent that the service answered
}

func newBreaker() *breaker {
	return &breaker{asking: make(chan struct{}, 1)}
}

// probe asks for something that is no document's; nil: it was answered.
type probe func(context.Context) error

// admit lets a request through unless the service rests.
func (b *breaker) admit(ctx context.Context, ask probe) error {
	rest := b.resting()
	if rest == nil {
		return nil
	}
	if time.Now().Before(rest.Until) {
		return rest
	}
	select {
	case b.asking <- struct{}{}:
	default: // somebody is asking
		return &commands.NotNow{Until: time.Now().Add(firstRest), Failure: rest.Failure}
	}
	defer func() { <-b.asking }()
	return b.settle(ctx, ask)
}

// blame says whose failure it is that was just seen: the document's own, as it
// came, or that of a service which gives nothing to anybody. Those who fail
// together share what one of them finds out.
func (b *breaker) blame(ctx context.Context, failed *commands.SourceError, ask probe) error {
	at := time.Now()
	select {
	case b.asking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.asking }()
	if rest := b.resting(); rest != nil {
		return rest
	}
	if b.answeredSince(at) {
		return failed
	}
	if err := b.settle(ctx, ask); err != nil {
		return err
	}
	return failed
}

// settle sends a probe and takes in what it came to, and gives what keeps
// requests from going out.
func (b *breaker) settle(ctx context.Context, ask probe) error {
	sent := time.Now()
	err := ask(ctx)
	var failed *commands.SourceError
	if errors.As(err, &failed) {
		if gaveNothing(failed) {
			return b.leaveAlone(failed)
		}
		err = nil // it answers, if not as it should
	}
	if err == nil {
		b.worked(sent)
	}
	return err
}

// leaveAlone begins a rest, as long as the service asks for, or longer than the
// one before. Requests that fail together make it no longer than one does.
func (b *breaker) leaveAlone(failed *commands.SourceError) *commands.NotNow {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rest == nil || time.Now().After(b.rest.Until) {
		b.length = min(max(2*b.length, firstRest), lastRest)
	}
	b.began = time.Now()
	b.rest = &commands.NotNow{Until: b.began.Add(max(b.length, failed.RetryAfter)), Failure: failed.Failure}
	return b.rest
}

// worked: the service answered what was sent at a time. An answer that was on its
// way when a request failed says nothing of the time since: it ends no rest, and
// lays the blame on nobody.
func (b *breaker) worked(sent time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rest != nil && sent.Before(b.began) {
		return
	}
	b.rest, b.length = nil, 0
	if sent.After(b.answered) {
		b.answered = sent
	}
}

func (b *breaker) resting() *commands.NotNow {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rest
}

func (b *breaker) answeredSince(at time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.answered.After(at)
}

// gaveNothing tells that a service gave no answer, one of a fault of its own, or
// asked to be left alone: what an outage looks like, and an overload.
func gaveNothing(failed *commands.SourceError) bool {
	f := failed.Failure
	unanswered := f.HTTPStatus == 0 || f.HTTPStatus >= http.StatusInternalServerError
	return f.Category == domain.SourceThrottled || f.Category == domain.SourceUnavailable && unanswered
}
