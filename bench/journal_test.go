// Package bench measures what Waybill is for beside the limit that the same
// machine shows in the same run, since machines are noisy: read the ratios.
package bench

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/journaltest"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// roundsPerBenchmark alternate the two sides, so that a change of the
// machine's speed meets both.
const roundsPerBenchmark = 4

// BenchmarkJournalAppend: events of about 500 bytes from 64 goroutines, beside
// a raw COPY of 5,000 rows a statement into the same table.
func BenchmarkJournalAppend(b *testing.B) {
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d-events-an-append", size), func(b *testing.B) {
			for b.Loop() {
				var journal, raw rate
				for range roundsPerBenchmark {
					journal.add(appendEvents(b, size, 2*time.Second))
					raw.add(copyRows(b, 2*time.Second))
				}
				b.ReportMetric(journal.perSecond(), "events/s")
				b.ReportMetric(raw.perSecond(), "copied/s")
				b.ReportMetric(journal.perSecond()/raw.perSecond(), "ratio")
			}
		})
	}
}

// rate adds up work and the time that it took.
type rate struct {
	n    int
	took time.Duration
}

func (r *rate) add(n int, took time.Duration) { r.n, r.took = r.n+n, r.took+took }

func (r *rate) perSecond() float64 { return float64(r.n) / r.took.Seconds() }

// appendEvents times the appends alone: their events are encoded beforehand,
// as the rows of the COPY are.
func appendEvents(b *testing.B, size int, atLeast time.Duration) (int, time.Duration) {
	pool := postgrestest.New(b)
	journal := postgres.NewJournal(pool)
	defer journal.Close()
	const writers = 64
	appended, took := 0, time.Duration(0)
	for streams := 0; took < atLeast; {
		appends := make(chan commands.Append, chunkEvents/size)
		for range cap(appends) {
			streams++
			appends <- commands.Append{Streams: []commands.StreamAppend{events500(b, fmt.Sprintf("document-s/r/%d", streams), size)}}
		}
		close(appends)
		begin := time.Now()
		var writing sync.WaitGroup
		for range writers {
			writing.Go(func() {
				for a := range appends {
					if _, err := journal.Append(b.Context(), a); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		writing.Wait()
		took += time.Since(begin)
		appended += chunkEvents / size * size
	}
	return appended, took
}

// chunkEvents are encoded before they are appended.
const chunkEvents = 25_600

// events500 makes an append of events whose records have about 500 bytes.
func events500(tb testing.TB, stream string, n int) commands.StreamAppend {
	events := make([]source.Event, n)
	for i := range events {
		events[i] = source.Enabled{Reason: filler}
	}
	drafts, err := commands.Drafts(wire.Metadata{Command: journaltest.Command()}, stream, 0, events)
	if err != nil {
		tb.Fatal(err)
	}
	return commands.StreamAppend{Stream: stream, Drafts: drafts}
}

var filler = strings.Repeat("r", 60)

// copyRows times the COPY alone: its rows are made beforehand.
func copyRows(b *testing.B, atLeast time.Duration) (int, time.Duration) {
	const statement = 5000
	pool := postgrestest.New(b)
	copied, took := 0, time.Duration(0)
	for took < atLeast {
		rows := make([][]any, statement)
		for i := range rows {
			n := copied + i
			stream := fmt.Sprintf("document-s/r/%d", n)
			draft := events500(b, stream, 1).Drafts[0]
			rows[i] = []any{int16(n % 17), int64(n), stream, int32(1), draft.ID, draft.Place(wire.Coordinates{Offset: int64(n), Version: 1})}
		}
		began := time.Now()
		copyStatement(b, pool, rows)
		took += time.Since(began)
		copied += statement
	}
	return copied, took
}

func copyStatement(b *testing.B, pool *pgxpool.Pool, rows [][]any) {
	columns := []string{"partition", "offset", "stream", "version", "event_id", "record"}
	if _, err := pool.CopyFrom(context.Background(), pgx.Identifier{"journal"}, columns, pgx.CopyFromRows(rows)); err != nil {
		b.Fatal(err)
	}
}
