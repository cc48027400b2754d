package standardimaging_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
)

// store serves a file by ranges, and cuts each answer after a number of bytes.
type store struct {
	content []byte
	cut     int
	tag     func(request int) string
	ranged  func(w http.ResponseWriter, r *http.Request, from int) bool // answers in the store's place

	mu    sync.Mutex
	asked []string // ranges
}

func (s *store) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Header.Get("Range"))
	n := len(s.asked)
	s.mu.Unlock()
	if tag := s.tag(n); tag != "" {
		w.Header().Set("ETag", tag)
	}
	from := 0
	if given := r.Header.Get("Range"); given != "" {
		from, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(given, "bytes="), "-"))
		if s.ranged != nil && s.ranged(w, r, from) {
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.content)-1, len(s.content)))
	}
	rest := s.content[from:]
	w.Header().Set("Content-Length", strconv.Itoa(len(rest)))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(rest[:min(s.cut, len(rest))])
	if s.cut < len(rest) {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func (s *store) ranges() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func always(tag string) func(int) string { return func(int) string { return tag } }

// TestABrokenDownloadIsGoneOnWith: ten megabytes that break off every one and a
// half are the same ten megabytes.
func TestABrokenDownloadIsGoneOnWith(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	files := &store{content: random(10 << 20), cut: 3 << 19, tag: always(`"v1"`)}
	s.file = files.serve
	got, err := download(t.Context(), standardimaging.New(resolve), plan, s.fileURL())
	require.NoError(t, err)
	require.True(t, bytes.Equal(files.content, got))
	require.Equal(t, 7, files.ranges(), "no byte was sent for twice: %v", files.asked)
}

func TestWhatIsNoRestOfTheFileIsNotTakenForIt(t *testing.T) {
	t.Parallel()
	content := random(100_000)
	whole := func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		_, _ = w.Write(content) // 200: from the start again
		return true
	}
	partial := func(span string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, from int) bool {
			w.Header().Set("Content-Range", span)
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(content[from:])
			return true
		}
	}
	for name, files := range map[string]*store{
		"the whole again":   {tag: always(`"v1"`), ranged: whole},
		"another place":     {tag: always(`"v1"`), ranged: partial("bytes 10-99999/100000")},
		"of another length": {tag: always(`"v1"`), ranged: partial("bytes 50000-99999/100001")},
		"no place":          {tag: always(`"v1"`), ranged: partial("")},
		"another version":   {tag: func(n int) string { return fmt.Sprintf(`"v%d"`, n) }},
		"no version":        {tag: always("")},
		"no exact version":  {tag: always(`W/"v1"`)},
		"not any more": {tag: always(`"v1"`), ranged: func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.WriteHeader(http.StatusForbidden)
			return true
		}},
		"out of range": {tag: always(`"v1"`), ranged: func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return true
		}},
		"a version vanished": {tag: func(n int) string { return map[bool]string{true: `"v1"`}[n == 1] }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, plan := newScripted(t)
			files.content, files.cut = content, 50_000
			s.file = files.serve
			got, err := download(t.Context(), standardimaging.New(resolve), plan, s.fileURL())
			require.Equal(t, "body-truncated", s.failure(err).Code)
			require.Len(t, got, 50_000, "nothing is put behind what there was")
			require.LessOrEqual(t, files.ranges(), 2)
		})
	}
}

// TestAFileThatAlwaysBreaksOff fails in the end.
func TestAFileThatAlwaysBreaksOff(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	files := &store{content: random(100_000), cut: 10, tag: always(`"v1"`)}
	s.file = files.serve
	_, err := download(t.Context(), standardimaging.New(resolve), plan, s.fileURL())
	require.Equal(t, "body-truncated", s.failure(err).Code)
	require.Equal(t, 5, files.ranges())
}

// TestTheSimulatorsTruncatedBodies are gone on with, and never come whole.
func TestTheSimulatorsTruncatedBodies(t *testing.T) {
	t.Parallel()
	sim, plan := simulated(t, simulator.Config{Documents: 2, FileSize: 90_000, Faults: map[simulator.Fault]int{simulator.Truncated: 1}})
	s := standardimaging.New(resolve)
	items, _ := listAll(t, s, plan, january)
	truth := sim.Truth().Documents[1]
	before := sim.Stats().Files
	got, err := download(t.Context(), s, plan, items[1].URLs[truth.FaultyFile])
	require.Equal(t, "body-truncated", sourceError(t, err).Failure.Code)
	require.EqualValues(t, 5, sim.Stats().Files-before)
	require.Greater(t, len(got), truth.Files[0].Bytes*9/10, "each answer had half of what was missing")
	require.Less(t, len(got), truth.Files[0].Bytes)
}
