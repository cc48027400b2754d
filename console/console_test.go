package console

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const accepts = "text/html,application/xhtml+xml,*/*;q=0.8"

// asked gives what the console answers; the API behind it answers 418.
func asked(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	handler, err := Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	require.NoError(t, err)
	request := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result()
}

func bodyOf(t *testing.T, response *http.Response) []byte {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return body
}

func TestPagesAreTheConsoles(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/batches", "/batches/20240101-0001/documents/ssc%2FIMG-1", "/no-such-page"} {
		response := asked(t, http.MethodGet, path, "Accept", accepts)
		require.Equal(t, http.StatusOK, response.StatusCode, path)
		require.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"), path)
		require.Equal(t, "no-cache", response.Header.Get("Cache-Control"), path)
	}
	require.Equal(t, http.StatusOK, asked(t, http.MethodGet, "/").StatusCode, "whatever is accepted")
}

// Every path that the description names is the API's, also for a browser.
func TestTheRestIsTheAPIs(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../contract/openapi.json")
	require.NoError(t, err)
	var description struct{ Paths map[string]any }
	require.NoError(t, json.Unmarshal(content, &description))
	paths := []string{"/docs", "/docs/errors/token-missing", "/schemas/index.json", "/openapi.json", "/asyncapi.json", "/healthz", "/readyz", "/assets/none.js"}
	for path := range description.Paths {
		paths = append(paths, path)
	}
	for _, path := range paths {
		require.Equal(t, http.StatusTeapot, asked(t, http.MethodGet, path, "Accept", accepts).StatusCode, path)
	}
	require.Equal(t, http.StatusTeapot, asked(t, http.MethodPost, "/", "Accept", accepts).StatusCode)
	require.Equal(t, http.StatusTeapot, asked(t, http.MethodGet, "/no-such-page", "Accept", "application/json").StatusCode)
}

func TestWhatAPageLoadsIsThereAndStays(t *testing.T) {
	t.Parallel()
	page := string(bodyOf(t, asked(t, http.MethodGet, "/", "Accept", accepts)))
	loaded := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(loaded), 3)
	for _, match := range loaded {
		require.True(t, strings.HasPrefix(match[1], "/"), "%s is of this host", match[1])
		response := asked(t, http.MethodGet, match[1])
		require.Equal(t, http.StatusOK, response.StatusCode, match[1])
		if strings.HasPrefix(match[1], "/assets/") {
			require.Contains(t, response.Header.Get("Cache-Control"), "immutable", match[1])
		}
	}
}

// Nothing stands in the page that the policy would have to let run.
func TestNothingIsInline(t *testing.T) {
	t.Parallel()
	response := asked(t, http.MethodGet, "/", "Accept", accepts)
	page := string(bodyOf(t, response))
	require.NotRegexp(t, `<script[^>]*>[^<]`, page)
	require.NotRegexp(t, `<style|style=|\son\w+=`, page)
	policy := response.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.NotContains(t, policy, "unsafe")
	require.NotContains(t, policy, "http")
}

// No file says from where on whose machine it was made, or names another host.
func TestFilesTellNothingOfWhereTheyWereMade(t *testing.T) {
	t.Parallel()
	files, err := readFiles()
	require.NoError(t, err)
	for at, f := range files {
		text := strings.ReplaceAll(string(f.plain), "http://www.w3.org/", "")
		require.NotRegexp(t, `https?://\w|/home/|/tmp/|node_modules|sourceMappingURL`, text, at)
	}
}

func TestZippedForThoseWhoTakeIt(t *testing.T) {
	t.Parallel()
	plain := bodyOf(t, asked(t, http.MethodGet, "/"))
	response := asked(t, http.MethodGet, "/", "Accept-Encoding", "br, gzip")
	require.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
	reader, err := gzip.NewReader(bytes.NewReader(bodyOf(t, response)))
	require.NoError(t, err)
	unzipped, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Equal(t, plain, unzipped)
	require.Empty(t, asked(t, http.MethodGet, "/", "Accept-Encoding", "gzip;q=0").Header.Get("Content-Encoding"))
}

func TestWhatIsThereAlreadyIsNotSentAgain(t *testing.T) {
	t.Parallel()
	etag := asked(t, http.MethodGet, "/").Header.Get("ETag")
	response := asked(t, http.MethodGet, "/", "If-None-Match", etag)
	require.Equal(t, http.StatusNotModified, response.StatusCode)
	require.Empty(t, bodyOf(t, response))
}
