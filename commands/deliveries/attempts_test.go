package deliveries_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

// tried waits for the nth attempt at a webhook's only delivery.
func (w *world) tried(id string, n int) deliveries.Entry {
	w.T.Helper()
	var last deliveries.Entry
	w.eventually("attempt "+strconv.Itoa(n), func() bool {
		log := w.log(id)
		if len(log) > 0 {
			last = log[0]
		}
		return last.Attempts >= n
	})
	require.Equal(w.T, n, last.Attempts)
	return last
}

// Attempts by the clock of the test: each wait is twice the one before, less
// half by chance, up to the longest; the last attempt is made at the end of
// three days.
func TestAttemptsGoFurtherAndFurtherApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hook("erp", types("waybill.batch."))
	w.hook("fine", types("waybill.batch."))
	w.receiver.answers(func(m message, rw http.ResponseWriter) {
		if m.hook == "erp" {
			rw.WriteHeader(http.StatusInternalServerError)
		}
	})
	w.clock.stop()
	w.start(deliveries.Usual)
	w.Batch("sim")
	first := w.tried("erp", 1)
	for n, wait := 1, deliveries.Usual.MinBackoff; ; n++ {
		entry := w.tried("erp", n)
		require.Equal(t, "the receiver answered HTTP 500 Internal Server Error", entry.Error)
		require.Equal(t, deliveries.Pending, entry.Status)
		waits := entry.Next.Sub(*entry.Last)
		end := first.Last.Add(deliveries.Usual.Period)
		if entry.Next.Equal(end) {
			require.Greater(t, n, 10)
			require.Less(t, n, 30)
			w.clock.pass(waits)
			break
		}
		require.GreaterOrEqual(t, waits+time.Microsecond, wait/2, "before attempt %d", n+1) // which times are kept to
		require.LessOrEqual(t, waits, wait+time.Microsecond, "before attempt %d", n+1)
		require.Len(t, w.receiver.got("erp"), n, "not before its time")
		w.clock.pass(waits)
		wait = min(2*wait, deliveries.Usual.MaxBackoff)
	}
	w.disabled("erp", "the receiver took nothing for 72h0m0s")
	require.Equal(t, deliveries.Pending, w.log("erp")[0].Status, "nobody was there: it is not failed")
	w.settled("fine", deliveries.Delivered, 1)
}

// disabled waits until a webhook is, by nobody's command.
func (w *world) disabled(id, why string) {
	w.T.Helper()
	var last wire.Record
	w.eventually("it is disabled", func() bool {
		loaded, err := w.Journal.Load(w.T.Context(), domain.WebhookStream(id))
		require.NoError(w.T, err)
		records := loaded[domain.WebhookStream(id)]
		last = records[len(records)-1]
		_, disabled := last.Event.(webhook.Disabled)
		return disabled
	})
	require.Contains(w.T, last.Event.(webhook.Disabled).Reason, why)
	require.Equal(w.T, domain.SystemActor("webhooks"), last.Metadata.Actor)
	require.NotEmpty(w.T, last.Metadata.CausationID)
}

// A record that the receiver cannot digest fails in the end, its batch goes on,
// and an operator can have it tried again.
func TestAFailedDeliveryLetsItsBatchGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	w.receiver.answers(func(m message, rw http.ResponseWriter) {
		if m.record.Type == "waybill.batch.paused.v1" {
			rw.WriteHeader(http.StatusBadRequest)
		}
	})
	w.clock.stop()
	w.start(deliveries.Usual)
	w.events(number, 2)
	w.tried("erp", 1)
	w.Batch("sim") // which it takes meanwhile
	w.settled("erp", deliveries.Delivered, 1)
	w.clock.pass(deliveries.Usual.Period)
	failed := w.settled("erp", deliveries.Failed, 1)[0]
	require.Equal(t, "waybill.batch.paused.v1", failed.Type)
	require.Equal(t, 2, failed.Attempts)
	require.Equal(t, http.StatusBadRequest, failed.HTTPStatus)
	require.Nil(t, failed.Next)
	w.settled("erp", deliveries.Delivered, 2)

	w.receiver.answers(always(http.StatusOK))
	w.on("erp", webhook.RetryDelivery{Delivery: failed.String(), Failed: true, Reason: "mended"})
	w.settled("erp", deliveries.Delivered, 3)
	w.on("erp", webhook.RetryDelivery{Delivery: failed.String(), Failed: true, Reason: "it was not known yet that it is there"})
	w.on("erp", webhook.Test{})
	w.settled("erp", deliveries.Delivered, 4)
	require.Len(t, w.receiver.took("erp"), 4, "what was delivered is not sent again")
}

// A series of attempts that was interrupted begins anew.
func TestAnEnabledWebhookHasItsWholePeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hook("erp", types("waybill.batch."))
	w.receiver.answers(always(http.StatusInternalServerError))
	w.clock.stop()
	w.start(deliveries.Usual)
	w.Batch("sim")
	w.tried("erp", 1)
	w.clock.pass(deliveries.Usual.Period)
	w.disabled("erp", "took nothing")
	w.on("erp", webhook.Enable{Reason: "it will be back on Monday"})
	w.clock.pass(time.Minute)
	entry := w.tried("erp", 3)
	require.Equal(t, deliveries.Pending, entry.Status)
	require.Equal(t, entry.Last, entry.First)
	w.clock.pass(deliveries.Usual.MaxBackoff)
	require.Equal(t, entry.First, w.tried("erp", 4).First)
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hook("erp", types("waybill.batch."))
	w.hook("witness", types("waybill.batch."))
	w.receiver.answers(func(m message, rw http.ResponseWriter) {
		if m.hook == "erp" {
			always(http.StatusTooManyRequests, "Retry-After", "600")(m, rw)
		}
	})
	w.start(deliveries.Usual)
	w.Batch("sim")
	entry := w.tried("erp", 1)
	require.Equal(t, 10*time.Minute, entry.Next.Sub(*entry.Last))
	w.receiver.answers(always(http.StatusOK))
	w.Batch("sim") // another lane, which is left alone as well
	w.settled("witness", deliveries.Delivered, 2)
	w.settled("erp", deliveries.Pending, 2)
	require.Len(t, w.receiver.got("erp"), 1)
	w.clock.pass(10 * time.Minute)
	w.settled("erp", deliveries.Delivered, 2)

	w.receiver.answers(always(http.StatusServiceUnavailable, "Retry-After", "99999999"))
	w.Batch("sim")
	var last deliveries.Entry
	w.eventually("it is refused", func() bool {
		log := w.log("erp")
		last = log[len(log)-1]
		return len(log) == 3 && last.Attempts == 1
	})
	require.Equal(t, deliveries.Usual.MaxBackoff, last.Next.Sub(*last.Last), "within bounds")
}

func TestGoneDisablesTheWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch("sim")
	w.hook("erp", types("waybill.batch."))
	w.receiver.answers(always(http.StatusGone))
	w.start(quick)
	w.events(number, 2)
	w.disabled("erp", "410 Gone")
	w.receiver.answers(always(http.StatusOK))
	w.on("erp", webhook.Enable{Reason: "it is back"})
	w.settled("erp", deliveries.Delivered, 2)
	took := w.receiver.took("erp")
	require.Equal(t, w.wanted(func(r wire.Record) bool { return batchOf(r) == number })[1:], took, "nothing is lost, in order")
}

// What a webhook answered before it was enabled again says nothing of it now.
func TestGoneFromBeforeItWasEnabledAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.receiver.answers(func(_ message, rw http.ResponseWriter) {
		once.Do(func() {
			close(asked)
			select {
			case <-answer:
			case <-t.Context().Done():
			}
			rw.WriteHeader(http.StatusGone)
		})
	})
	w.hook("erp", types("waybill.batch."))
	stop := w.start(quick)
	w.Batch("sim")
	<-asked
	w.on("erp", webhook.Disable{Reason: "moving"})
	w.on("erp", webhook.Enable{Reason: "moved"})
	close(answer)
	w.settled("erp", deliveries.Delivered, 1)
	stop() // when all that followed from the answer is done
	stream := domain.WebhookStream("erp")
	loaded, err := w.Journal.Load(t.Context(), stream)
	require.NoError(t, err)
	require.Equal(t, webhook.Enabled{Reason: "moved"}, loaded[stream][len(loaded[stream])-1].Event)
}
