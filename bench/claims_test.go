package bench

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/projections"
)

const (
	claimable   = 1_000_000 // documents pending of a batch
	claimSize   = 100
	claimsTaken = 500
	underWay    = 10 // claims
)

// BenchmarkClaims: claims of a hundred documents out of a million of a batch, of
// one organisation and of 200 that take turns, beside the bare writing of as many
// leases.
func BenchmarkClaims(b *testing.B) {
	for b.Loop() {
		one, many, leases := claims(b, 1), claims(b, 200), bareLeases(b)
		b.ReportMetric(one.perSecond(), "documents/s")
		b.ReportMetric(many.perSecond(), "of-200-organisations/s")
		b.ReportMetric(one.perSecond()/leases.perSecond(), "ratio-to-leases")
		b.ReportMetric(many.perSecond()/leases.perSecond(), "of-200-ratio-to-leases")
	}
}

func claims(b *testing.B, organizations int) (claimed rate) {
	pool := worklistDatabase(b)
	execute(b, pool, `INSERT INTO worklist_batches (number, source, created, pending) VALUES ('B', 'hq', true, $1)`, claimable)
	execute(b, pool, `INSERT INTO worklist_documents (stream, batch, version, due, organization)
		SELECT 'document-hq/erp/IMG-' || n, 'B', 1, timestamptz '2025-01-01' + n * interval '1 ms', 'ORG-' || n % $2::int FROM generate_series(1, $1::int) n`, claimable, organizations)
	execute(b, pool, `VACUUM ANALYZE worklist_documents`)
	w := postgres.NewWorklist(pool)
	var held [][]commands.Work
	for range claimsTaken {
		began := time.Now()
		works, err := w.Claim(b.Context(), commands.WorkWanted{Kind: commands.WorkMigrate, Holder: "bench", Limit: claimSize, Lease: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		claimed.add(len(works), time.Since(began))
		if held = append(held, works); len(held) > underWay {
			settle(b, pool, held[0])
			held = held[1:]
		}
	}
	return claimed
}

// settle does with the rows what the view does when their documents are migrated.
func settle(b *testing.B, pool *pgxpool.Pool, works []commands.Work) {
	streams := make([]string, len(works))
	for i, work := range works {
		streams[i] = work.Stream
	}
	execute(b, pool, `DELETE FROM worklist_documents WHERE batch = 'B' AND stream = ANY ($1)`, streams)
}

func bareLeases(b *testing.B) (written rate) {
	pool := worklistDatabase(b)
	began := time.Now()
	for i := range claimsTaken {
		execute(b, pool, `INSERT INTO leases (stream, version, holder, until)
			SELECT 'document-hq/erp/IMG-' || n || '@B', 1, 'bench', now() + interval '1 hour' FROM generate_series($1::int, $2::int) n`, i*claimSize, (i+1)*claimSize-1)
	}
	written.add(claimsTaken*claimSize, time.Since(began))
	return written
}

func worklistDatabase(b *testing.B) *pgxpool.Pool {
	pool := postgrestest.New(b)
	if err := projections.Migrate(b.Context(), pool, projections.Views()...); err != nil {
		b.Fatal(err)
	}
	return pool
}
