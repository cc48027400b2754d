package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const (
	watching    = 500
	changes     = 20
	changeEvery = 700 * time.Millisecond // longer than two states of a batch are apart
)

// BenchmarkLive: one process tells 500 clients of a change: from when the
// command was acknowledged until each of them has the batch as it is then. The
// views follow the journal without Kafka (BenchmarkLatency has that part).
// Memory is of both sides of a connection, since the clients are here too.
func BenchmarkLive(b *testing.B) {
	pool := postgrestest.New(b)
	must(b, projections.Migrate(b.Context(), pool, projections.Views()...))
	journal := postgres.NewJournal(pool)
	b.Cleanup(journal.Close)
	ctx, stop := context.WithCancel(b.Context())
	var following sync.WaitGroup
	following.Go(func() { followJournal(ctx, b, pool, journal, postgres.NewWaker(ctx, pool)) })
	b.Cleanup(following.Wait)
	b.Cleanup(stop)
	handler := commands.NewHandler(journal, wire.UUID(uuid.New()), "bench", time.Now)
	_, err := handler.RegisterSource(ctx, person(), source.Register{ID: "hq", Settings: source.Settings{
		Name: "hq", TokenURL: "https://imaging.example/token", DataURL: "https://imaging.example/data", ClientID: "waybill", SecretRef: "env:X",
	}})
	must(b, err)
	number, made, err := handler.CreateBatch(ctx, person(), commands.NewBatch{Source: "hq", Scope: batch.Scope{From: "2024-01-01", To: "2024-01-31"}})
	must(b, err)
	must(b, projections.WaitFor(ctx, pool, "batches", made.Position))
	api := serveAPI(b, pool)
	for b.Loop() {
		before := inUse()
		seen := make(chan sighting, watching)
		for range watching {
			api.watch(b, "/v1/batches/"+number+"/live", seen)
		}
		seeAll(seen, made.Version)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(inUse()-before)/watching/1024, "KiB/client")
		var took []time.Duration
		due := time.Tick(changeEvery)
		for n := range changes {
			var command batch.Command = batch.Pause{Reason: "bench"}
			if n%2 == 1 {
				command = batch.Resume{Reason: "bench"}
			}
			<-due
			made, err = handler.ChangeBatch(ctx, person(), number, nil, command)
			must(b, err)
			acknowledged := time.Now()
			for _, at := range seeAll(seen, made.Version) {
				took = append(took, at.Sub(acknowledged))
			}
		}
		slices.Sort(took)
		b.ReportMetric(ms(took, 50), "p50-ms")
		b.ReportMetric(ms(took, 99), "p99-ms")
	}
}

// sighting of a batch's version.
type sighting struct {
	version int
	at      time.Time
}

// seeAll waits until all have seen a version, and tells when each did.
func seeAll(seen <-chan sighting, version int) (at []time.Time) {
	for len(at) < watching {
		if s := <-seen; s.version == version {
			at = append(at, s.at)
		}
	}
	return at
}

// watch by a bare connection, which takes little memory of its own.
func (s servedAPI) watch(b *testing.B, path string, seen chan<- sighting) {
	address := strings.TrimPrefix(s.base, "http://")
	connection, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", address)
	must(b, err)
	b.Cleanup(func() { _ = connection.Close() })
	_, err = fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, address, s.secret)
	must(b, err)
	go func() {
		told := bufio.NewReader(connection)
		for {
			line, err := told.ReadSlice('\n')
			if err != nil {
				return
			}
			if _, version, is := bytes.Cut(line, []byte(`"version":`)); is && bytes.HasPrefix(line, []byte("data: ")) {
				digits, _, _ := bytes.Cut(version, []byte(","))
				n, _ := strconv.Atoi(string(digits))
				seen <- sighting{n, time.Now()}
			}
		}
	}()
}

// inUse are the bytes that this process uses.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func person() wire.Metadata {
	return wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.Actor{Kind: domain.Person, Subject: "bench"}}
}
