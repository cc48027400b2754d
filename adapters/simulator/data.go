package simulator

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type query struct {
	OrgNumbers   []string `json:"orgNumbers"`
	BillTypes    []string `json:"billTypes"`
	StartTime    string   `json:"startTime"`
	EndTime      string   `json:"endTime"`
	ImageNumbers []string `json:"imageNumbers"`
	CurrentPage  int      `json:"currentPage"`
	PageSize     int      `json:"pageSize"`
}

// maxPage is the largest page that is served.
const maxPage = 1000

func (s *Simulator) data(w http.ResponseWriter, r *http.Request) {
	if !s.allowed(r.URL.Query().Get("access_token")) {
		refuse(w, "0401", "access_token is invalid or expired")
		return
	}
	if s.count(func(*Stats) {}) == Disturbed && s.config.Hostile.misbehave(w) {
		return
	}
	q := query{CurrentPage: 1, PageSize: 100}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&q); err != nil || q.CurrentPage < 1 || q.PageSize < 1 || q.PageSize > maxPage {
		refuse(w, "1001", "the request is not as agreed")
		return
	}
	if len(q.ImageNumbers) > 0 {
		phase := s.count(func(st *Stats) { st.Rereads++ })
		s.answerPage(w, s.reread(q, phase))
		return
	}
	if code, reason := s.refusedScope(q); code != "" {
		refuse(w, code, reason)
		return
	}
	phase := s.count(func(st *Stats) { st.Lists++ })
	l := s.list(q, phase)
	if s.throttles(l, phase) {
		throttle(w)
		return
	}
	s.answerPage(w, l)
}

func (s *Simulator) answerPage(w http.ResponseWriter, l *listing) {
	data := make([]item, len(l.shown))
	for n, i := range l.shown {
		data[n] = s.item(i)
	}
	answer(w, http.StatusOK, map[string]any{
		"errorCode": "0000", "message": "success", "traceId": rand.Text(), "totalElement": l.total, "totalPage": l.pages,
		"pageSize": l.query.PageSize, "currentPage": l.query.CurrentPage, "data": data,
	})
}

func (s *Simulator) refusedScope(q query) (code, reason string) {
	for _, org := range q.OrgNumbers {
		if org == s.config.RefusedOrganization {
			return "1403", "organisation " + org + " may not be read by this client"
		}
		if !slices.Contains(organizations, org) {
			return "1004", "organisation " + org + " is not known"
		}
	}
	from, err1 := time.Parse(time.DateOnly, q.StartTime)
	to, err2 := time.Parse(time.DateOnly, q.EndTime)
	if err1 != nil || err2 != nil || to.Before(from) || to.After(from.AddDate(0, 1, 0)) {
		return "1005", "startTime and endTime span one month at most"
	}
	return "", ""
}

// listing is what a data call lists, and the page of it that is shown.
type listing struct {
	query query
	rows  []int // documents
	total int
	pages int
	shown []int
}

func page(q query, rows []int, total int) *listing {
	start := min((q.CurrentPage-1)*q.PageSize, len(rows))
	return &listing{
		query: q, rows: rows, total: total, pages: (len(rows) + q.PageSize - 1) / q.PageSize, shown: rows[start:min(start+q.PageSize, len(rows))],
	}
}

func (s *Simulator) list(q query, phase Phase) *listing {
	var matching []int
	first, _ := slices.BinarySearchFunc(s.records, q.StartTime, func(r record, date string) int { return strings.Compare(r.billDate, date) })
	for i := first; i < len(s.records) && s.records[i].billDate <= q.EndTime; i++ {
		r := s.records[i]
		if (len(q.OrgNumbers) == 0 || slices.Contains(q.OrgNumbers, r.org)) && (len(q.BillTypes) == 0 || slices.Contains(q.BillTypes, r.billType)) {
			matching = append(matching, i)
		}
	}
	rows := s.rows(matching, phase)
	l := page(q, rows, len(matching))
	if slices.ContainsFunc(matching, func(i int) bool { return s.records[i].shows(Vanishing, phase) && s.gone(i) }) {
		l.total = len(rows) // nobody counts what is gone
	}
	s.vanish(l, phase)
	if phase == Disturbed {
		s.config.Hostile.distort(l)
	}
	return l
}

// rows are the matching documents as a listing shows them.
func (s *Simulator) rows(matching []int, phase Phase) []int {
	rows := make([]int, 0, len(matching))
	for n, i := range matching {
		switch r := s.records[i]; {
		case r.shows(NeverListed, phase), r.shows(Vanishing, phase) && s.gone(i):
		case r.shows(Displaced, phase):
			if neighbour, ok := s.neighbour(matching, n, phase); ok {
				rows = append(rows, neighbour)
			}
		case r.shows(ListedTwice, phase):
			rows = append(rows, i, i)
		default:
			rows = append(rows, i)
		}
	}
	return rows
}

// neighbour is the nearest document that is listed as it should be: before, or
// else after.
func (s *Simulator) neighbour(matching []int, n int, phase Phase) (int, bool) {
	listed := func(i int) bool {
		return !s.records[i].shows(NeverListed, phase) && !s.records[i].shows(Displaced, phase)
	}
	for k := n - 1; k >= 0; k-- {
		if listed(matching[k]) {
			return matching[k], true
		}
	}
	for _, i := range matching[n+1:] {
		if listed(i) {
			return i, true
		}
	}
	return 0, false
}

// throttles tells that a page shows an item whose listing is throttled, the
// first time and until the time of Retry-After is over.
func (s *Simulator) throttles(l *listing, phase Phase) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	refused := false
	for _, i := range l.shown {
		if !s.records[i].shows(ThrottledListing, phase) {
			continue
		}
		if _, asked := s.throttled[i]; !asked {
			s.throttled[i] = time.Now().Add(retryAfter)
		}
		refused = refused || time.Now().Before(s.throttled[i])
	}
	return refused
}

// gone tells that a vanishing document was shown before.
func (s *Simulator) gone(i int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.vanished[i]
}

// vanish has the vanishing documents of a page shown for the last time.
func (s *Simulator) vanish(l *listing, phase Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range l.shown {
		if s.records[i].shows(Vanishing, phase) {
			s.vanished[i] = true
		}
	}
}

func (s *Simulator) reread(q query, phase Phase) *listing {
	var rows []int
	for _, image := range q.ImageNumbers {
		i, ok := s.byImage[image]
		if ok && s.records[i].fault != NeverListed && (!s.records[i].shows(Vanishing, phase) || !s.gone(i)) {
			rows = append(rows, i)
		}
	}
	return page(q, rows, len(rows))
}

type item struct {
	ImageNumber string     `json:"imageNumber,omitempty"`
	Resource    string     `json:"resource"`
	BillID      string     `json:"billId"`
	BillNumber  string     `json:"billNumber"`
	BillType    string     `json:"billType,omitempty"`
	OrgNumber   *string    `json:"orgNumber"`
	OrgName     string     `json:"orgName"`
	BillDate    string     `json:"billDate"`
	Retention   string     `json:"retention"`
	Files       []itemFile `json:"files"`
	VendorField string     `json:"vendorField"`
}

type itemFile struct {
	ID            string `json:"id"`
	PID           string `json:"pid"`
	FileHash      string `json:"fileHash"`
	FileName      string `json:"fileName"`
	FileExtends   string `json:"fileExtends"`
	FileSize      int    `json:"fileSize"`
	OriginalState int    `json:"originalState"`
	Resource      string `json:"resource"`
	FileClass     *int   `json:"fileClass,omitempty"`
	Sequence      int    `json:"sequence"`
	URL           string `json:"url"`
}

func (s *Simulator) item(i int) item {
	r := s.records[i]
	found := s.made(i)
	it := item{
		ImageNumber: r.imageNumber, Resource: r.resource, BillID: r.billID, BillNumber: r.billNumber, BillType: r.billType, OrgNumber: &r.org,
		OrgName: "组织 " + r.org, BillDate: r.billDate, Retention: "30", Files: make([]itemFile, len(r.files)), VendorField: "kept as it is",
	}
	expires := strconv.FormatInt(time.Now().Add(s.config.URLLife).UnixMilli(), 10)
	for n, f := range r.files {
		it.Files[n] = itemFile{
			ID: f.id, PID: "p" + strconv.Itoa(i), FileHash: found[n].hash, FileName: f.name, FileExtends: extension(f.format), FileSize: found[n].size,
			OriginalState: 1, Resource: r.resource, FileClass: &f.class, Sequence: f.sequence,
			URL: fmt.Sprintf("%s/files/%d/%d?expires=%s&sig=%s", s.base, i, n, expires, s.signURL(i, n, expires)),
		}
	}
	r.spoilItem(&it)
	return it
}

// spoilItem leaves out what the document's item lacks: a field that is absent,
// null or empty.
func (r record) spoilItem(it *item) {
	switch r.missing {
	case "imageNumber":
		it.ImageNumber = ""
	case "billId":
		it.BillID = ""
	case "billType":
		it.BillType = ""
	case "orgNumber":
		it.OrgNumber = nil
	case "fileClass":
		it.Files[r.faulty].FileClass = nil
	}
	if r.fault == WrongHash {
		f := &it.Files[r.faulty]
		f.FileHash = strings.Repeat("0", len(f.FileHash)-1) + "1"
	}
}
