package commands

import (
	"time"

	"github.com/waybill-migration/waybill/domain"
)

// SourcePace is how fast a process reads a source now.
type SourcePace struct {
	Source      string
	Process     string
	Concurrency int            // requests at once that it makes at most: what the settings allow, less while the source is overloaded
	Requests    int            // under way
	Waiting     int            // for their turn
	RestUntil   time.Time      // the source gives nothing before; zero: it does not rest
	Rest        domain.Failure // why
	SeenAt      time.Time
}
