package outgoing

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

var (
	queries = regexp.MustCompile(`\?[^\s"]*`)
	signed  = regexp.MustCompile(`(https?://[^\s"?]*)\?[^\s"]*`)
)

// Reason is the text of a failed request's error without the URL that net/http
// puts in front, and without the query of any other, that of a redirection say:
// credentials stand in queries.
func Reason(err error) string {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	return queries.ReplaceAllString(err.Error(), "?...")
}

// WithoutQueries takes the queries out of URLs in a text of people, who may
// well write a question mark.
func WithoutQueries(text string) string { return signed.ReplaceAllString(text, "$1?...") }

// RetryAfter reads the header (RFC 9110, 10.2.3): seconds, or a date of the
// counterpart's clock, which need not be ours; atMost is how long we let it have
// us wait. 0: it says nothing that can be read.
func RetryAfter(header http.Header, atMost time.Duration) time.Duration {
	after := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int(atMost.Seconds()))) * time.Second
	}
	at, err := http.ParseTime(after)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), atMost)
}
