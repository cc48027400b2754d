package verification

import (
	"context"
	"io/fs"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain/wire"
)

// pageSize is how many records of the journal are read at once.
const pageSize = 500

// Verifier checks one installation.
type Verifier struct {
	Journal  Journal
	Overview Overview
	Kafka    Kafka  // nil: not compared
	Views    Views  // nil: not compared
	Archive  fs.FS  // nil: not compared
	Target   string // the archive's name in events
	Sample   Sample
	// Progress is told how far each stage is, by several goroutines; nil: nobody.
	// The total is 0 where it is not known.
	Progress func(stage string, done, total int64)
}

// run is one verification.
type run struct {
	Verifier
	heads wire.Position
	total int64

	guards, offsets, kafka, records, streams, events, closure, overview, views, archive check

	shown   map[string]Counters // the overview's counters
	shownAt wire.Position
	batches map[string]*batchFold
	broken  int // streams that cannot be folded to their end
}

// Run checks everything. It fails only when not even the journal's heads can
// be read; what else could not be checked stands in the report.
func (v Verifier) Run(ctx context.Context) (Report, error) {
	r := &run{Verifier: v, batches: map[string]*batchFold{}}
	r.describe()
	// The overview is read before the heads: it cannot be ahead of them then.
	var err error
	if r.shown, r.shownAt, err = v.Overview.Batches(ctx); err != nil {
		r.overview.fail(err)
	}
	if r.heads, err = v.Journal.Heads(ctx); err != nil {
		return Report{}, err
	}
	for _, head := range r.heads {
		r.total += head
	}
	group := errgroup.Group{} // no walk is stopped by what another one meets
	group.Go(func() error { r.checkGuards(ctx); return nil })
	group.Go(func() error { r.walkOffsets(ctx); return nil })
	group.Go(func() error { r.compareKafka(ctx); return nil })
	group.Go(func() error { r.walkStreams(ctx); return nil })
	group.Go(func() error { r.compareViews(ctx); return nil })
	_ = group.Wait()
	report := Report{Coordinates: r.heads.String(), Events: r.total}
	for _, c := range r.checks() {
		report.Checks = append(report.Checks, c.result())
	}
	return report, ctx.Err()
}

func (r *run) checks() []*check {
	return []*check{&r.guards, &r.offsets, &r.records, &r.streams, &r.events, &r.kafka, &r.closure, &r.overview, &r.views, &r.archive}
}

const restore = "Keep PostgreSQL and Kafka as they are, and restore the journal from a backup; waybill recover puts back what Kafka has beyond it."

func (r *run) describe() {
	set := func(c *check, name, of, remedy string) { c.name, c.of, c.remedy = name, of, remedy }
	set(&r.guards, "journal guards", "guards", "Find out who took it away; then make it again as in adapters/postgres/migrations and verify again.")
	set(&r.offsets, "journal offsets", "records", restore)
	set(&r.records, "journal records", "records", restore)
	set(&r.streams, "stream versions", "streams", restore)
	set(&r.events, "events", "events", "Run the build that wrote it, or a newer one; if its bytes were changed: "+restore)
	set(&r.kafka, "kafka", "records", "If the journal is sound, stop the relay, delete the topic and start the relay: it refills it from the journal.")
	set(&r.closure, "closure", "batches", "Keep everything as it is and ask for help: the events of the batch contradict each other.")
	set(&r.overview, "overview", "batches", "Rebuild the view batches from the history.")
	set(&r.views, "views", "rows", "Find out who changed it; then waybill rebuild VIEW --accept-differences makes it what the history says.")
	set(&r.archive, "archive", "objects", "Restore the objects from a backup of the archive, the same bytes under the same keys; or record them as lost with waybill recover archive and retry their documents, which fetches them from the source again.")
}

func (r *run) checkGuards(ctx context.Context) {
	missing, err := r.Journal.Unguarded(ctx)
	r.guards.fail(err)
	for _, name := range missing {
		r.guards.wrongAt(name, "it is missing or switched off")
	}
}
