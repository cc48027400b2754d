package workers_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// bulk is an installation whose workers do nothing but bulk operations.
type bulk struct {
	*installationtest.Installation
	t      *testing.T
	number string // of a batch of the source "one"
}

func newBulk(t *testing.T) *bulk {
	i := installationtest.New(t)
	return &bulk{Installation: i, t: t, number: i.Batch(i.Source("one"))}
}

// onlyOperations are all the work that there is.
type onlyOperations struct{ commands.Worklist }

func (o onlyOperations) Claim(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	if wanted.Kind != commands.WorkOperate {
		return nil, nil
	}
	return o.Worklist.Claim(ctx, wanted)
}

// work starts the workers of a process, until the test stops them.
func (b *bulk) work(change ...func(*process)) (stop func()) {
	b.t.Helper()
	p := process{
		Ports: workers.Ports{Journal: b.Journal, Worklist: onlyOperations{postgres.NewWorklist(b.Pool)}, Selection: b.Selection, Waker: b.Waker, Now: time.Now},
		Settings: workers.Settings{
			Documents: 1, Lease: 5 * time.Second, MaxAttempts: maxAttempts, MinBackoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		},
	}
	for _, c := range change {
		c(&p)
	}
	installation, err := b.Journal.Installation(b.t.Context())
	require.NoError(b.t, err)
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	handler := commands.NewHandler(p.Journal, installation, "test", time.Now)
	go func() { done <- workers.New(handler, p.Ports, p.Settings, slog.New(slog.DiscardHandler)).Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("work: %v", err)
		}
	})
	b.t.Cleanup(stop)
	return stop
}

// ask for an operation on documents of the batch, and answer with its id.
func (b *bulk) ask(c operation.Request) string {
	b.t.Helper()
	c.Batch, c.Reason = b.number, "the source was mended"
	requested, _, err := b.Handler.RequestOperation(b.t.Context(), installationtest.Meta(), b.Selection, c)
	require.NoError(b.t, err)
	return requested.ID
}

func (b *bulk) retry() string {
	b.t.Helper()
	return b.ask(operation.Request{Kind: operation.Retry})
}

// until an operation is as it should be, as the view tells.
func (b *bulk) until(id, what string, reached func(projections.Operation) bool) (o projections.Operation) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		var err error
		o, err = projections.FindOperation(b.t.Context(), b.Pool, id)
		return err == nil && reached(o)
	}, patience, 5*time.Millisecond, "%s", what)
	return o
}

func (b *bulk) ended(id string) projections.Operation {
	b.t.Helper()
	return b.until(id, "the operation ends", func(o projections.Operation) bool { return o.Status.Ended() })
}

func (b *bulk) change(id string, c operation.Command) {
	b.t.Helper()
	_, err := b.Handler.ChangeOperation(b.t.Context(), installationtest.Meta(), id, nil, c)
	require.NoError(b.t, err)
}

func (b *bulk) onDocument(n int, command document.Command) wire.Position {
	b.t.Helper()
	result, err := b.Handler.ChangeDocument(b.t.Context(), installationtest.Meta(), b.number, installationtest.ID("one", n), nil, command)
	require.NoError(b.t, err)
	return result.Position
}

func (b *bulk) except(n int) wire.Position {
	b.t.Helper()
	return b.onDocument(n, document.ExceptDocument{Batch: b.number, Reason: "burnt", Evidence: "protocol 7"})
}

// advances of an operation, in order.
func (b *bulk) advances(id string) (pages []wire.Record) {
	b.t.Helper()
	for _, r := range b.Control(0) {
		if _, ok := r.Event.(operation.Advanced); ok && r.Metadata.OperationID == id {
			pages = append(pages, r)
		}
	}
	return pages
}

func (b *bulk) items(id string, outcome operation.Outcome) (items []operation.Item) {
	b.t.Helper()
	found, err := projections.OperationItems(b.t.Context(), b.Pool, projections.OperationItemFilter{Operation: id, Outcome: outcome, Limit: 1000})
	require.NoError(b.t, err)
	for _, i := range found {
		items = append(items, i.Item)
	}
	return items
}

func tallied(o projections.Operation) []int { return []int{o.Done, o.Changed, o.Refused, o.Left()} }

// racing is the real selection; something happens right after it has answered.
type racing struct {
	postgres.Selection
	then func()
}

func (r racing) ChosenAfter(ctx context.Context, choice operation.Choice, at wire.Position, after string, limit int) ([]string, error) {
	defer r.then()
	return r.Selection.ChosenAfter(ctx, choice, at, after, limit)
}

// watched is the real journal; something happens right after streams were loaded.
type watched struct {
	commands.Journal
	then func(streams []string)
}

func (w watched) Load(ctx context.Context, streams ...string) (map[string][]wire.Record, error) {
	defer w.then(streams)
	return w.Journal.Load(ctx, streams...)
}
