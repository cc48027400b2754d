package simulator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

// ranged asks for a file from a byte on.
func (s *service) ranged(address, span, tag string) (*http.Response, []byte) {
	s.t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(s.t, err)
	request.Header.Set("Range", span)
	request.Header.Set("If-Range", tag)
	response, err := s.server.Client().Do(request)
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	var content []byte
	buffer := make([]byte, 1<<16)
	for {
		n, err := response.Body.Read(buffer)
		content = append(content, buffer[:n]...)
		if err != nil {
			return response, content
		}
	}
}

func TestRangesOfFiles(t *testing.T) {
	t.Parallel()
	s := recovered(t, simulator.Config{Documents: 1, FileSize: 5000})
	f := s.sim.Truth().Documents[0].Files[0]
	address := s.list(month(1, 1)).Data[0].Files[0].URL
	tag := `"` + f.SHA256 + `"`
	_, whole, _ := s.get(address)
	sum := sha256.Sum256(whole)
	require.Equal(t, f.SHA256, hex.EncodeToString(sum[:]))
	for from, span := range map[int]string{0: "bytes=0-", 1: "bytes=1-", f.Bytes - 1: "bytes=" + strconv.Itoa(f.Bytes-1) + "-"} {
		response, content := s.ranged(address, span, tag)
		require.Equal(t, http.StatusPartialContent, response.StatusCode, span)
		require.Equal(t, "bytes "+strconv.Itoa(from)+"-"+strconv.Itoa(f.Bytes-1)+"/"+strconv.Itoa(f.Bytes), response.Header.Get("Content-Range"))
		require.Equal(t, tag, response.Header.Get("ETag"))
		require.Equal(t, whole[from:], content)
	}
	for _, c := range [][2]string{{"bytes=10-", `"another"`}, {"bytes=10-20", tag}, {"bytes=-10", tag}, {"bytes=999999-", tag}, {"lines=1-", tag}, {"", tag}} {
		response, content := s.ranged(address, c[0], c[1])
		require.Equal(t, http.StatusOK, response.StatusCode, "%v", c)
		require.Equal(t, whole, content)
	}
}

func TestURLsLiveAsLongAsTheyAreSaidTo(t *testing.T) {
	t.Parallel()
	s := recovered(t, simulator.Config{Documents: 1, FileSize: 10, URLLife: 200 * time.Millisecond})
	var address string
	answered := func(wanted int) func() bool {
		return func() bool {
			status, _, _ := s.get(address)
			return status == wanted
		}
	}
	fresh := func() bool {
		address = s.list(month(1, 1)).Data[0].Files[0].URL
		return answered(http.StatusOK)()
	}
	require.Eventually(t, fresh, time.Minute, 10*time.Millisecond, "one that is asked for in time")
	require.Eventually(t, answered(http.StatusForbidden), time.Minute, 10*time.Millisecond)
	require.Eventually(t, fresh, time.Minute, 10*time.Millisecond)
}

func TestAnItemThatVanishes(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Seed: 3, Documents: 20, From: "2025-01-01", To: "2025-01-31", FileSize: 10, Faults: map[simulator.Fault]int{simulator.Vanishing: 1}})
	var image string
	for _, d := range s.sim.Truth().Documents {
		if d.Fault == simulator.Vanishing {
			image = d.ImageNumber
		}
	}
	require.NotEmpty(t, image)
	reread := func() int { return len(s.list(map[string]any{"imageNumbers": []string{image}}).Data) }
	require.Equal(t, 1, reread(), "it is there until a listing has shown it")
	first := s.list(month(1, 1))
	require.Equal(t, 20, first.TotalElement)
	require.Len(t, first.Data, 20)
	second := s.list(month(1, 1))
	require.Equal(t, 19, second.TotalElement)
	require.Len(t, second.Data, 19)
	require.Zero(t, reread())
	s.sim.SetPhase(simulator.Recovered)
	require.Len(t, s.list(month(1, 1)).Data, 20)
	require.Equal(t, 1, reread())
}

func TestTheSourcesClock(t *testing.T) {
	t.Parallel()
	s := recovered(t, simulator.Config{Documents: 1, ClockAhead: time.Hour})
	response, err := s.server.Client().Get(s.server.URL + "/control/phase")
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	at, err := http.ParseTime(response.Header.Get("Date"))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(time.Hour), at, time.Minute)
}
