package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Bounds of the interval at which a waiting reader looks again. Views may be
// kept up by another process, so the database is what both can see.
const (
	minLook = 2 * time.Millisecond
	maxLook = 50 * time.Millisecond
)

// Late: a view has not reached a position in time.
type Late struct {
	View     string
	Position wire.Position // that it has reached
}

func (l *Late) Error() string {
	return fmt.Sprintf("the view %s has only reached %s; repeat the request, or read without after", l.View, l.Position)
}

// WaitFor returns when a view includes everything up to a position; a *Late
// when ctx ends before.
func WaitFor(ctx context.Context, q Querier, view string, position wire.Position) error {
	for look := minLook; ; look = min(2*look, maxLook) {
		at, err := Position(ctx, q, view)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil && at.Reached(position) {
			return nil
		}
		select {
		case <-ctx.Done():
			return &Late{View: view, Position: at}
		case <-time.After(look):
		}
	}
}
