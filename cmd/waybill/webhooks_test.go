package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/wire"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// listener is a receiver of webhooks that can be made to keep its senders
// waiting.
type listener struct {
	url string

	mu       sync.Mutex
	held     chan struct{} // closed: requests are answered
	messages []wire.Record
	err      error
	arrived  chan struct{}
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{held: make(chan struct{}), arrived: make(chan struct{}, 10_000)}
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		err = errors.Join(err, verifier.Verify(body, r.Header))
		record, decodeErr := wire.Decode(body)
		l.mu.Lock()
		l.err = errors.Join(l.err, err, decodeErr)
		l.messages = append(l.messages, record)
		held := l.held
		l.mu.Unlock()
		l.arrived <- struct{}{}
		select {
		case <-held:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *listener) got() []wire.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]wire.Record{}, l.messages...)
}

// A process that sends is killed with a request under way; another sends the
// record again, and all that comes, once and in order. Views that are built
// anew send nothing.
func TestWebhooksOverProcesses(t *testing.T) {
	t.Parallel()
	config := sound(40)
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	i.env["WAYBILL_INSTANCE"], i.env["WAYBILL_TEST_HOOK"] = "", webhookSecret
	receiver := newListener(t)
	for _, role := range []string{"serve", "relay", "project"} {
		i.start(role)
	}
	first := i.start("work")
	i.ready()
	require.NoError(t, i.api.Post(t.Context(), "/v1/webhooks", map[string]any{
		"id": "erp", "url": receiver.url, "secretRefs": []string{"env:WAYBILL_TEST_HOOK"}, "types": []string{"waybill.batch.", "waybill.document.migrated"}, "allowedNetworks": []string{"127.0.0.0/8"},
	}, nil))
	number := i.create(config)
	<-receiver.arrived
	first.kill()
	for _, r := range receiver.got() { // more than one when it took so long that the sender tried again
		require.Equal(t, receiver.got()[0].ID, r.ID, "the others wait for it")
	}
	close(receiver.held)

	i.start("work")
	i.start("work")
	b := i.finished(number)
	require.Equal(t, "succeeded", b.Status)
	i.delivered("erp", 42) // created, 40 migrated, finished
	out, err := i.run("rebuild", "sources", "webhooks")
	require.NoError(t, err, out)
	require.NoError(t, i.api.Post(t.Context(), "/v1/webhooks/erp/test", map[string]any{"reason": "is it there?"}, nil))
	attempts := i.delivered("erp", 43)

	got := receiver.got()
	require.NoError(t, receiver.err)
	require.Equal(t, got[0].ID, got[1].ID, "the first twice")
	require.LessOrEqual(t, len(got), attempts+1, "and no other, but for those whose answer was late, which the log tells")
	got = slices.CompactFunc(got, func(a, b wire.Record) bool { return a.ID == b.ID })
	require.Len(t, got, 43)
	require.Equal(t, "waybill.batch.created.v1", got[0].Type)
	require.Equal(t, "waybill.batch.finished.v1", got[41].Type)
	require.Equal(t, "waybill.webhook.tested.v1", got[42].Type)
	i.metered("waybill_webhook_pending", "waybill_webhook_lag_events", "waybill_webhook_failed")
}

// delivered waits until the log has as many deliveries, and nothing else, and
// counts their attempts.
func (i *installation) delivered(id string, n int) (attempts int) {
	i.t.Helper()
	i.eventually(fmt.Sprint(n, " deliveries"), func() error {
		var page struct {
			Items []struct {
				Status   string
				Attempts int
			}
		}
		if err := i.api.Get(i.t.Context(), "/v1/webhooks/"+id+"/deliveries?limit=1000", &page); err != nil {
			return err
		}
		done := 0
		attempts = 0
		for _, d := range page.Items {
			attempts += d.Attempts
			if d.Status == "delivered" {
				done++
			}
		}
		if done != n || len(page.Items) != n {
			return fmt.Errorf("%d of %d are delivered", done, len(page.Items))
		}
		return nil
	})
	return attempts
}

// metered starts a process whose metrics are read.
func (i *installation) metered(names ...string) {
	i.t.Helper()
	address := heldAddress(i.t)
	i.env["WAYBILL_METRICS_LISTEN"] = address
	i.start("work")
	i.eventually("metrics name the webhook", func() error {
		text, err := scrape(i.t.Context(), address)
		for _, name := range names {
			if err == nil && !strings.Contains(text, name+`{webhook="erp"} 0`) {
				err = fmt.Errorf("there is no %s", name)
			}
		}
		return err
	})
}

func scrape(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return string(content), err
}
