package workers_test

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the vendor's hash
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// shelf is a source system whose items a test lays out by hand, and whose
// answers it can take over; the simulator serves data sets made by rule.
type shelf struct {
	base string

	mu        sync.Mutex
	items     []item
	unlisted  int  // how many more its totals claim
	answer    hook // first to see each data call
	download  hook // first to see each download
	tokens    int
	valid     string // the token
	calls     []call
	downloads map[string]int // by file id
	open      int            // requests under way
	away      bool           // whoever asks for anything gets 503
}

// hook answers in the shelf's place, or tells that it did not.
type hook func(w http.ResponseWriter, r *http.Request, c call) bool

// call is a request that was seen.
type call struct {
	at   time.Time
	file string // id of a file, for downloads
	query
}

type query struct {
	OrgNumbers   []string `json:"orgNumbers"`
	StartTime    string   `json:"startTime"`
	EndTime      string   `json:"endTime"`
	ImageNumbers []string `json:"imageNumbers"`
	CurrentPage  int      `json:"currentPage"`
	PageSize     int      `json:"pageSize"`
}

func (c call) lists() bool { return c.file == "" && len(c.ImageNumbers) == 0 }

// item of a listing as the shelf has it; all belong to January 2025.
type item struct {
	image, resource, bill, org string
	files                      []file
}

type file struct {
	id, content string
	class       string // 0 when empty
	hash        string // of the content when empty; "none": none
}

// invoice is a file of a format that the target takes.
func invoice(id string) file {
	return file{id: id, content: "<?xml version=\"1.0\"?>\n<Invoice>" + id + "</Invoice>\n"}
}

// sheet is an item of one organisation with files of the given ids.
func sheet(number string, ids ...string) item {
	i := item{image: number, resource: "EAS", bill: "BILL-" + number, org: "ORG-1"}
	for _, id := range ids {
		i.files = append(i.files, invoice(id))
	}
	return i
}

// sheets makes n items of one file each.
func sheets(n int) []item {
	items := make([]item, n)
	for i := range items {
		items[i] = sheet(fmt.Sprintf("IMG-%04d", i), fmt.Sprintf("f%d", i))
	}
	return items
}

// newShelf puts items on a shelf and registers it as the source of a world.
func (w *world) newShelf(items ...item) *shelf {
	s := &shelf{items: items, downloads: map[string]int{}}
	w.serve(s.handler)
	return s
}

// another puts items on a shelf of its own, as a source of another id.
func (w *world) another(id string, items ...item) *shelf {
	s := &shelf{items: items, downloads: map[string]int{}}
	w.serveAs(id, s.handler)
	return s
}

func (s *shelf) handler(base string) http.Handler {
	s.base = base
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /data", s.data)
	mux.HandleFunc("GET /files/{item}/{file}", s.file)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var away bool
		s.with(func() { away = s.away })
		if away {
			http.Error(w, "out of service", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// with runs a step under the shelf's lock.
func (s *shelf) with(step func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	step()
}

func (s *shelf) token(w http.ResponseWriter, _ *http.Request) {
	var token string
	s.with(func() {
		s.tokens++
		s.valid = fmt.Sprintf("token-of-%s-%d", clientSecret, s.tokens)
		token = s.valid
	})
	write(w, map[string]any{"errcode": "0000", "access_token": token, "expires_in": 129600})
}

func write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client is gone, if it fails
}

func (s *shelf) data(w http.ResponseWriter, r *http.Request) {
	c := call{at: time.Now()}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(body)).Decode(&c.query)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer s.saw(c)()
	if hook := s.hook(func() hook { return s.answer }); hook != nil && hook(w, r, c) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Query().Get("access_token") != s.valid {
		write(w, map[string]any{"errcode": "0401", "description": "access_token is not valid"})
		return
	}
	write(w, s.page(c.query))
}

// saw records a call until it is over.
func (s *shelf) saw(c call) (over func()) {
	s.with(func() {
		s.calls = append(s.calls, c)
		s.open++
	})
	return func() { s.with(func() { s.open-- }) }
}

func (s *shelf) hook(which func() hook) (h hook) {
	s.with(func() { h = which() })
	return h
}

func (s *shelf) page(q query) map[string]any {
	var rows []map[string]any
	for i, it := range s.items {
		if matches(it, q) {
			rows = append(rows, s.row(i, it))
		}
	}
	total := len(rows)
	if len(q.ImageNumbers) == 0 {
		total += s.unlisted
	}
	start := min((q.CurrentPage-1)*q.PageSize, len(rows))
	return map[string]any{
		"errorCode": "0000", "traceId": "trace", "totalElement": total, "totalPage": (len(rows) + q.PageSize - 1) / q.PageSize,
		"currentPage": q.CurrentPage, "data": rows[start:min(start+q.PageSize, len(rows))],
	}
}

func matches(i item, q query) bool {
	for _, image := range q.ImageNumbers {
		if i.image == image {
			return true
		}
	}
	return len(q.ImageNumbers) == 0 && q.StartTime == from && (len(q.OrgNumbers) == 0 || q.OrgNumbers[0] == i.org)
}

// billID of an item, the same wherever it is listed, and no other's.
func billID(i item) string {
	return fmt.Sprintf("id%08x", crc32.ChecksumIEEE([]byte(i.resource+"/"+i.image)))
}

func (s *shelf) row(at int, i item) map[string]any {
	files := make([]map[string]any, len(i.files))
	for n, f := range i.files {
		class := f.class
		if class == "" {
			class = "0"
		}
		files[n] = map[string]any{
			"id": f.id, "fileName": f.id + ".xml", "fileExtends": "xml", "fileSize": len(f.content), "fileClass": class, "sequence": n + 1,
			"originalState": 1, "url": fmt.Sprintf("%s/files/%d/%d?sig=%d", s.base, at, n, time.Now().UnixNano()),
		}
		switch f.hash {
		case "":
			sum := md5.Sum([]byte(f.content)) //nolint:gosec // the vendor's hash
			files[n]["fileHash"] = hex.EncodeToString(sum[:])
		case "none":
		default:
			files[n]["fileHash"] = f.hash
		}
	}
	return map[string]any{
		"imageNumber": i.image, "resource": i.resource, "billId": billID(i), "billNumber": i.bill, "billType": "ap_invoice", "orgNumber": i.org,
		"orgName": "组织", "billDate": "2025-01-15", "retention": "30", "files": files,
	}
}

func (s *shelf) file(w http.ResponseWriter, r *http.Request) {
	at, err1 := strconv.Atoi(r.PathValue("item"))
	n, err2 := strconv.Atoi(r.PathValue("file"))
	var f file
	s.with(func() {
		if err1 == nil && err2 == nil && at < len(s.items) && n < len(s.items[at].files) {
			f = s.items[at].files[n]
			s.downloads[f.id]++
		}
	})
	c := call{at: time.Now(), file: f.id}
	defer s.saw(c)()
	if hook := s.hook(func() hook { return s.download }); hook != nil && hook(w, r, c) {
		return
	}
	_, _ = io.WriteString(w, f.content) // the client is gone, if it fails
}

// seen are the calls so far.
func (s *shelf) seen() (calls []call) {
	s.with(func() { calls = append(calls, s.calls...) })
	return calls
}

// downloaded tells how often each file was asked for.
func (s *shelf) downloaded() map[string]int {
	all := map[string]int{}
	s.with(func() {
		for id, n := range s.downloads {
			all[id] = n
		}
	})
	return all
}
