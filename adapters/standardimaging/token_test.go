package standardimaging_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// The vectors come of `printf '%s' TEXT | md5sum` and the like, with openssl
// for HMAC.
func TestSign(t *testing.T) {
	t.Parallel()
	for algorithm, want := range map[string]string{
		"md5":         "229d4164886ddb106ed9e69db002c530",
		"sha256":      "ca5133a1c356e56b3df0dd4a5fa4e1ea30f6d617eb733cb606e3f071ced1b102",
		"hmac-sha256": "09a6633d1e4a145e2fe6c4868db662a314bbeda0083ecf1b0afea74c7e415794",
	} {
		require.Equal(t, want, standardimaging.Sign(algorithm, "client", "secret", "1700000000000"), algorithm)
	}
}

func TestATokenRequestIsAsTheVendorSays(t *testing.T) {
	t.Parallel()
	for unit, digits := range map[string]int{"ms": 13, "s": 10} {
		s, plan := newScripted(t)
		plan.Settings.TimestampUnit = unit
		answer := s.token
		s.token = func(w http.ResponseWriter, r *http.Request) {
			var request map[string]any
			content, _ := io.ReadAll(r.Body)
			if err := json.Unmarshal(content, &request); err != nil {
				t.Error(err)
			}
			timestamp, _ := request["timestamp"].(string)
			if len(request) != 3 || request["client_id"] != clientID || len(timestamp) != digits || request["sign"] != standardimaging.Sign("md5", clientID, clientSecret, timestamp) {
				t.Errorf("%s %s", r.Method, content)
			}
			if r.Method != http.MethodPost || r.URL.RawQuery != "" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
			}
			answer(w, r)
		}
		s.data = func(w http.ResponseWriter, r *http.Request) {
			query := r.URL.Query()
			reqid := query.Get("reqid")
			if len(query) != 2 || query.Get("access_token") != issuedToken || len(reqid) != 16 {
				t.Errorf("query %v", query)
			}
			if at, err := strconv.ParseInt(reqid[:13], 10, 64); err != nil || time.Since(time.UnixMilli(at)).Abs() > time.Minute {
				t.Errorf("reqid %s", reqid)
			}
			_, _ = io.WriteString(w, emptyPage)
		}
		_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
		require.NoError(t, err)
	}
}

func TestATokenThatDiedIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for _, refusal := range []http.HandlerFunc{answering(`{"errcode":"0401","description":"expired"}`), answering(`{"errorCode":401,"message":"expired"}`), status(http.StatusUnauthorized)} {
		s, plan := newScripted(t)
		s.token = func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"errcode":"0000","access_token":"tok-`+strconv.Itoa(s.tokenRequests())+`","expires_in":"129600"}`)
		}
		var died atomic.Bool
		s.data = func(w http.ResponseWriter, r *http.Request) {
			if died.Load() && r.URL.Query().Get("access_token") == "tok-1" {
				refusal(w, r)
				return
			}
			_, _ = io.WriteString(w, emptyPage)
		}
		source := standardimaging.New(resolve)
		list := func() error {
			_, err := source.List(t.Context(), plan, january, 1)
			return err
		}
		inParallel(t, 64, list)
		require.Equal(t, 1, s.tokenRequests())
		died.Store(true)
		inParallel(t, 64, list)
		require.Equal(t, 2, s.tokenRequests(), "one more, for all")
	}
}

func TestATokenThatIsNeverTaken(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data = answering(`{"errcode":"0401","description":"the token ` + issuedToken + ` is unknown","traceId":"trace-1"}`)
	source := standardimaging.New(resolve)
	for n := 1; n <= 2; n++ {
		_, err := source.List(t.Context(), plan, january, 1)
		failed := s.failure(err)
		require.Equal(t, domain.SourceAuth, failed.Category)
		require.Equal(t, "trace-1", failed.TraceID)
		require.True(t, failed.Retryable)
		require.Equal(t, 2*n, s.tokenRequests(), "a call asks twice, and the next does not begin with what was refused")
	}
}

func TestTokenRequestsThatFail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer   http.HandlerFunc
		category domain.Category
		code     string
	}{
		"refused":      {answering(`{"errcode":"1002","description":"sign wrong for ` + clientSecret + `"}`), domain.SourceAuth, "source-code"},
		"no token":     {answering(`{"errcode":"0000"}`), domain.SourceRejected, "answer-invalid"},
		"not agreed":   {answering(`<html>`), domain.SourceRejected, "answer-invalid"},
		"an object":    {answering(`{"errcode":"0000","access_token":{"value":"` + issuedToken + `"}}`), domain.SourceRejected, "answer-invalid"},
		"a lifetime":   {answering(`{"errcode":"0000","access_token":"x","expires_in":"` + issuedToken + `"}`), domain.SourceRejected, "answer-invalid"},
		"repeated":     {answering(`{"errcode":"` + clientSecret + `","description":"see https://x.example/?key=` + clientSecret + `","traceId":"` + clientSecret + `"}`), domain.SourceAuth, "source-code"},
		"no code":      {answering(`{"access_token":"x"}`), domain.SourceRejected, "answer-invalid"},
		"away":         {status(http.StatusBadGateway), domain.SourceUnavailable, "http-502"},
		"unauthorized": {status(http.StatusUnauthorized), domain.SourceAuth, "http-401"},
		"redirected":   {status(http.StatusFound, "Location", "/login?back=secret-place"), domain.SourceRejected, "redirected"},
	} {
		s, plan := newScripted(t)
		s.token, s.data = test.answer, answering(emptyPage)
		_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
		failed := s.told(err)
		require.Equal(t, test.category, failed.Category, name)
		require.Equal(t, test.code, failed.Code, name)
	}
}

// TestAFailedRefreshIsShared: 64 workers do not ask a broken service 64 times,
// one after the other.
func TestAFailedRefreshIsShared(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	s.token = func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-answer
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	source := standardimaging.New(resolve)
	errs := make(chan error, 64)
	list := func() {
		_, err := source.List(t.Context(), plan, january, 1)
		errs <- err
	}
	go list()
	<-asked
	for range 63 {
		go list()
	}
	// One that stops does not wait for the others, nor end it for them.
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := source.List(stopped, plan, january, 1)
	require.ErrorIs(t, err, context.Canceled)
	go func() {
		for range asked {
			continue // of those who come after the failure
		}
	}()
	close(answer)
	for range 64 {
		require.Equal(t, "http-503", s.notNow(<-errs).Failure.Code)
	}
}

func TestWhoMayNotReadAnyMoreDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data = answering(emptyPage)
	asked, answer := make(chan struct{}), make(chan struct{})
	notRunning := errors.New("the batch is paused")
	paused := plan
	paused.Permit = func(context.Context) (commands.Plan, error) {
		close(asked)
		<-answer
		return commands.Plan{}, notRunning
	}
	source := standardimaging.New(resolve)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := source.List(t.Context(), paused, january, 1)
		first <- err
	}()
	<-asked
	go func() {
		_, err := source.List(t.Context(), plan, january, 1)
		second <- err
	}()
	close(answer)
	require.ErrorIs(t, <-first, notRunning)
	require.NoError(t, <-second)
	require.Equal(t, 1, s.tokenRequests())
}

func TestSecrets(t *testing.T) {
	s, plan := newScripted(t)
	s.data = answering(emptyPage)
	t.Setenv("STANDARDIMAGING_TEST_SECRET", clientSecret)
	plan.Settings.SecretRef = "env:STANDARDIMAGING_TEST_SECRET"
	_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
	require.NoError(t, err)
	for _, reference := range []string{"env:STANDARDIMAGING_TEST_NONE", "file:/not/there", "", "plain"} {
		plan.Settings.SecretRef = reference
		_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
		failed := s.failure(err)
		require.Equal(t, "secret-missing", failed.Code, reference)
		require.True(t, failed.Retryable)
	}
	file := planFor(t, s.URL)
	require.NoError(t, os.WriteFile(strings.TrimPrefix(file.Settings.SecretRef, "file:"), []byte("  \n"), 0o600))
	_, err = standardimaging.New(resolve).List(t.Context(), file, january, 1)
	require.Equal(t, "secret-missing", s.failure(err).Code, "an empty file holds none")
}
