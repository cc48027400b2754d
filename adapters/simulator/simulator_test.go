package simulator_test

import (
	"archive/zip"
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/stretchr/testify/require"
	_ "golang.org/x/image/tiff"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/commands/content"
)

func TestADataSetIsAFunctionOfItsSeed(t *testing.T) {
	t.Parallel()
	c := simulator.Config{Seed: 3, Documents: 100, Faults: map[simulator.Fault]int{simulator.WrongHash: 5}, FileSize: 500, MaxFiles: 3}
	first, again := start(t, c).sim.Truth(), start(t, c).sim.Truth()
	require.Equal(t, first, again)
	c.Seed = 4
	require.NotEqual(t, first, start(t, c).sim.Truth())
	digests := map[string]bool{}
	for _, d := range first.Documents {
		for _, f := range d.Files {
			require.False(t, digests[f.SHA256], "no two files are equal")
			digests[f.SHA256] = true
		}
	}
}

func TestFilesAreWhatTheirExtensionSays(t *testing.T) {
	t.Parallel()
	// From an empty filling to one that is more than all of the noise.
	for _, size := range []int{0, 300, 80_000, 1_500_000} {
		s := recovered(t, simulator.Config{Documents: 13, FileSize: size, MinFiles: 1, From: from, To: from})
		items := s.list(month(1, 1)).Data
		require.Len(t, items, 13)
		for _, item := range items {
			f := item.Files[0]
			status, body, err := s.get(f.URL)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status)
			require.Len(t, body, f.FileSize)
			require.GreaterOrEqual(t, len(body), size/2)
			require.Equal(t, hex.EncodeToString(sum(md5.New(), body)), f.FileHash)
			requireFormat(t, f.FileExtends, body)
		}
	}
}

func requireFormat(t *testing.T, extension string, body []byte) {
	t.Helper()
	format, err := content.Format(bytes.NewReader(body), int64(len(body)))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"jpg": "jpeg", "tif": "tiff", "png": "png", "pdf": "pdf", "ofd": "ofd", "xml": "xml"}[extension], format)
	found, err := content.Inspect(t.Context(), bytes.NewReader(body), int64(len(body)), format)
	require.NoError(t, err)
	require.Empty(t, found.Unreadable+found.Active+found.Excessive)
	switch extension {
	case "jpg", "png", "tif":
		_, _, err := image.Decode(bytes.NewReader(body))
		require.NoError(t, err)
	case "ofd":
		archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		require.NoError(t, err)
		for _, entry := range archive.File {
			r, err := entry.Open()
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, r) // compares its checksum
			require.NoError(t, err)
		}
	case "pdf":
		tail := body[bytes.LastIndex(body, []byte("startxref\n")):]
		at, err := strconv.Atoi(strings.Split(string(tail), "\n")[1])
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(body[at:], []byte("xref\n0 6\n")))
	}
}

func sum(h hash.Hash, b []byte) []byte {
	h.Write(b)
	return h.Sum(nil)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := recovered(t, simulator.Config{Documents: 4})
	timestamp := now()
	token := s.requestToken(timestamp, md5Sign(timestamp))
	require.Equal(t, "0000", token.ErrCode)
	require.Equal(t, 129600, token.ExpiresIn)
	require.Equal(t, "1002", s.requestToken(timestamp, md5Sign(timestamp+"0")).ErrCode, "another sign")
	require.Equal(t, "1002", s.requestToken(timestamp, strings.ToUpper(md5Sign(timestamp))).ErrCode, "upper case")
	for _, wrong := range []string{"", "x", "1", strconv.FormatInt(time.Now().Unix(), 10), strconv.FormatInt(time.Now().Add(-time.Hour).UnixMilli(), 10)} {
		require.Equal(t, "1003", s.requestToken(wrong, md5Sign(wrong)).ErrCode, "timestamp %q", wrong)
	}
	require.Equal(t, "1001", decode[tokenAnswer](t, s.post("/token", "no object")).ErrCode)
	require.Equal(t, "0401", decode[listAnswer](t, s.post("/data?access_token=x", month(1, 1))).ErrCode)
	require.EqualValues(t, 1, s.sim.Stats().Tokens)
}

func TestTokensDieEarlyWhileDisturbed(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Documents: 4})
	timestamp := now()
	token := s.requestToken(timestamp, md5Sign(timestamp))
	require.Equal(t, 129600, token.ExpiresIn, "it says otherwise")
	code := func() string {
		return decode[listAnswer](t, s.post("/data?access_token="+token.AccessToken, month(1, 1))).ErrCode
	}
	for range 50 {
		require.Empty(t, code())
	}
	require.Equal(t, "0401", code())
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	signs := map[string]func(string) []byte{
		"md5":    func(text string) []byte { return sum(md5.New(), []byte(text)) },
		"sha256": func(text string) []byte { return sum(sha256.New(), []byte(text)) },
		"hmac-sha256": func(text string) []byte {
			return sum(hmac.New(sha256.New, []byte(secret)), []byte(text))
		},
	}
	for algorithm, sign := range signs {
		s := recovered(t, simulator.Config{SignAlgorithm: algorithm, TimestampUnit: "s"})
		timestamp := strconv.FormatInt(time.Now().Unix(), 10)
		require.Equal(t, "0000", s.requestToken(timestamp, hex.EncodeToString(sign(clientID+secret+timestamp))).ErrCode, algorithm)
		require.Equal(t, "1003", s.requestToken(now(), "").ErrCode, "milliseconds where seconds were agreed")
	}
	hashes := map[string]hash.Hash{"md5": md5.New(), "sha1": sha1.New(), "sha256": sha256.New(), "sm3": sm3.New()}
	for algorithm, h := range hashes {
		s := recovered(t, simulator.Config{Documents: 1, FileSize: 100, HashAlgorithm: algorithm})
		f := s.list(month(1, 1)).Data[0].Files[0]
		_, body, err := s.get(f.URL)
		require.NoError(t, err)
		require.Equal(t, hex.EncodeToString(sum(h, body)), f.FileHash, algorithm)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	s := recovered(t, simulator.Config{Documents: 300, RefusedOrganization: "ORG-003"})
	items, total := s.months()
	require.Len(t, items, 300)
	require.Equal(t, 300, total)
	narrow := month(2, 1)
	narrow["orgNumbers"], narrow["billTypes"] = []string{"ORG-001"}, []string{"ap_invoice"}
	answer := s.list(narrow)
	require.NotEmpty(t, answer.Data)
	for _, item := range answer.Data {
		require.Equal(t, "ORG-001", *item.OrgNumber)
		require.Equal(t, "ap_invoice", item.BillType)
	}
	for org, code := range map[string]string{"ORG-003": "1403", "ORG-999": "1004"} {
		narrow["orgNumbers"] = []string{"ORG-001", org}
		refused := s.list(narrow)
		require.Equal(t, code, refused.ErrCode)
		require.Contains(t, refused.Description, org)
	}
	require.Equal(t, "1005", s.list(map[string]any{"startTime": from, "endTime": to}).ErrCode)
	require.Equal(t, "1001", s.list(map[string]any{"pageSize": 5000}).ErrCode)

	images := []string{items[7].ImageNumber, "not there", items[5].ImageNumber}
	reread := s.list(map[string]any{"imageNumbers": images})
	require.Len(t, reread.Data, 2)
	require.Equal(t, images[0], reread.Data[0].ImageNumber)
	require.Contains(t, images[2], "/", "an image number may hold anything")
	require.Empty(t, s.list(month(2, 100)).Data, "a page after the last")
}

func TestALargeDocument(t *testing.T) {
	t.Parallel()
	s := recovered(t, simulator.Config{Documents: 2, LargeDocument: 10_000, FileSize: 10})
	items := s.list(month(1, 1)).Data
	require.Len(t, items[0].Files, 10_000)
	status, body, err := s.get(items[0].Files[9_999].URL)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, body, items[0].Files[9_999].FileSize)
}

func TestDownloadURLs(t *testing.T) {
	t.Parallel()
	s := recovered(t, simulator.Config{Documents: 1, FileSize: 10})
	address := s.list(month(1, 1)).Data[0].Files[0].URL
	for path, wanted := range map[string]int{
		strings.Replace(address, "sig=", "sig=0", 1):            http.StatusForbidden,
		strings.Replace(address, "expires=", "expires=1", 1):    http.StatusForbidden,
		strings.Split(address, "?")[0]:                          http.StatusForbidden,
		strings.Replace(address, "/files/0/0", "/files/0/1", 1): http.StatusNotFound,
		s.server.URL + "/files/-1/x":                            http.StatusNotFound,
		s.server.URL + "/else":                                  http.StatusNotFound,
	} {
		status, _, _ := s.get(path)
		require.Equal(t, wanted, status, path)
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Documents: 2})
	put := func(body string) int {
		request, err := http.NewRequest(http.MethodPut, s.server.URL+"/control/phase", strings.NewReader(body))
		require.NoError(t, err)
		response, err := s.server.Client().Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		return response.StatusCode
	}
	require.Equal(t, http.StatusNoContent, put(`{"phase": "recovered"}`))
	require.Equal(t, http.StatusBadRequest, put(`{"phase": "better"}`))
	require.Equal(t, http.StatusBadRequest, put(`better`))
	_, body, _ := s.get(s.server.URL + "/control/phase")
	require.Contains(t, string(body), `"phase":"recovered"`)
	_, body, _ = s.get(s.server.URL + "/control/truth")
	require.Contains(t, string(body), s.sim.Truth().Documents[1].Files[0].SHA256)
}

func TestConfigNamesEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	_, err := simulator.New(simulator.Config{
		Documents: -1, FileSize: -1, LargeDocument: -1, From: "soon", To: "2025-02-30", HashAlgorithm: "crc", SignAlgorithm: "rot13",
		TimestampUnit: "h", Hostile: "very", Faults: map[simulator.Fault]int{"gremlins": 1, simulator.Slow: -1},
	}, "http://x", clientID, secret)
	for _, name := range []string{"documents", "file-size", "large-document", "from", "to", "hash", "sign", "timestamp", "hostile", "gremlins", "slow"} {
		require.ErrorContains(t, err, name)
	}
	valid := simulator.Config{Documents: 20, From: "2025-02-01", To: "2025-01-01"}
	require.ErrorContains(t, valid.Validate(), "not before 2025-02-01")
	valid.To = "2025-02-01"
	require.NoError(t, valid.Validate())
	valid.Faults = map[simulator.Fault]int{simulator.Slow: 6, simulator.Throttled: 5}
	require.ErrorContains(t, valid.Validate(), fmt.Sprintf("%d documents have room for 10 faults, not 11", valid.Documents))
}
