package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

// appVariable is where the flagship application's secret is read from.
const appVariable = "CANARY_FLAGSHIP_SECRET"

// tactless stands before the flagship edition, and at first repeats in its
// refusals whatever it was sent and has given out. All of it is a canary.
type tactless struct {
	*simulator.Flagship
	canaries *canaries
	secret   string

	mu    sync.Mutex
	asked map[string]int // by path
}

func (s *tactless) nth(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[path]++
	return s.asked[path]
}

func (s *tactless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch n := s.nth(path); path {
	case "api":
		s.token(w, r, n)
	case "kapi":
		s.call(w, r, n)
	default:
		s.canaries.add("a signature of a localUrl", r.URL.Query().Get("sig"))
		if n == 1 {
			http.Redirect(w, r, "http://127.0.0.1:1/?"+r.URL.RawQuery, http.StatusFound)
			return
		}
		if n == 2 {
			http.Error(w, r.URL.String(), http.StatusInternalServerError)
			return
		}
		s.Flagship.ServeHTTP(w, r)
	}
}

func (s *tactless) token(w http.ResponseWriter, r *http.Request, n int) {
	sent, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(sent))
	recorder := httptest.NewRecorder()
	s.Flagship.ServeHTTP(recorder, r)
	var given struct {
		Data struct {
			AppToken    string `json:"app_token"`
			AccessToken string `json:"access_token"`
		}
	}
	_ = json.Unmarshal(recorder.Body.Bytes(), &given)
	for of, token := range map[string]string{"an app token": given.Data.AppToken, "an access token of the flagship": given.Data.AccessToken} {
		if token != "" {
			s.canaries.add(of, token)
		}
	}
	said := string(sent)
	switch n {
	case 1, 3: // of the first step and of the second
		fmt.Fprintf(w, `{"success":false,"errorCode":"1002","message":%q,"traceId":%q}`, said, s.secret)
	case 4:
		http.Error(w, said, http.StatusBadGateway)
	default:
		_, _ = w.Write(recorder.Body.Bytes())
	}
}

func (s *tactless) call(w http.ResponseWriter, r *http.Request, n int) {
	token := r.URL.Query().Get("access_token")
	switch n {
	case 1:
		http.Error(w, r.URL.String(), http.StatusServiceUnavailable)
	case 2:
		http.Redirect(w, r, "/login?"+r.URL.RawQuery, http.StatusFound)
	case 3:
		fmt.Fprintf(w, `{"success":false,"errorCode":"9999","message":"no answer to https://flagship.example%s","traceId":%q}`, r.URL, token)
	case 4:
		fmt.Fprintf(w, `{"success":false,"errorCode":"401","message":"%s has died"}`, token)
	case 5:
		fmt.Fprintf(w, `{"success":{"access_token":%q}}`, token)
	case 6:
		panic(http.ErrAbortHandler)
	default:
		s.Flagship.ServeHTTP(w, r)
	}
}

// files a batch in a flagship edition that is tactless.
func (a *aviary) files() {
	a.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	secret := a.env[appVariable]
	platform := &tactless{canaries: &a.canaries, secret: secret, asked: map[string]int{}, Flagship: simulator.NewFlagship(simulator.FlagshipConfig{
		AppID: "waybill", AppSecret: secret, TenantID: "tenant", AccountID: "account", User: "imaging", UserType: "UserName",
	}, base)}
	server.Config.Handler = platform
	server.Start()
	a.t.Cleanup(server.Close)
	require.NoError(a.t, a.api.Post(a.t.Context(), "/v1/profiles", map[string]any{
		"name": "filing", "reason": "a test", "target": "flagship", "flagshipTarget": map[string]any{
			"url": base, "appId": "waybill", "secretRef": "env:" + appVariable, "tenantId": "tenant", "accountId": "account", "user": "imaging",
			"allowedNetworks": []string{"127.0.0.0/8"}, "concurrency": 1,
		},
	}, nil))
	var created struct{ Number string }
	require.NoError(a.t, a.api.Post(a.t.Context(), "/v1/batches", map[string]any{
		"source": presetID, "profile": "filing", "scope": map[string]any{"from": a.config.From, "to": a.config.To},
	}, &created))
	first := a.finished(created.Number)
	require.Positive(a.t, first.Documents.Failed)
	require.NoError(a.t, a.api.Post(a.t.Context(), "/v1/batches/"+created.Number+"/retry", map[string]any{"reason": "it was refused"}, nil))
	require.Equal(a.t, a.finishedAfter(created.Number, *first.FinishedAt).Documents.Migrated, len(platform.Filed()), "what can be filed is filed")
	require.NotEmpty(a.t, platform.Filed())
	platform.mu.Lock()
	defer platform.mu.Unlock()
	for path, n := range map[string]int{"api": 5, "kapi": 7, "flagship": 3} {
		require.GreaterOrEqual(a.t, platform.asked[path], n, "the flagship edition was tactless in every way of /%s", path)
	}
}
