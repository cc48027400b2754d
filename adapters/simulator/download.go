package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (s *Simulator) signURL(i, n int, expires string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d/%s", s.secret, i, n, expires))
	return hex.EncodeToString(sum[:8])
}

func (s *Simulator) file(w http.ResponseWriter, r *http.Request) {
	i, err1 := strconv.Atoi(r.PathValue("document"))
	n, err2 := strconv.Atoi(r.PathValue("file"))
	expires := r.URL.Query().Get("expires")
	at, err3 := strconv.ParseInt(expires, 10, 64)
	switch {
	case err1 != nil, err2 != nil, i < 0, i >= len(s.records), n < 0, n >= len(s.records[i].files):
		http.NotFound(w, r)
		return
	case err3 != nil, time.Now().UnixMilli() > at, r.URL.Query().Get("sig") != s.signURL(i, n, expires):
		http.Error(w, "the URL has expired", http.StatusForbidden)
		return
	}
	content := &s.made(i)[n]
	phase := s.count(func(st *Stats) { st.Files++; st.Bytes += int64(content.size) })
	serve(w, r, content, s.records[i].faultOf(n, phase))
}

// faultOf a file at work in a phase.
func (r record) faultOf(n int, phase Phase) Fault {
	if r.ofFile() && n == r.faulty && r.shows(r.fault, phase) {
		return r.fault
	}
	return None
}

func serve(w http.ResponseWriter, r *http.Request, b *made, fault Fault) {
	switch fault {
	case Throttled:
		throttle(w)
		return
	case Unavailable:
		http.Error(w, "the storage is away", http.StatusServiceUnavailable)
		return
	case ExpiredURL:
		http.Error(w, "the URL has expired", http.StatusForbidden)
		return
	}
	sent := begin(w, r, b)
	if fault == Truncated || fault == Slow {
		half := sent + (b.size-sent)/2
		_ = b.write(w, sent, half) // a client that is gone is noticed below
		_ = http.NewResponseController(w).Flush()
		sent = half
	}
	switch fault {
	case Truncated:
		panic(http.ErrAbortHandler) // cuts the connection
	case Slow:
		select {
		case <-time.After(slowBody):
		case <-r.Context().Done():
			return
		}
	}
	_ = b.write(w, sent, b.size) // the client is gone, if it fails
}

// begin answers with the headers of a file, and tells from which byte on it is
// served: that of a range without an end (RFC 9110, 14.2), which is what whoever
// goes on asks for, if the file is still the one that he has the beginning of.
// Other ranges are not known here, and the file is served whole.
func begin(w http.ResponseWriter, r *http.Request, m *made) (from int) {
	header := w.Header()
	tag := `"` + m.sha256 + `"`
	header.Set("ETag", tag)
	header.Set("Accept-Ranges", "bytes")
	header.Set("Content-Type", "application/octet-stream")
	status := http.StatusOK
	start, asked := strings.CutPrefix(r.Header.Get("Range"), "bytes=")
	if n, err := strconv.Atoi(strings.TrimSuffix(start, "-")); asked && err == nil && strings.HasSuffix(start, "-") && n >= 0 && n < m.size && r.Header.Get("If-Range") == tag {
		from, status = n, http.StatusPartialContent
		header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, m.size-1, m.size))
	}
	header.Set("Content-Length", strconv.Itoa(m.size-from))
	w.WriteHeader(status)
	return from
}
