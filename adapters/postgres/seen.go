package postgres

import (
	"sync"

	"github.com/waybill-migration/waybill/domain/wire"
)

// acknowledged is the highest position that this process answered with: a
// head below it means that the database lost what it had committed.
type acknowledged struct {
	mu       sync.Mutex
	position wire.Position
}

func (a *acknowledged) raise(decided []decision) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.position == nil {
		a.position = wire.Position{}
	}
	for _, d := range decided {
		a.position.Raise(d.position)
	}
}

func (a *acknowledged) copy() wire.Position {
	a.mu.Lock()
	defer a.mu.Unlock()
	position := wire.Position{}
	position.Raise(a.position)
	return position
}
