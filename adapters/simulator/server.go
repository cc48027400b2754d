package simulator

import (
	"crypto/md5" //nolint:gosec // the vendor's signature and hash
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Phase of the faults.
type Phase string

const (
	Disturbed Phase = "disturbed"
	Recovered Phase = "recovered"
)

// Times of the service.
const (
	tokenLife      = 129600 * time.Second
	disturbedToken = 2 * time.Second // how long a token really lives while disturbed
	urlLife        = time.Hour
	slowBody       = 400 * time.Millisecond
)

// Simulator serves one data set. It is an http.Handler:
//
//	POST /token          a token, for the client id and secret
//	POST /data           lists and re-reads
//	GET  /files/{d}/{f}  a file, by a URL of a list
//	GET, PUT /control/phase
//	GET  /control/truth  what is served, with the SHA-256 of every file
type Simulator struct {
	config    Config
	documents []Document
	byImage   map[string]int
	base      string // URL under which it is reached

	clientID, secret string

	mu     sync.Mutex
	phase  Phase
	tokens map[string]time.Time
	served Stats

	digests []digests // by document, computed when first asked for
	mux     *http.ServeMux
}

// Stats of what was asked.
type Stats struct {
	Tokens, Lists, Rereads, Files, Bytes int64
}

type digests struct {
	once  sync.Once
	files []fileDigest
}

type fileDigest struct {
	size        int
	md5, sha256 string
}

// New makes a simulator that is reached under a base URL and lets one client in.
func New(c Config, base, clientID, secret string) (*Simulator, error) {
	documents, err := generate(c)
	if err != nil {
		return nil, err
	}
	s := &Simulator{
		config: c, documents: documents, byImage: map[string]int{}, base: strings.TrimSuffix(base, "/"), clientID: clientID, secret: secret,
		phase: Disturbed, tokens: map[string]time.Time{}, digests: make([]digests, len(documents)), mux: http.NewServeMux(),
	}
	for i, d := range documents {
		if d.ImageNumber != "" {
			s.byImage[d.ImageNumber] = i
		}
	}
	s.mux.HandleFunc("POST /token", s.token)
	s.mux.HandleFunc("POST /data", s.data)
	s.mux.HandleFunc("GET /files/{document}/{file}", s.file)
	s.mux.HandleFunc("GET /control/phase", s.getPhase)
	s.mux.HandleFunc("PUT /control/phase", s.putPhase)
	s.mux.HandleFunc("GET /control/truth", s.truth)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

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

// shows tells whether a document's fault is at work.
func shows(d Document, fault Fault, phase Phase) bool {
	return d.Fault == fault && (phase == Disturbed || !Transient[fault])
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone, if it fails
}

func refuse(w http.ResponseWriter, code, description string) {
	answer(w, http.StatusOK, map[string]any{"errcode": code, "description": description, "traceId": rand.Text()})
}

func (s *Simulator) token(w http.ResponseWriter, r *http.Request) {
	var request struct {
		ClientID  string `json:"client_id"`
		Timestamp any    `json:"timestamp"`
		Sign      string `json:"sign"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&request); err != nil {
		refuse(w, "1001", "the request is not JSON")
		return
	}
	sum := md5.Sum([]byte(s.clientID + s.secret + fmt.Sprint(request.Timestamp))) //nolint:gosec // the vendor's signature
	if request.ClientID != s.clientID || subtle.ConstantTimeCompare([]byte(request.Sign), []byte(hex.EncodeToString(sum[:]))) != 1 {
		refuse(w, "1002", "client_id or sign is wrong")
		return
	}
	life := tokenLife
	if s.count(func(st *Stats) { st.Tokens++ }) == Disturbed {
		life = disturbedToken
	}
	token := rand.Text()
	s.mu.Lock()
	s.tokens[token] = time.Now().Add(life)
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{
		"errcode": "0000", "description": "success", "access_token": token, "token_type": "bearer", "expires_in": int(tokenLife.Seconds()),
	})
}

func (s *Simulator) allowed(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.tokens[token])
}

type query struct {
	OrgNumbers   []string `json:"orgNumbers"`
	BillTypes    []string `json:"billTypes"`
	StartTime    string   `json:"startTime"`
	EndTime      string   `json:"endTime"`
	ImageNumbers []string `json:"imageNumbers"`
	CurrentPage  int      `json:"currentPage"`
	PageSize     int      `json:"pageSize"`
}

func (s *Simulator) data(w http.ResponseWriter, r *http.Request) {
	if !s.allowed(r.URL.Query().Get("access_token")) {
		refuse(w, "0401", "access_token is invalid or expired")
		return
	}
	q := query{CurrentPage: 1, PageSize: 100}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&q); err != nil || q.CurrentPage < 1 || q.PageSize < 1 || q.PageSize > 1000 {
		refuse(w, "1001", "the request is not as agreed")
		return
	}
	var rows []int
	var missing int
	var phase Phase
	if len(q.ImageNumbers) > 0 {
		phase = s.count(func(st *Stats) { st.Rereads++ })
		rows = s.reread(q)
	} else {
		if refused := s.refusedScope(q); refused != "" {
			refuse(w, "1004", refused)
			return
		}
		phase = s.count(func(st *Stats) { st.Lists++ })
		rows, missing = s.list(q, phase)
	}
	total := len(rows) + missing
	start := min((q.CurrentPage-1)*q.PageSize, len(rows))
	data := make([]map[string]any, 0, q.PageSize)
	for _, i := range rows[start:min(start+q.PageSize, len(rows))] {
		data = append(data, s.item(i))
	}
	answer(w, http.StatusOK, map[string]any{
		"errorCode": "0000", "message": "success", "traceId": rand.Text(), "totalElement": total,
		"totalPage": (len(rows) + q.PageSize - 1) / q.PageSize, "pageSize": q.PageSize, "currentPage": q.CurrentPage, "data": data,
	})
}

func (s *Simulator) refusedScope(q query) string {
	for _, org := range q.OrgNumbers {
		if !slices.Contains(organizations, org) {
			return "organisation " + org + " is not known"
		}
	}
	from, err1 := time.Parse(time.DateOnly, q.StartTime)
	to, err2 := time.Parse(time.DateOnly, q.EndTime)
	if err1 != nil || err2 != nil || to.Before(from) || to.After(from.AddDate(0, 1, 0)) {
		return "startTime and endTime span one month at most"
	}
	return ""
}

// list gives the rows of a listing, and how many more its total claims.
func (s *Simulator) list(q query, phase Phase) (rows []int, missing int) {
	first, _ := slices.BinarySearchFunc(s.documents, q.StartTime, func(d Document, date string) int { return strings.Compare(d.BillDate, date) })
	for i := first; i < len(s.documents) && s.documents[i].BillDate <= q.EndTime; i++ {
		d := s.documents[i]
		if len(q.OrgNumbers) > 0 && !slices.Contains(q.OrgNumbers, d.Org) || len(q.BillTypes) > 0 && !slices.Contains(q.BillTypes, d.BillType) {
			continue
		}
		switch {
		case shows(d, NeverListed, phase):
			missing++
		case shows(d, Displaced, phase) && len(rows) > 0:
			rows = append(rows, rows[len(rows)-1])
		case shows(d, ListedTwice, phase):
			rows = append(rows, i, i)
			missing-- // the total counts it once
		default:
			rows = append(rows, i)
		}
	}
	return rows, missing
}

func (s *Simulator) reread(q query) []int {
	var rows []int
	for _, image := range q.ImageNumbers {
		if i, ok := s.byImage[image]; ok && s.documents[i].Fault != NeverListed {
			rows = append(rows, i)
		}
	}
	return rows
}

func (s *Simulator) item(i int) map[string]any {
	d := s.documents[i]
	found := s.digestsOf(i)
	files := make([]map[string]any, len(d.Files))
	for n, f := range d.Files {
		hash := found[n].md5
		if d.Fault == WrongHash && n == 0 {
			hash = strings.Repeat("0", 31) + "1"
		}
		expires := strconv.FormatInt(time.Now().Add(urlLife).Unix(), 10)
		files[n] = map[string]any{
			"id": f.ID, "pid": "p" + strconv.Itoa(i), "fileHash": hash, "fileName": f.Name, "fileExtends": extension(f.Format), "fileSize": found[n].size,
			"originalState": 1, "resource": d.Resource, "fileClass": f.Class, "sequence": f.Sequence,
			"url": fmt.Sprintf("%s/files/%d/%d?expires=%s&sig=%s", s.base, i, n, expires, s.signURL(i, n, expires)),
		}
	}
	item := map[string]any{
		"imageNumber": d.ImageNumber, "resource": d.Resource, "billId": d.BillID, "billNumber": d.BillNumber, "billType": d.BillType,
		"orgNumber": d.Org, "orgName": "组织 " + d.Org, "billDate": d.BillDate, "retention": "30", "files": files,
		"vendorField": "kept as it is",
	}
	if d.ImageNumber == "" {
		delete(item, "imageNumber")
	}
	return item
}

func extension(format string) string {
	switch format {
	case "exe":
		return "png"
	case "encrypted.pdf":
		return "pdf"
	}
	return format
}

func (s *Simulator) signURL(i, n int, expires string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d/%s", s.secret, i, n, expires))
	return hex.EncodeToString(sum[:8])
}

func (s *Simulator) digestsOf(i int) []fileDigest {
	d := &s.digests[i]
	d.once.Do(func() {
		for _, f := range s.documents[i].Files {
			bytes := content(s.config.Seed, s.documents[i], f)
			m, h := md5.Sum(bytes), sha256.Sum256(bytes) //nolint:gosec // the vendor's hash
			d.files = append(d.files, fileDigest{len(bytes), hex.EncodeToString(m[:]), hex.EncodeToString(h[:])})
		}
	})
	return d.files
}

func (s *Simulator) file(w http.ResponseWriter, r *http.Request) {
	i, err1 := strconv.Atoi(r.PathValue("document"))
	n, err2 := strconv.Atoi(r.PathValue("file"))
	expires := r.URL.Query().Get("expires")
	at, err3 := strconv.ParseInt(expires, 10, 64)
	switch {
	case err1 != nil, err2 != nil, i < 0, i >= len(s.documents), n < 0, n >= len(s.documents[i].Files):
		http.NotFound(w, r)
		return
	case err3 != nil, time.Now().Unix() > at, r.URL.Query().Get("sig") != s.signURL(i, n, expires):
		http.Error(w, "the URL has expired", http.StatusForbidden)
		return
	}
	d := s.documents[i]
	bytes := content(s.config.Seed, d, d.Files[n])
	phase := s.count(func(st *Stats) { st.Files++; st.Bytes += int64(len(bytes)) })
	if n > 0 { // faults are of the first file
		d.Fault = None
	}
	switch {
	case shows(d, Throttled, phase):
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
		return
	case shows(d, Unavailable, phase):
		http.Error(w, "the storage is away", http.StatusServiceUnavailable)
		return
	case shows(d, ExpiredURL, phase):
		http.Error(w, "the URL has expired", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(bytes)))
	w.Header().Set("Content-Type", "application/octet-stream")
	half := len(bytes) / 2
	_, _ = w.Write(bytes[:half])
	if shows(d, Truncated, phase) {
		_ = http.NewResponseController(w).Flush() // headers and a half are seen
		panic(http.ErrAbortHandler) // cuts the connection
	}
	if shows(d, Slow, phase) {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(slowBody):
		case <-r.Context().Done():
			return
		}
	}
	_, _ = w.Write(bytes[half:])
}
