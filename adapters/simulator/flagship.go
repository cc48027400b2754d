package simulator

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FlagshipConfig says whom a stand-in of the flagship edition lets in.
type FlagshipConfig struct {
	AppID, AppSecret    string
	TenantID, AccountID string
	User, UserType      string
}

// FlagshipFault is what goes wrong with a document, for as long as it is set.
type FlagshipFault string

const (
	FilingRefused     FlagshipFault = "refused"      // registering answers a code
	FilingIndiscreet  FlagshipFault = "indiscreet"   // the same, and the message repeats the access token
	FilingBusy        FlagshipFault = "busy"         // uploads answer 503
	FilingLimited     FlagshipFault = "limited"      // uploads answer 429 with Retry-After
	FilingUnlike      FlagshipFault = "unlike"       // uploads answer a page
	FilingLosesAFile  FlagshipFault = "loses-a-file" // a commit keeps all files but the last
	FilingSpoilsAFile FlagshipFault = "spoils-a-file"
	FilingHidesFiles  FlagshipFault = "hides-files" // files cannot be fetched without a login
)

// Flagship is a stand-in for the flagship edition's open platform: it keeps
// what is filed, and tells it. It is an http.Handler:
//
//	POST /api/getAppToken.do, /api/login.do      an access token, in two steps
//	POST /kapi/app/bds/erpBillPush               register a document
//	POST /kapi/app/bds/fileCollect               upload a file
//	POST /kapi/app/bds/scanBillSubmit            commit
//	POST /kapi/app/bds/operate                   queryBillStatus
//	POST /kapi/app/rim/queryCover                the files of a document
//	GET  /flagship/files/{number}                a file, by a URL of queryCover
//	GET, PUT /control/flagship                   what was filed; faults
type Flagship struct {
	config FlagshipConfig
	base   string
	mux    *http.ServeMux
	key    string // of the signatures of URLs

	mu        sync.Mutex
	appTokens map[string]bool
	tokens    map[string]time.Time
	logins    int
	faults    map[string]FlagshipFault // by image number
	bills     map[billKey]*FiledBill
	uploads   map[string]FiledFile // by number
}

type billKey struct{ imageNumber, resource string }

// FiledBill is a document as it was filed.
type FiledBill struct {
	ImageNumber  string      `json:"imageNumber"`
	Resource     string      `json:"resource"`
	BillID       string      `json:"billId"`
	DocumentType string      `json:"documentType"`
	Organization string      `json:"organization"`
	BillNumber   string      `json:"billNumber"`
	Commits      int         `json:"commits"`
	Files        []FiledFile `json:"files"`
}

// FiledFile is a file of it.
type FiledFile struct {
	Number string `json:"number"`
	Class  string `json:"class"` // cover, invoice, attach
	Suffix string `json:"suffix"`
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`

	content []byte
	of      billKey
}

// flagshipTokenLife is how long an access token lives.
const flagshipTokenLife = 2 * time.Hour

// maxFlagshipRequest bounds a request's body in bytes.
const maxFlagshipRequest = 64 << 20

// NewFlagship makes one that is reached under a base URL.
func NewFlagship(c FlagshipConfig, base string) *Flagship {
	f := &Flagship{
		config: c, base: strings.TrimSuffix(base, "/"), mux: http.NewServeMux(), key: rand.Text(), appTokens: map[string]bool{}, tokens: map[string]time.Time{},
		faults: map[string]FlagshipFault{}, bills: map[billKey]*FiledBill{}, uploads: map[string]FiledFile{},
	}
	f.mux.HandleFunc("POST /api/getAppToken.do", f.appToken)
	f.mux.HandleFunc("POST /api/login.do", f.login)
	f.mux.HandleFunc("POST /kapi/app/bds/erpBillPush", known(f, f.register))
	f.mux.HandleFunc("POST /kapi/app/bds/fileCollect", known(f, f.collect))
	f.mux.HandleFunc("POST /kapi/app/bds/scanBillSubmit", known(f, f.submit))
	f.mux.HandleFunc("POST /kapi/app/bds/operate", known(f, f.operate))
	f.mux.HandleFunc("POST /kapi/app/rim/queryCover", known(f, f.cover))
	f.mux.HandleFunc("GET /flagship/files/{number}", f.file)
	f.mux.HandleFunc("GET /control/flagship", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, f.Filed()) })
	f.mux.HandleFunc("PUT /control/flagship", f.control)
	return f
}

// FlagshipPaths are those that it serves, for whoever serves others beside it.
var FlagshipPaths = []string{"/api/", "/kapi/", "/flagship/", "/control/flagship"}

// ServeHTTP implements http.Handler.
func (f *Flagship) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

// SetFaults replaces the faults, by image number.
func (f *Flagship) SetFaults(faults map[string]FlagshipFault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = faults
}

// ExpireTokens ends all access tokens.
func (f *Flagship) ExpireTokens() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.tokens)
}

// Logins counts access tokens that were given.
func (f *Flagship) Logins() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logins
}

// Filed tells what was committed, in order of image number and resource.
func (f *Flagship) Filed() []FiledBill {
	f.mu.Lock()
	defer f.mu.Unlock()
	filed := []FiledBill{}
	for _, b := range f.bills {
		if b.Commits > 0 {
			filed = append(filed, *b)
		}
	}
	slices.SortFunc(filed, func(a, b FiledBill) int {
		return cmp.Or(cmp.Compare(a.ImageNumber, b.ImageNumber), cmp.Compare(a.Resource, b.Resource))
	})
	return filed
}

func (f *Flagship) control(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Faults       map[string]FlagshipFault `json:"faults"`
		ExpireTokens bool                     `json:"expireTokens"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&wanted); err != nil {
		http.Error(w, `give {"faults": {"IMAGE NUMBER": "busy"}, "expireTokens": true}`, http.StatusBadRequest)
		return
	}
	f.SetFaults(wanted.Faults)
	if wanted.ExpireTokens {
		f.ExpireTokens()
	}
	w.WriteHeader(http.StatusNoContent)
}

// envelope of every answer.
func envelope(w http.ResponseWriter, data any) {
	answer(w, http.StatusOK, map[string]any{"success": true, "errorCode": "0000", "message": "success", "data": data})
}

func refuseCall(w http.ResponseWriter, code, message string) {
	answer(w, http.StatusOK, map[string]any{"success": false, "errorCode": code, "message": message, "traceId": rand.Text()})
}

func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFlagshipRequest)).Decode(into); err != nil {
		refuseCall(w, "1001", "the request is not the agreed JSON")
		return false
	}
	return true
}

func (f *Flagship) appToken(w http.ResponseWriter, r *http.Request) {
	var q struct{ AppID, AppSecret, Tenantid, AccountID, Language string }
	if !decode(w, r, &q) {
		return
	}
	c := f.config
	if q.AppID != c.AppID || q.AppSecret != c.AppSecret || q.Tenantid != c.TenantID || q.AccountID != c.AccountID || q.Language == "" {
		refuseCall(w, "1002", "appId or appSecret is wrong: "+q.AppSecret)
		return
	}
	token := rand.Text()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.appTokens[token] = true
	envelope(w, map[string]any{"app_token": token, "expire_time": time.Now().Add(time.Hour).UnixMilli()})
}

func (f *Flagship) login(w http.ResponseWriter, r *http.Request) {
	var q struct{ User, Apptoken, AccountID, Usertype string }
	if !decode(w, r, &q) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.appTokens[q.Apptoken] || q.User != f.config.User || q.AccountID != f.config.AccountID || q.Usertype != f.config.UserType {
		refuseCall(w, "1003", "apptoken or user is wrong: "+q.Apptoken)
		return
	}
	token, expires := rand.Text(), time.Now().Add(flagshipTokenLife)
	f.tokens[token] = expires
	f.logins++
	envelope(w, map[string]any{"access_token": token, "expire_time": expires.UnixMilli()})
}

// known takes a call of those who have an access token.
func known[T any](f *Flagship, call func(w http.ResponseWriter, token string, q T)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q T
		if !decode(w, r, &q) {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		token := r.URL.Query().Get("access_token")
		if !time.Now().Before(f.tokens[token]) {
			answer(w, http.StatusUnauthorized, map[string]any{"success": false, "errorCode": "401", "message": "access_token is invalid or expired"})
			return
		}
		call(w, token, q)
	}
}

func (f *Flagship) sign(number string) string {
	sum := sha256.Sum256([]byte(f.key + number))
	return hex.EncodeToString(sum[:8])
}
