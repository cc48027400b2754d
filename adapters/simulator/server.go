// Package simulator is a stand-in for the standard-edition imaging system: it
// serves the protocol of domain.md ("The source") over HTTP, with real files
// of real formats, from a data set that is a function of a seed.
//
// Faults are chosen by item and by phase, never by request count or chance, so
// that a restart of anything changes no figure. In the phase disturbed all of
// them show; in recovered the transient ones are over. Two faults pass with
// time and are waited out: tokens die early while disturbed, and a listing
// that was throttled is served when the time of its Retry-After is over. One
// is of an item that is shown once: it vanishes.
package simulator

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Times of the service.
const (
	tokenLife  = 129600 * time.Second
	clockSkew  = 10 * time.Minute
	urlLife    = time.Hour
	slowBody   = 400 * time.Millisecond
	retryAfter = time.Second
)

// disturbedCalls is how many calls a token is good for while disturbed, whatever
// was said when it was given.
const disturbedCalls = 50

// maxRequest bounds a request's body in bytes.
const maxRequest = 1 << 20

// Simulator serves one data set. It is an http.Handler:
//
//	POST /token          a token, for the client id and secret
//	POST /data           lists and re-reads
//	GET  /files/{d}/{f}  a file, by a URL of a list
//	GET, PUT /control/phase
//	GET  /control/truth  what is served and what a migration must arrive at
type Simulator struct {
	config  Config
	records []record
	bodies  []madeOnce     // by document
	byImage map[string]int // document
	base    string         // URL under which it is reached
	mux     *http.ServeMux

	clientID, secret string

	mu        sync.Mutex
	phase     Phase
	tokens    map[string]int    // how many calls each is still good for
	throttled map[int]time.Time // until when the page of a throttled listing is refused, by document
	vanished  map[int]bool      // vanishing documents that were shown
	served    Stats
}

// Stats of what was asked.
type Stats struct {
	Tokens  int64 `json:"tokens"`
	Lists   int64 `json:"lists"`
	Rereads int64 `json:"rereads"`
	Files   int64 `json:"files"`
	Bytes   int64 `json:"bytes"`
}

// New makes a simulator that is reached under a base URL and lets one client in.
func New(c Config, base, clientID, secret string) (*Simulator, error) {
	c = c.withDefaults()
	records, err := c.generate()
	if err != nil {
		return nil, err
	}
	s := &Simulator{
		config: c, records: records, bodies: make([]madeOnce, len(records)), byImage: make(map[string]int, len(records)),
		base: strings.TrimSuffix(base, "/"), mux: http.NewServeMux(), clientID: clientID, secret: secret,
		phase: Disturbed, tokens: map[string]int{}, throttled: map[int]time.Time{}, vanished: map[int]bool{},
	}
	for i, r := range records {
		if r.missing != "imageNumber" {
			s.byImage[r.imageNumber] = i
		}
	}
	s.mux.HandleFunc("POST /token", s.token)
	s.mux.HandleFunc("POST /data", s.data)
	s.mux.HandleFunc("GET /files/{document}/{file}", s.file)
	s.mux.HandleFunc("GET /control/phase", s.getPhase)
	s.mux.HandleFunc("PUT /control/phase", s.putPhase)
	s.mux.HandleFunc("GET /control/truth", s.getTruth)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	s.mux.ServeHTTP(w, r)
}

// now is the source's own time.
func (s *Simulator) now() time.Time { return time.Now().Add(s.config.ClockAhead) }

// SetPhase changes the phase of all faults.
func (s *Simulator) SetPhase(p Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = p
}

// Stats of what was asked so far.
func (s *Simulator) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served
}

func (s *Simulator) count(add func(*Stats)) Phase {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.served)
	return s.phase
}

func (s *Simulator) getPhase(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"phase": s.phase, "stats": s.served})
}

func (s *Simulator) putPhase(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Phase Phase `json:"phase"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&wanted); err != nil || wanted.Phase != Disturbed && wanted.Phase != Recovered {
		http.Error(w, `give {"phase": "disturbed"} or {"phase": "recovered"}`, http.StatusBadRequest)
		return
	}
	s.SetPhase(wanted.Phase)
	w.WriteHeader(http.StatusNoContent)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone, if it fails
}

func refuse(w http.ResponseWriter, code, description string) {
	answer(w, http.StatusOK, map[string]any{"errcode": code, "description": description, "traceId": rand.Text()})
}

func throttle(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	http.Error(w, "too many requests", http.StatusTooManyRequests)
}

func (s *Simulator) token(w http.ResponseWriter, r *http.Request) {
	var request struct {
		ClientID  string          `json:"client_id"`
		Timestamp json.RawMessage `json:"timestamp"` // a text or a number
		Sign      string          `json:"sign"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&request); err != nil {
		refuse(w, "1001", "the request is not JSON")
		return
	}
	timestamp := strings.Trim(string(request.Timestamp), `"`)
	if !s.timely(timestamp) {
		refuse(w, "1003", "timestamp is not the present time in "+s.config.TimestampUnit)
		return
	}
	sign := hex.EncodeToString(signatures[s.config.SignAlgorithm](s.clientID+s.secret+timestamp, s.secret))
	if request.ClientID != s.clientID || subtle.ConstantTimeCompare([]byte(request.Sign), []byte(sign)) != 1 {
		refuse(w, "1002", "client_id or sign is wrong")
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"errcode": "0000", "description": "success", "access_token": s.newToken(), "token_type": "bearer", "expires_in": int(tokenLife.Seconds()),
	})
}

func (s *Simulator) timely(timestamp string) bool {
	n, err := strconv.ParseInt(timestamp, 10, 64)
	at := time.UnixMilli(n)
	if s.config.TimestampUnit == "s" {
		at = time.Unix(n, 0)
	}
	return err == nil && s.now().Sub(at).Abs() < clockSkew
}

func (s *Simulator) newToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served.Tokens++
	calls := math.MaxInt
	if s.phase == Disturbed {
		calls = disturbedCalls
	}
	token := rand.Text()
	s.tokens[token] = calls
	return token
}

func (s *Simulator) allowed(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens[token] == 0 {
		return false
	}
	s.tokens[token]--
	return true
}
