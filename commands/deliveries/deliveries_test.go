package deliveries_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

func TestANewWebhookIsToldOfWhatComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.Batch("sim")
	w.start(quick)
	w.hook("erp")
	after := w.Batch("sim")
	w.events(before, 1)

	w.settled("erp", deliveries.Delivered, 3)
	got := w.receiver.got("erp")
	require.Len(t, got, 3)
	byType := map[string]message{}
	for _, m := range got {
		require.Equal(t, m.record.ID.String(), m.id)
		byType[m.record.Type] = m
		stored, err := w.Journal.Read(t.Context(), m.record.Partition, m.record.Offset-1, 1)
		require.NoError(t, err)
		require.Equal(t, stored[0].Bytes, m.record.Bytes, "byte for byte")
	}
	require.Equal(t, domain.WebhookStream("erp"), byType["waybill.webhook.registered.v1"].record.Stream)
	require.Equal(t, domain.BatchStream(after), byType["waybill.batch.created.v1"].record.Stream)
	require.Equal(t, domain.BatchStream(before), byType["waybill.batch.paused.v1"].record.Stream)
	for _, e := range w.log("erp") {
		require.Equal(t, 1, e.Attempts)
		require.Equal(t, http.StatusOK, e.HTTPStatus)
		require.Empty(t, e.Error)
		require.Nil(t, e.Next)
		require.NotNil(t, e.Last)
	}
}

func TestAWebhookIsToldOfWhatItAsksFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(quick)
	first, second := w.Batch("sim"), w.Batch("sim")
	w.hook("types", types("waybill.batch.paused"))
	w.hook("batch", func(s *webhook.Settings) { s.Batches = []string{second} })
	w.hook("organization", func(s *webhook.Settings) { s.Organizations = []string{"ORG1"} })
	w.events(first, 1)
	w.events(second, 1)
	w.discovered(first, "ORG1", "1")
	w.discovered(second, "ORG2", "2")
	w.discovered(second, "ORG1", "3")

	of := func(number string) func(wire.Record) bool {
		return func(r wire.Record) bool { return strings.Contains(string(r.Bytes), `"data":`) && batchOf(r) == number }
	}
	paused := w.wanted(func(r wire.Record) bool { return r.Type == "waybill.batch.paused.v1" })
	ofSecond := w.wanted(of(second))[1:] // it was created before
	theirs := w.wanted(func(r wire.Record) bool { return strings.Contains(string(r.Bytes), `"organization":"ORG1"`) })
	require.Len(t, paused, 2)
	require.Len(t, ofSecond, 3)
	require.Len(t, theirs, 2)
	w.settled("types", deliveries.Delivered, 2)
	w.settled("batch", deliveries.Delivered, 3)
	w.settled("organization", deliveries.Delivered, 2)
	require.ElementsMatch(t, paused, w.receiver.took("types"))
	require.Equal(t, ofSecond, w.receiver.took("batch"))
	require.ElementsMatch(t, theirs, w.receiver.took("organization"))
}

func batchOf(r wire.Record) string {
	if number, err := domain.ParseBatchStream(r.Stream); err == nil {
		return number
	}
	_, rest, _ := strings.Cut(string(r.Bytes), `"batch":"`)
	number, _, _ := strings.Cut(rest, `"`)
	return number
}

// The order of each batch, with a receiver that refuses every third request
// and two processes that send at once.
func TestRecordsOfABatchAreSentInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hook("erp", types("waybill.batch.", "waybill.document."))
	var numbers []string
	for range 3 {
		numbers = append(numbers, w.Batch("sim"))
	}
	expected := map[string][]string{}
	var mu sync.Mutex
	ahead, requests := map[string]int{}, 0
	w.receiver.answers(func(m message, rw http.ResponseWriter) {
		mu.Lock()
		defer mu.Unlock()
		number := batchOf(m.record)
		if place := ahead[number]; place >= len(expected[number]) || expected[number][place] != m.id {
			t.Errorf("%s of %s was sent before the one ahead of it was taken", m.record.Type, number)
		}
		if requests++; requests%3 == 0 {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		ahead[number]++
	})
	for i := range 12 {
		for _, number := range numbers {
			w.events(number, 2)
			w.discovered(number, "ORG", number+string(rune('a'+i)))
		}
	}
	for _, number := range numbers {
		expected[number] = w.wanted(func(r wire.Record) bool { return batchOf(r) == number })
		require.Len(t, expected[number], 37)
	}
	w.start(quick)
	w.start(quick)
	w.settled("erp", deliveries.Delivered, 3*37)
	require.Len(t, w.receiver.took("erp"), 3*37, "each once")
	require.Greater(t, len(w.receiver.got("erp")), 3*37+20, "many were refused at first")
}

func TestABatchThatIsRefusedKeepsNoOtherFromGoingOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(quick)
	stuck, other := w.Batch("sim"), w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	w.receiver.answers(func(m message, rw http.ResponseWriter) {
		if batchOf(m.record) == stuck {
			rw.WriteHeader(http.StatusUnprocessableEntity)
		}
	})
	w.events(stuck, 2)
	w.events(other, 4)
	w.settled("erp", deliveries.Delivered, 4)
	w.eventually("it is tried again and again", func() bool { return len(w.receiver.got("erp")) > 4+5 })
	for _, m := range w.receiver.got("erp") {
		require.Equal(t, batchOf(m.record) == other, m.taken)
		if batchOf(m.record) == stuck {
			require.Equal(t, "waybill.batch.paused.v1", m.record.Type, "what is behind it waits")
		}
	}
	w.receiver.answers(always(http.StatusOK))
	w.settled("erp", deliveries.Delivered, 6)
}

func TestATestIsSentWhateverIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(quick)
	w.hook("erp", types("waybill.batch."))
	w.hook("other", types("waybill.batch."))
	result := w.on("erp", webhook.Test{Reason: "is it there?"})
	entry := w.settled("erp", deliveries.Delivered, 1)[0]
	require.Equal(t, result.Position.String(), entry.String())
	require.Equal(t, "waybill.webhook.tested.v1", entry.Type)
	w.on("other", webhook.Test{})
	w.settled("other", deliveries.Delivered, 1)
	require.Len(t, w.receiver.got("erp"), 1)
}

// What waits when the settings change is sent by the new ones.
func TestWhatIsNoLongerAskedForIsWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(quick)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.document."))
	w.receiver.answers(always(http.StatusInternalServerError))
	w.discovered(number, "ORG1", "1")
	w.discovered(number, "ORG2", "2")
	w.settled("erp", deliveries.Pending, 2)
	w.eventually("the first is tried", func() bool { return len(w.receiver.got("erp")) > 0 })
	_, err := w.Handler.ReconfigureWebhook(t.Context(), installationtest.Meta(), "erp", nil, w.settings("erp", types("waybill.document."), func(s *webhook.Settings) { s.Organizations = []string{"ORG2"} }))
	require.NoError(t, err)
	withdrawn := w.settled("erp", deliveries.Withdrawn, 1)[0]
	require.Contains(t, withdrawn.Error, "no longer")
	w.receiver.answers(always(http.StatusOK))
	w.settled("erp", deliveries.Delivered, 1)
	require.Equal(t, w.wanted(func(r wire.Record) bool { return strings.Contains(string(r.Bytes), `"organization":"ORG2"`) }), w.receiver.took("erp"))
}

func TestADisabledWebhookHoldsAndGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(quick)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	w.on("erp", webhook.Disable{Reason: "maintenance"})
	w.hook("witness", types("waybill.batch."))
	w.on("witness", webhook.Test{})
	w.settled("witness", deliveries.Delivered, 1) // who knows of it knows that the other is disabled
	w.events(number, 3)
	w.settled("witness", deliveries.Delivered, 4)
	require.Empty(t, w.receiver.got("erp"))
	w.on("erp", webhook.Enable{Reason: "done"})
	w.settled("erp", deliveries.Delivered, 3)
	require.Equal(t, w.receiver.took("witness")[1:], w.receiver.took("erp"))
}

func TestARemovedWebhookIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(quick)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	w.receiver.answers(always(http.StatusInternalServerError))
	w.events(number, 2)
	w.settled("erp", deliveries.Pending, 2)
	w.on("erp", webhook.Remove{Reason: "gone"})
	w.eventually("nothing waits", func() bool { return len(w.log("erp")) == 0 })
	w.eventually("it is unknown", func() bool {
		ids, err := w.queue.Webhooks(t.Context())
		require.NoError(t, err)
		return len(ids) == 0
	})
	sent := len(w.receiver.got("erp"))
	w.hook("witness", types("waybill.batch."))
	w.receiver.answers(always(http.StatusOK))
	w.events(number, 1)
	w.settled("witness", deliveries.Delivered, 1)
	after := w.receiver.got("erp")
	require.LessOrEqual(t, len(after), sent+1, "one may have been on its way")
	for _, m := range after {
		require.NotEqual(t, w.receiver.took("witness")[0], m.id, "nothing new is sent")
	}
}

// A process that dies with a request under way: its lease ends, and another
// sends the record again, with the same webhook-id.
func TestWhatAKilledProcessHadUnderWayIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	w.events(number, 2)
	settings := quick
	settings.Lease = time.Second
	stop := w.start(settings, func(p *process) { p.Queue = &killed{Queue: w.queue} })
	w.eventually("the first is sent", func() bool { return len(w.receiver.got("erp")) == 1 })
	stop()
	require.Zero(t, w.log("erp")[0].Attempts, "nobody knows of it")

	w.start(quick)
	w.settled("erp", deliveries.Delivered, 2)
	took := w.receiver.took("erp")
	require.Len(t, took, 3)
	require.Equal(t, took[0], took[1])
}

// killed is the queue of a process that is killed before it says what became of
// the one delivery that it claimed.
type killed struct {
	deliveries.Queue
	claimed atomic.Bool
}

func (k *killed) Claim(ctx context.Context, now time.Time, webhooks []string, perWebhook int, lease time.Duration) (*deliveries.Claimed, error) {
	if k.claimed.Load() {
		return nil, nil
	}
	c, err := k.Queue.Claim(ctx, now, webhooks, perWebhook, lease)
	k.claimed.Store(c != nil)
	return c, err
}

func (*killed) Settle(context.Context, deliveries.Claimed, deliveries.Outcome) error {
	return errors.New("killed")
}

// A process that ends in good order gives back what it has under way.
func TestAnOrderlyEndGivesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	begun := make(chan struct{})
	w.receiver.answers(func(message, http.ResponseWriter) {
		close(begun)
		<-t.Context().Done()
	})
	w.events(number, 1)
	stop := w.start(quick)
	<-begun
	stop()
	require.Zero(t, w.log("erp")[0].Attempts)
	w.receiver.answers(always(http.StatusOK))
	w.start(quick) // whose lease, ten minutes, is not waited for
	w.settled("erp", deliveries.Delivered, 1)
}

// Views that are made anew, a process that starts and another reading of the
// journal fire nothing: only what comes is sent.
func TestAReplayFiresNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	stop := w.start(quick)
	w.events(number, 2)
	w.settled("erp", deliveries.Delivered, 2)
	stop()
	heads, err := w.Journal.Heads(t.Context())
	require.NoError(t, err)
	w.Shown(heads) // or whoever follows would meet with what follows here

	forget := `DELETE FROM projection_checkpoints`
	for _, view := range projections.Views() {
		for table := range view.Tables {
			forget += `; TRUNCATE ` + table
		}
	}
	_, err = w.Pool.Exec(t.Context(), forget)
	require.NoError(t, err)
	require.NoError(t, projections.Rebuild(t.Context(), w.Pool, w.Journal, slog.New(slog.DiscardHandler), projections.Views()...))
	w.start(quick)
	w.start(quick)
	w.events(number, 2)
	w.settled("erp", deliveries.Delivered, 4)
	require.Len(t, w.receiver.got("erp"), 4)
}

// When too much waits, the webhook stands, and nothing is lost.
func TestAWebhookStandsWhenTooMuchWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	settings := quick
	settings.MaxWaiting = 2
	w.receiver.answers(always(http.StatusInternalServerError))
	w.events(number, 2)
	w.start(settings)
	w.settled("erp", deliveries.Pending, 2)
	w.hook("witness", types("waybill.source."))
	w.events(number, 2)
	w.on("witness", webhook.Test{})
	w.settled("witness", deliveries.Pending, 1)
	require.Len(t, w.log("erp"), 2, "nothing more is placed")
	w.receiver.answers(always(http.StatusOK))
	w.settled("erp", deliveries.Delivered, 4)
}

func TestAnInternalAddressIsNotReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(quick)
	_, port, _ := strings.Cut(strings.TrimPrefix(w.receiver.url, "http://"), ":")
	for id, host := range map[string]string{"name": "localhost", "mapped": "[::ffff:127.0.0.1]", "plain": "127.0.0.1"} {
		w.hook(id, types("waybill.source."), func(s *webhook.Settings) {
			s.URL, s.AllowedNetworks = "https://"+host+":"+port+"/", nil
		})
		w.on(id, webhook.Test{})
		w.eventually("it is refused", func() bool {
			log := w.log(id)
			return len(log) == 1 && strings.Contains(log[0].Error, "allowedNetworks") && log[0].HTTPStatus == 0
		})
	}
	require.Empty(t, w.receiver.got(""))
}
