// Package installationtest makes an installation without Kafka for tests: a
// journal in PostgreSQL, views that follow it, and what stands in a journal
// when policies have something to do.
package installationtest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// Installation that lasts as long as its test.
type Installation struct {
	T         *testing.T
	Pool      *pgxpool.Pool
	Journal   *postgres.Journal
	Waker     *postgres.Waker
	Handler   *commands.Handler
	Selection postgres.Selection
}

// New makes one in a schema of its own.
func New(t *testing.T) *Installation {
	t.Helper()
	pool := postgrestest.New(t)
	require.NoError(t, projections.Migrate(t.Context(), pool, projections.Views()...))
	ctx, stop := context.WithCancel(t.Context())
	i := &Installation{
		T: t, Pool: pool, Journal: postgres.NewJournal(pool), Waker: postgres.NewWaker(ctx, pool), Selection: postgres.NewSelection(pool),
	}
	id, err := i.Journal.Installation(ctx)
	require.NoError(t, err)
	i.Handler = commands.NewHandler(i.Journal, id, "test", time.Now)
	var followed sync.WaitGroup
	followed.Go(func() { i.follow(ctx) })
	t.Cleanup(func() {
		stop()
		followed.Wait()
		i.Journal.Close()
	})
	return i
}

// follow keeps the views up with the journal.
func (i *Installation) follow(ctx context.Context) {
	for ctx.Err() == nil {
		woken := i.Waker.Next()
		err := projections.Rebuild(ctx, i.Pool, i.Journal, slog.New(slog.DiscardHandler), projections.Views()...)
		if err != nil && projections.Transient(err) { // the feed tries again too
			continue
		}
		if err != nil && ctx.Err() == nil {
			i.T.Errorf("the views cannot follow: %v", err)
			return
		}
		select {
		case <-woken:
		case <-ctx.Done():
		}
	}
}

// Alice is the operator.
var Alice = domain.Actor{Kind: domain.Person, Issuer: "test", Subject: "alice", Roles: []string{"operator"}}

// Meta is that of a command of Alice's.
func Meta() wire.Metadata {
	return wire.Metadata{Command: wire.UUID(uuid.New()), CorrelationID: uuid.NewString(), Actor: Alice}
}

// Source registers a source and answers with its id.
func (i *Installation) Source(id string) string {
	i.T.Helper()
	_, err := i.Handler.RegisterSource(i.T.Context(), Meta(), source.Register{ID: id, Settings: source.Settings{ //nolint:gosec // names of secrets, none themselves
		Name: id, TokenURL: "http://127.0.0.1:1/token", DataURL: "http://127.0.0.1:1/data", ClientID: "client", SecretRef: "env:TEST_SECRET",
	}})
	require.NoError(i.T, err)
	return id
}

// Batch creates a batch of a source and answers with its number.
func (i *Installation) Batch(sourceID string) string {
	i.T.Helper()
	number, _, err := i.Handler.CreateBatch(i.T.Context(), Meta(), commands.NewBatch{Source: sourceID, Scope: batch.Scope{From: "2025-01-01", To: "2025-01-31"}})
	require.NoError(i.T, err)
	return number
}

// ID of a document that Fail makes.
func ID(sourceID string, n int) domain.DocumentID {
	return domain.DocumentID{Source: sourceID, Resource: "r", ImageNumber: fmt.Sprintf("IMG%06d", n)}
}

// Fail lists documents from <= n < to in a batch, fails them, and waits until
// the views show it.
func (i *Installation) Fail(sourceID, number string, from, to int) {
	i.T.Helper()
	i.fail(sourceID, number, from, to, document.FailAttempt{
		Failure: domain.Failure{Code: "bill-id-missing", Category: domain.MissingField, Stage: domain.StageValidate},
	})
}

// FailFiles does so by one of two files of each.
func (i *Installation) FailFiles(sourceID, number string, from, to int) {
	i.T.Helper()
	failure := domain.Failure{Code: "type-unsupported", Category: domain.FormatMismatch, Stage: domain.StageValidate, Rule: "R05", FileID: "f1"}
	i.fail(sourceID, number, from, to, document.FailAttempt{
		Failure: failure, Files: []document.FileOutcome{{ID: "f1", Class: document.Invoice, Name: "f1.pdf", Failure: &failure, Final: true}},
	}, document.ListedFile{ID: "f2", Class: document.Attachment, Sequence: 1, Name: "f2.pdf", Type: "pdf", Size: 1})
}

func (i *Installation) fail(sourceID, number string, from, to int, attempt document.FailAttempt, more ...document.ListedFile) {
	i.T.Helper()
	reached := wire.Position{}
	for ; from < to; from += 500 {
		w := i.Handler.Write(Meta())
		for n := from; n < min(from+500, to); n++ {
			require.NoError(i.T, commands.AddTo(w, ID(sourceID, n).Stream(), 0, i.failed(ID(sourceID, n), number, attempt, more)))
		}
		position, err := w.Append(i.T.Context())
		require.NoError(i.T, err)
		reached.Raise(position)
	}
	i.Shown(reached)
}

func (i *Installation) failed(id domain.DocumentID, number string, attempt document.FailAttempt, more []document.ListedFile) []document.Event {
	listed := document.Listed{
		Organization: "ORG1", DocumentType: "BILL", BillID: "B" + id.ImageNumber, BillNumber: id.ImageNumber, BillDate: "2025-01-02", Content: id.ImageNumber,
		Files: append([]document.ListedFile{{ID: "f1", Class: document.Invoice, Name: "f1.pdf", Type: "pdf", Size: 1}}, more...),
	}
	discovered, err := commands.Documents.Decide(document.State{}, document.Discover{ID: id, Batch: number, Slice: "2025-01", Listed: listed})
	require.NoError(i.T, err)
	state := document.State{}
	for _, e := range discovered {
		state = commands.Documents.Evolve(state, e)
	}
	attempt.Batch, attempt.Work, attempt.MaxAttempts = number, state.Batches[number].Work, 1
	failed, err := commands.Documents.Decide(state, attempt)
	require.NoError(i.T, err)
	return append(discovered, failed...)
}

// Shown waits until all views include a position; for ever they would when they
// cannot follow.
func (i *Installation) Shown(at wire.Position) {
	i.T.Helper()
	ctx, cancel := context.WithTimeout(i.T.Context(), 5*time.Minute)
	defer cancel()
	for _, view := range projections.Views() {
		require.NoError(i.T, projections.WaitFor(ctx, i.Pool, view.Name, at))
	}
}

// Head of the control partition.
func (i *Installation) Head() int64 {
	i.T.Helper()
	heads, err := i.Journal.Heads(i.T.Context())
	require.NoError(i.T, err)
	return heads[domain.ControlPartition]
}

// Control gives the records of the control partition after an offset.
func (i *Installation) Control(after int64) []wire.Record {
	i.T.Helper()
	raw, err := i.Journal.Read(i.T.Context(), domain.ControlPartition, after, 10_000)
	require.NoError(i.T, err)
	records := make([]wire.Record, len(raw))
	for n, r := range raw {
		records[n], err = wire.Decode(r.Bytes)
		require.NoError(i.T, err)
	}
	return records
}

// Phase of a batch, as the journal has it.
func (i *Installation) Phase(number string) batch.Phase {
	i.T.Helper()
	b, err := i.Handler.LoadBatch(i.T.Context(), number)
	require.NoError(i.T, err)
	return b.Phase()
}

// Retries counts how often each of a source's documents was asked to be
// retried, by count: {1: 30} says that 30 documents were, once each.
func (i *Installation) Retries(sourceID string, documents int) map[int]int {
	i.T.Helper()
	streams := make([]string, documents)
	for n := range streams {
		streams[n] = ID(sourceID, n).Stream()
	}
	loaded, err := i.Journal.Load(i.T.Context(), streams...)
	require.NoError(i.T, err)
	counted := map[int]int{}
	for _, records := range loaded {
		retries := 0
		for _, r := range records {
			if _, ok := r.Event.(document.RetryRequested); ok {
				retries++
			}
		}
		counted[retries]++
	}
	return counted
}
