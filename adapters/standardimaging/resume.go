package standardimaging

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Bounds of going on with a download that broke off: how often, unless bytes
// enough arrived since the last time, and how long after a break at first.
const (
	maxResumes     = 4
	worthOfResumes = 1 << 20
	firstResume    = 100 * time.Millisecond
)

// resumes is what a download that breaks off is gone on by. Two answers are
// parts of one file only if the server itself says so, by the tag or the date
// that both carry: a file without hash would else be put together of two
// versions, and nobody would ever know.
type resumes struct {
	validator string // empty: it is not gone on with
	total     int64
	tried     int
	at        int64 // how much had arrived at the last try
}

// resumable tells by the first answer what the next ones must agree with.
func resumable(first *http.Response) resumes {
	if first.ContentLength <= 0 || first.Header.Get("Accept-Ranges") == "none" {
		return resumes{}
	}
	return resumes{validator: validator(first), total: first.ContentLength}
}

// validator is what names a version of the file: a strong tag, or else a date.
func validator(r *http.Response) string {
	if tag := r.Header.Get("ETag"); strings.HasPrefix(tag, `"`) {
		return tag
	}
	return r.Header.Get("Last-Modified")
}

// resume goes on with a download that broke off, and tells whether it does. A server that begins from the start again, or has another file by
// now, is not gone on with: the next attempt reads the item anew.
func (d *download) resume() bool {
	r := &d.resumes
	if r.validator == "" || d.ctx.Err() != nil {
		return false
	}
	if d.read-r.at >= worthOfResumes {
		r.tried = 0
	}
	for r.at = d.read; r.tried < maxResumes; {
		_ = d.body.Close()
		select {
		case <-time.After(firstResume << r.tried):
		case <-d.ctx.Done():
			return false
		}
		r.tried++
		if d.client.pace.another(d.ctx, d.plan) != nil {
			return false
		}
		if more, again := d.rest(); more || !again {
			return more
		}
	}
	return false
}

// rest asks for what has not arrived yet; again tells that it may come if it is
// asked for once more.
func (d *download) rest() (more, again bool) {
	body, err := d.get(http.Header{
		"Range": {fmt.Sprintf("bytes=%d-", d.read)}, "If-Range": {d.resumes.validator},
	})
	if err != nil {
		return false, true
	}
	if !d.resumes.continues(body.answer, d.read) {
		_ = body.Close()
		return false, body.answer.StatusCode >= http.StatusInternalServerError
	}
	d.body = body
	return true, false
}

// continues tells that an answer is the rest of the same file, from a place on.
func (r resumes) continues(next *http.Response, from int64) bool {
	wanted := fmt.Sprintf("bytes %d-%d/%d", from, r.total-1, r.total)
	return next.StatusCode == http.StatusPartialContent && next.Header.Get("Content-Range") == wanted && validator(next) == r.validator
}
