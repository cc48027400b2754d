package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

// indiscreet stands before the simulated source, and at first repeats in its
// refusals whatever it was sent and has given out. All of it is a canary.
type indiscreet struct {
	*simulator.Simulator
	canaries  *canaries
	secret    string
	signature string // of every file's URL

	mu    sync.Mutex
	asked map[string]int
}

func (s *indiscreet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch {
	case r.URL.Path == "/token":
		s.token(w, r, body)
	case r.URL.Path == "/data" && bytes.Contains(body, []byte(`"imageNumbers"`)):
		s.data(w, r, "reread", s.reread)
	case r.URL.Path == "/data":
		s.data(w, r, "list", s.list)
	default:
		s.file(w, r)
	}
}

// nth request of a kind, from 1.
func (s *indiscreet) nth(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = map[string]int{}
	}
	s.asked[kind]++
	return s.asked[kind]
}

// pass a request on and give the answer.
func (s *indiscreet) pass(w http.ResponseWriter, r *http.Request) []byte {
	recorder := httptest.NewRecorder()
	s.Simulator.ServeHTTP(recorder, r)
	maps.Copy(w.Header(), recorder.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(recorder.Code)
	return recorder.Body.Bytes()
}

func (s *indiscreet) token(w http.ResponseWriter, r *http.Request, body []byte) {
	var request struct{ Sign string }
	_ = json.Unmarshal(body, &request)
	s.canaries.add("a signature of a token request", request.Sign)
	said := fmt.Sprintf("%s is wrong for %s at https://imaging.example/token?sign=%s", request.Sign, s.secret, request.Sign)
	switch s.nth("token") {
	case 1:
		fmt.Fprintf(w, `{"errcode":"1002","description":%q,"traceId":%q}`, said, request.Sign)
	case 2:
		http.Error(w, said, http.StatusBadGateway)
	case 3:
		fmt.Fprintf(w, `{"errcode":{"said":%q}}`, said)
	default:
		answer := s.pass(w, r)
		var given struct {
			AccessToken string `json:"access_token"`
		}
		_ = json.Unmarshal(answer, &given)
		s.canaries.add("an access token", given.AccessToken)
		_, _ = w.Write(answer)
	}
}

// data answers as a kind of call does for the first times, then with URLs that
// are signed once more.
func (s *indiscreet) data(w http.ResponseWriter, r *http.Request, kind string, fault func(http.ResponseWriter, *http.Request, int) bool) {
	if fault(w, r, s.nth(kind)) {
		return
	}
	_, _ = w.Write(bytes.ReplaceAll(s.pass(w, r), []byte("?expires="), []byte(`?signature=`+s.signature+`\u0026expires=`)))
}

func (s *indiscreet) list(w http.ResponseWriter, r *http.Request, n int) bool {
	token := r.URL.Query().Get("access_token")
	switch n {
	case 1:
		fmt.Fprintf(w, `{"errorCode":"0401","message":"%[1]s has died","traceId":"%[1]s"}`, token)
	case 3:
		http.Error(w, r.URL.String(), http.StatusServiceUnavailable)
	case 4:
		http.Redirect(w, r, "/login?"+r.URL.RawQuery, http.StatusFound)
	case 5:
		fmt.Fprintf(w, `{"errorCode":"0000","totalElement":{"access_token":%q}}`, token)
	default:
		return false
	}
	return true
}

func (s *indiscreet) reread(w http.ResponseWriter, r *http.Request, n int) bool {
	switch n {
	case 1:
		panic(http.ErrAbortHandler)
	case 2:
		fmt.Fprintf(w, `{"errorCode":"0500","message":"no answer to POST https://imaging.example%s"}`, r.URL)
	case 3:
		fmt.Fprintf(w, `{"errorCode":"0401","message":"%s has died"}`, r.URL.Query().Get("access_token"))
	default:
		return false
	}
	return true
}

// receiver of webhooks, which at first repeats what it was sent.
func (s *indiscreet) receive(w http.ResponseWriter, r *http.Request) {
	s.canaries.add("a webhook's signature", r.Header.Get("webhook-signature"))
	if s.nth("webhook") == 1 {
		http.Error(w, r.Header.Get("webhook-signature"), http.StatusInternalServerError)
	}
}

func (s *indiscreet) file(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("signature") != s.signature {
		http.Error(w, "the signature is missing", http.StatusForbidden)
		return
	}
	elsewhere := map[int]string{2: "http://127.0.0.1/plain", 3: "https://127.0.0.1:1/closed", 4: "https://169.254.169.254/inside", 5: "https://user:" + s.signature + "@127.0.0.1/named"}
	switch n := s.nth("file"); {
	case n == 1:
		http.Error(w, "expired: "+r.URL.String(), http.StatusForbidden)
	case elsewhere[n] != "":
		http.Redirect(w, r, elsewhere[n]+"?"+r.URL.RawQuery, http.StatusFound)
	case n == 6:
		w.Header().Set("Content-Length", "100000")
		_, _ = io.WriteString(w, "cut")
		panic(http.ErrAbortHandler)
	default:
		query.Del("signature")
		r.URL.RawQuery = query.Encode()
		s.Simulator.ServeHTTP(w, r)
	}
}
