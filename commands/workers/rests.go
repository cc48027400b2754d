package workers

import (
	"log/slog"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
)

// rests are the sources that as a whole give nothing for a while, and the archive
// when it does. Their work is not claimed meanwhile, so that it neither costs an attempt nor keeps workers
// from other sources; each process finds out by itself.
type rests struct {
	now commands.Clock
	log *slog.Logger

	mu    sync.Mutex
	until map[string]time.Time
}

// restAge is how long nobody looks whether a source still rests: it need not,
// when an operator has changed its windows or its URLs. To look costs a claim,
// and no request to a source that does rest.
const restAge = time.Second

// begin lets a source rest. It is logged once, however long it lasts.
func (r *rests) begin(source string, rest *commands.NotNow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = map[string]time.Time{}
	}
	if now := r.now(); now.Sub(r.until[source]) > time.Minute {
		r.log.Warn("nothing is to be had for now; the work waits", "of", source, "until", rest.Until, "why", rest.Failure.Error())
	}
	r.until[source] = rest.Until
	if again := r.now().Add(restAge); again.Before(rest.Until) {
		r.until[source] = again
	}
}

// sources that rest now.
func (r *rests) sources() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	sources := []string{}
	for source, until := range r.until {
		if r.now().Before(until) {
			sources = append(sources, source)
		}
	}
	return sources
}
