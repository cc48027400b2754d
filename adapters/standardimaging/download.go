package standardimaging

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// Download implements commands.Source. The body ends with an error when it is
// shorter than announced, or stalls, and could not be gone on with. It holds its
// turn of the source's concurrency until it is closed.
func (s *Source) Download(ctx context.Context, plan commands.Plan, address string) (io.ReadCloser, error) {
	location, err := url.Parse(address)
	if err != nil || location.Host == "" || location.User != nil || location.Scheme != "http" && location.Scheme != "https" {
		return nil, fail(domain.StageFetch, domain.Failure{
			Code: "url-invalid", Category: domain.SourceRejected, Retryable: true, Detail: "the source gave no usable URL for the file", Remedy: remedySource,
		})
	}
	c := s.client(plan)
	d := &download{ctx: ctx, client: c, plan: plan, location: location, store: c.stores.of(location)}
	if err := d.store.admit(ctx, d.probe); err != nil {
		return nil, err
	}
	if d.release, err = c.pace.turn(ctx, plan); err != nil {
		return nil, err
	}
	if err := d.begin(); err != nil {
		return nil, d.ended(err)
	}
	return d, nil
}

// stores are the hosts that files come from, which need not be the service's
// own.
type stores struct {
	mu    sync.Mutex
	known map[string]*breaker
}

// maxStores bounds what a source's answers may have us remember.
const maxStores = 100

func (s *stores) of(location *url.URL) *breaker {
	s.mu.Lock()
	defer s.mu.Unlock()
	host := location.Scheme + "://" + location.Host
	if s.known[host] == nil {
		if s.known == nil || len(s.known) >= maxStores {
			s.known = map[string]*breaker{}
		}
		s.known[host] = newBreaker()
	}
	return s.known[host]
}

// resting is one of those that rest; nil: none does.
func (s *stores) resting() *commands.NotNow {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, store := range s.known {
		if rest := store.resting(); rest != nil {
			return rest
		}
	}
	return nil
}

// download is a file that is read, by one request or, when one breaks off, by
// several.
type download struct {
	ctx      context.Context
	client   *client
	plan     commands.Plan
	location *url.URL
	store    *breaker
	release  func() // its turn

	body    *stream
	read    int64
	resumes resumes
	err     error // what it ended with
}

// begin asks for the file from its beginning.
func (d *download) begin() error {
	sent := time.Now()
	body, err := d.get(http.Header{})
	if err != nil {
		return err
	}
	if body.answer.StatusCode != http.StatusOK {
		defer func() { _ = body.Close() }()
		return refused(domain.StageFetch, body.answer)
	}
	d.store.worked(sent)
	d.body, d.resumes = body, resumable(body.answer)
	return nil
}

// get sends a request for the file, which the caller has a turn for.
func (d *download) get(header http.Header) (*stream, error) {
	ctx, cancel := context.WithCancelCause(d.ctx)
	sent := time.Now()
	response, err := d.client.http.Do((&http.Request{Method: http.MethodGet, URL: d.location, Header: header}).WithContext(ctx)) //nolint:bodyclose // the stream does
	if err != nil {
		defer cancel(nil)
		err = unreachable(ctx, domain.StageFetch, err)
		var failed *commands.SourceError
		if errors.As(err, &failed) {
			d.client.pace.saw(sent, gaveNothing(failed), true)
		}
		return nil, err
	}
	d.client.pace.saw(sent, gaveNothing(refused(domain.StageFetch, response)), true)
	return newStream(ctx, cancel, response, d.client.timeouts.stall), nil
}

// probe asks the file's host for nothing in particular: any answer but one of a
// fault of its own shows that it is there.
func (d *download) probe(ctx context.Context) error {
	release, err := d.client.pace.turn(ctx, d.plan)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeoutCause(ctx, d.client.timeouts.call, errStalled)
	defer cancel()
	root := &url.URL{Scheme: d.location.Scheme, Host: d.location.Host, Path: "/"}
	response, err := d.client.http.Do((&http.Request{Method: http.MethodHead, URL: root, Header: http.Header{}}).WithContext(ctx))
	if err != nil {
		return unreachable(ctx, domain.StageFetch, err)
	}
	_ = response.Body.Close()
	return refused(domain.StageFetch, response)
}

// Read implements io.Reader. What breaks off is gone on with where that is
// possible.
func (d *download) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.body.Read(p[:min(len(p), d.client.pace.most())])
	d.read += int64(n)
	if n > 0 {
		if late := d.client.pace.received(d.ctx, d.plan, n); late != nil {
			err = late
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		d.err = io.EOF
	case !d.resume():
		d.err = d.ended(err)
	}
	return n, d.err
}

// ended gives the turn back, and says whose failure it was that ended the
// download.
func (d *download) ended(err error) error {
	d.release()
	err = commands.WithoutSecrets(err, d.location.RawQuery)
	var failed *commands.SourceError
	if !errors.As(err, &failed) || !gaveNothing(failed) {
		return err
	}
	return d.store.blame(d.ctx, failed, d.probe)
}

// Close implements io.Closer.
func (d *download) Close() error {
	defer d.release()
	return d.body.Close()
}

var errStalled = errors.New("no byte arrived in time")

// stream is the body of one answer, whose errors are the source's.
type stream struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	answer  *http.Response
	timeout time.Duration
	stalled *time.Timer // runs while a read waits
}

func newStream(ctx context.Context, cancel context.CancelCauseFunc, answer *http.Response, timeout time.Duration) *stream {
	return &stream{ctx: ctx, cancel: cancel, answer: answer, timeout: timeout, stalled: time.AfterFunc(timeout, func() { cancel(errStalled) })}
}

func (s *stream) Read(p []byte) (int, error) {
	s.stalled.Reset(s.timeout)
	n, err := s.answer.Body.Read(p)
	s.stalled.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = unreachable(s.ctx, domain.StageFetch, err)
	}
	return n, err
}

func (s *stream) Close() error {
	s.stalled.Stop()
	defer s.cancel(nil)
	return s.answer.Body.Close()
}
