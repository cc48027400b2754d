package rest

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const keyHeader = "Idempotency-Key"

func march() map[string]any {
	return map[string]any{"source": sourceID, "scope": map[string]any{"from": "2024-03-01", "to": "2024-03-31"}}
}

// same checks that two answers are one, but for the ids of their requests.
func same(t *testing.T, a, b answer) {
	t.Helper()
	require.Equal(t, a.Status, b.Status, "%s", b.Body)
	for _, name := range []string{"Location", "ETag", "Waybill-Position", "Content-Type"} {
		require.Equal(t, a.Header.Get(name), b.Header.Get(name), name)
	}
	if a.Status < http.StatusBadRequest {
		require.Equal(t, string(a.Body), string(b.Body))
		return
	}
	var p, q Problem
	a.is(a.Status, &p)
	b.is(b.Status, &q)
	p.RequestID, q.RequestID = "", ""
	require.Equal(t, p, q)
}

// A repeat is answered as it was, whatever happened since.
func TestRepeatIsAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	path := "/v1/batches/" + b.Number
	admin := func(path string, body any, headers ...string) answer {
		return r.send(commands.RoleAdmin, "POST", path, body, headers...)
	}
	asked := map[string]func() answer{
		"made":    func() answer { return admin("/v1/batches", march(), keyHeader, "1") },
		"paused":  func() answer { return admin(path+"/pause", because("night"), keyHeader, "2") },
		"resumed": func() answer { return admin(path+"/resume", because("day"), keyHeader, "3") },
		"idle":    func() answer { return admin(path+"/resume", because("day"), keyHeader, "4") },
		"stale":   func() answer { return admin(path+"/pause", because("x"), keyHeader, "5", "If-Match", `"99"`) },
		"unknown": func() answer { return admin("/v1/batches/B0/pause", because("x"), keyHeader, "6") },
		"bad": func() answer {
			return admin("/v1/batches", map[string]any{"source": sourceID, "scope": map[string]any{"from": "x", "to": "y"}}, keyHeader, "7")
		},
		"no view":  func() answer { return admin("/v1/projections/none/resume", nil, keyHeader, "8") },
		"disabled": func() answer { return admin("/v1/sources/"+sourceID+"/disable", because("x"), keyHeader, "9") },
	}
	order := []string{"made", "paused", "resumed", "idle", "stale", "unknown", "bad", "no view", "disabled"}
	first := map[string]answer{}
	for _, name := range order {
		first[name] = asked[name]()
	}
	admin(path+"/cancel", because("enough")).is(http.StatusOK, nil)
	records := len(r.records(domain.BatchStream(b.Number)))
	for _, name := range order {
		t.Log(name)
		same(t, first[name], asked[name]())
	}
	require.Len(t, r.records(domain.BatchStream(b.Number)), records)
}

func TestKeyOfAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	path := "/v1/batches/" + b.Number + "/pause"
	r.post(path, because("night"), keyHeader, "k").is(http.StatusOK, nil)
	p := r.post(path, because("another night"), keyHeader, "k").refused(http.StatusConflict, "idempotency-key-reused")
	require.Equal(t, "/docs/errors/idempotency-key-reused", p.Type)
	r.post(path, because("night"), keyHeader, "k", "If-Match", `"1"`).refused(http.StatusConflict, "idempotency-key-reused")
	r.post(path, []byte(` { "reason" : "night" } `), keyHeader, "k").is(http.StatusOK, nil)
	require.Len(t, r.records(domain.BatchStream(b.Number)), 2)
}

func TestRepeatsAtTheSameMomentAreOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	answers := make([]answer, 8)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = r.post("/v1/batches", march(), keyHeader, "k") })
	}
	group.Wait()
	for _, a := range answers {
		require.Equal(t, http.StatusCreated, a.Status, "%s", a.Body)
		same(t, answers[0], a)
	}
	heads, err := r.journal.Heads(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, heads[0], "one source and one batch")
}

// forgetful dies between the effect and the keeping of its answer.
type forgetful struct {
	Repeats
	dies atomic.Bool
}

func (f *forgetful) Keep(ctx context.Context, name [32]byte, command wire.UUID, answer []byte) ([]byte, error) {
	if f.dies.Load() {
		return nil, errors.New("killed")
	}
	return f.Repeats.Keep(ctx, name, command, answer)
}

func TestEffectWhoseAnswerWasLostIsNotRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	d := r.dependencies()
	lost := &forgetful{Repeats: d.Repeats}
	lost.dies.Store(true)
	d.Repeats = lost
	r.serve(d, longWait)
	path := "/v1/batches/" + b.Number + "/pause"
	token := map[string]any{"subject": "erp", "roles": []string{"reader"}}
	for range 2 {
		r.post(path, because("night"), keyHeader, "k").refused(http.StatusInternalServerError, "internal-error")
		r.post("/v1/batches", march(), keyHeader, "k").refused(http.StatusInternalServerError, "internal-error")
	}
	r.send(commands.RoleAdmin, "POST", "/v1/tokens", token, keyHeader, "k").is(http.StatusCreated, nil) // nothing is kept of it
	lost.dies.Store(false)
	var paused Outcome
	r.post(path, because("night"), keyHeader, "k").is(http.StatusOK, &paused)
	require.Equal(t, Outcome{Position: paused.Position, Version: 2, Changed: true}, paused)
	r.post("/v1/batches", march(), keyHeader, "k").is(http.StatusCreated, nil)
	r.send(commands.RoleAdmin, "POST", "/v1/tokens", token, keyHeader, "k").refused(http.StatusConflict, "token-already-issued")
	heads, err := r.journal.Heads(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 6, heads[0], "a source, a batch, its pause, another batch, a token, and that it was asked for again")
}

// A secret is shown once, and kept nowhere.
func TestTokenIsIssuedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := map[string]any{"subject": "erp", "roles": []string{"reader"}}
	issue := func(body any, key string) answer {
		return r.send(commands.RoleAdmin, "POST", "/v1/tokens", body, keyHeader, key)
	}
	var issued TokenIssued
	issue(body, "k").is(http.StatusCreated, &issued)
	p := issue(body, "k").refused(http.StatusConflict, "token-already-issued")
	require.Contains(t, p.Detail, issued.ID)
	issue(map[string]any{"subject": "another", "roles": []string{"reader"}}, "k").refused(http.StatusConflict, "idempotency-key-reused")
	issue(body, "k2").is(http.StatusCreated, nil)
	var kept int
	require.NoError(t, r.pool.QueryRow(t.Context(), `SELECT count(*) FROM repeatable_requests WHERE position('wb_' IN encode(coalesce(answer, ''), 'escape')) > 0`).Scan(&kept))
	require.Zero(t, kept)

	answers := make([]answer, 6)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = issue(body, "k3") })
	}
	group.Wait()
	once := 0
	for _, a := range answers {
		if a.Status == http.StatusCreated {
			once++
			continue
		}
		a.refused(http.StatusConflict, "token-already-issued")
	}
	require.Equal(t, 1, once)
}
