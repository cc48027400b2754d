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

// above finds a partition in which more was acknowledged than there is.
func (a *acknowledged) above(heads map[int]int64) (partition int, seen int64, found bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for partition, head := range heads {
		if a.position[partition] > head {
			return partition, a.position[partition], true
		}
	}
	return 0, 0, false
}

// settle takes heads as they are, after the comparison with Kafka.
func (a *acknowledged) settle(heads wire.Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for partition, seen := range a.position {
		a.position[partition] = min(seen, heads[partition])
	}
}
