package simulator_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

const (
	clientID = "client"
	secret   = "secret"
	from     = "2025-01-01"
	to       = "2025-03-31"
)

// service is a simulator on a listener, and a client of it.
type service struct {
	t      testing.TB
	sim    *simulator.Simulator
	server *httptest.Server
}

func start(t testing.TB, c simulator.Config) *service {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	if c.From == "" {
		c.From, c.To = from, to
	}
	sim, err := simulator.New(c, "http://"+server.Listener.Addr().String()+"/", clientID, secret)
	require.NoError(t, err)
	server.Config.Handler = sim
	server.Start()
	t.Cleanup(server.Close)
	return &service{t: t, sim: sim, server: server}
}

// recovered is a service whose token lives.
func recovered(t testing.TB, c simulator.Config) *service {
	s := start(t, c)
	s.sim.SetPhase(simulator.Recovered)
	return s
}

func (s *service) post(path string, body any) *http.Response {
	s.t.Helper()
	content, err := json.Marshal(body)
	require.NoError(s.t, err)
	response, err := s.server.Client().Post(s.server.URL+path, "application/json", bytes.NewReader(content))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func decode[T any](t testing.TB, response *http.Response) T {
	t.Helper()
	var answer T
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer
}

type tokenAnswer struct {
	ErrCode     string `json:"errcode"`
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
}

func md5Sign(timestamp string) string {
	sum := md5.Sum([]byte(clientID + secret + timestamp))
	return hex.EncodeToString(sum[:])
}

func now() string { return strconv.FormatInt(time.Now().UnixMilli(), 10) }

func (s *service) requestToken(timestamp, sign string) tokenAnswer {
	s.t.Helper()
	return decode[tokenAnswer](s.t, s.post("/token", map[string]string{"client_id": clientID, "timestamp": timestamp, "sign": sign}))
}

type listAnswer struct {
	ErrCode      string  `json:"errcode"`
	ErrorCode    string  `json:"errorCode"`
	Description  string  `json:"description"`
	TotalElement int     `json:"totalElement"`
	TotalPage    int     `json:"totalPage"`
	Data         []shown `json:"data"`
}

type shown struct {
	ImageNumber string  `json:"imageNumber"`
	BillID      string  `json:"billId"`
	BillNumber  string  `json:"billNumber"`
	BillType    string  `json:"billType"`
	OrgNumber   *string `json:"orgNumber"`
	Files       []struct {
		ID          string `json:"id"`
		FileHash    string `json:"fileHash"`
		FileExtends string `json:"fileExtends"`
		FileSize    int    `json:"fileSize"`
		FileClass   *int   `json:"fileClass"`
		URL         string `json:"url"`
	} `json:"files"`
}

// data is a data call, with a fresh token each time: they die early.
func (s *service) data(request map[string]any) *http.Response {
	s.t.Helper()
	timestamp := now()
	token := s.requestToken(timestamp, md5Sign(timestamp))
	require.Equal(s.t, "0000", token.ErrCode)
	return s.post("/data?reqid=1&access_token="+token.AccessToken, request)
}

func (s *service) list(request map[string]any) listAnswer {
	s.t.Helper()
	response := s.data(request)
	require.Equal(s.t, http.StatusOK, response.StatusCode)
	return decode[listAnswer](s.t, response)
}

func month(n, page int) map[string]any {
	first := time.Date(2025, time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	return map[string]any{
		"startTime": first.Format(time.DateOnly), "endTime": first.AddDate(0, 1, -1).Format(time.DateOnly), "currentPage": page, "pageSize": 50,
	}
}

// months lists everything, page by page.
func (s *service) months() (items []shown, total int) {
	s.t.Helper()
	for n := 1; n <= 3; n++ {
		for page := 1; ; page++ {
			answer := s.list(month(n, page))
			require.Equal(s.t, "0000", answer.ErrorCode, answer.Description)
			items = append(items, answer.Data...)
			if page >= answer.TotalPage {
				total += answer.TotalElement
				break
			}
		}
	}
	return items, total
}

func (s *service) get(url string) (status int, body []byte, err error) {
	s.t.Helper()
	response, err := s.server.Client().Get(url)
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}
