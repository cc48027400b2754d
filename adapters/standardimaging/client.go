package standardimaging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
)

const (
	success        = "0000"
	maxAnswer      = 64 << 20 // bytes of a data call's answer
	maxRedirects   = 5
	connectTimeout = 10 * time.Second
)

// timeouts of requests; tests have shorter ones.
type timeouts struct {
	call  time.Duration // a data call, whole; a download's headers
	stall time.Duration // without a byte of a download
}

var usualTimeouts = timeouts{call: time.Minute, stall: time.Minute}

// client reads one source under one version of its settings.
type client struct {
	settings source.Settings
	secrets  Secrets
	timeouts timeouts
	http     *http.Client
	tokens   tokens
	slots    chan struct{} // concurrency
	rate     *rate.Limiter

	mu    sync.Mutex
	pause time.Time // no data calls before
}

func newClient(s source.Settings, secrets Secrets, t timeouts) *client {
	c := &client{settings: s, secrets: secrets, timeouts: t, slots: make(chan struct{}, s.Concurrency), rate: rate.NewLimiter(rate.Inf, 1)}
	if s.RequestsPerSecond > 0 {
		c.rate = rate.NewLimiter(rate.Limit(s.RequestsPerSecond), max(int(s.RequestsPerSecond/10), 1))
	}
	c.tokens.refresh, c.tokens.timeout = c.requestToken, 2*t.call
	transport := counterpart(s).Transport()
	transport.MaxIdleConnsPerHost, transport.ResponseHeaderTimeout = s.Concurrency, t.call
	transport.DisableCompression = true // bytes arrive as they left
	c.http = &http.Client{Transport: transport, CheckRedirect: checkRedirect}
	return c
}

func counterpart(s source.Settings) outgoing.Counterpart {
	return outgoing.Counterpart{Networks: s.AllowedNetworks, Authorities: s.CertificateAuthorities, Timeout: connectTimeout}
}

var errRedirected = errors.New("redirected")

// checkRedirect follows downloads only, and does not tell the next host where
// it comes from: a URL carries a signature.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if via[0].Method != http.MethodGet || len(via) > maxRedirects {
		return errRedirected
	}
	r.Header.Del("Referer")
	return outgoing.CheckRedirection(via[len(via)-1].URL, r.URL)
}

// slot waits for the source's turn: concurrency first, then the rate. Then it
// asks whether the plan may still be read.
func (c *client) slot(ctx context.Context, plan commands.Plan) (release func(), err error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	release = sync.OnceFunc(func() { <-c.slots })
	err = c.rate.Wait(ctx)
	if err == nil {
		err = plan.Permitted(ctx)
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// dataSlot is a slot for a data call, which waits out the pause that the
// service asked for: also one that it asked for while the call waited its turn.
func (c *client) dataSlot(ctx context.Context, plan commands.Plan) (release func(), err error) {
	for {
		if wait := c.paused(); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if release, err = c.slot(ctx, plan); err != nil || c.paused() <= 0 {
			return release, err
		}
		release()
	}
}

func (c *client) paused() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Until(c.pause)
}

func (c *client) pauseFor(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until := time.Now().Add(d); until.After(c.pause) {
		c.pause = until
	}
}

// call is a data call: with a token, once more with a new one when the service
// no longer takes it.
func (c *client) call(ctx context.Context, plan commands.Plan, request listRequest) (listAnswer, string, error) {
	for try := 1; ; try++ {
		token, err := c.tokens.get(ctx, plan)
		if err != nil {
			return listAnswer{}, "", err
		}
		reqid := requestID()
		answer, err := c.callWith(ctx, plan, token, reqid, request)
		var failed *commands.SourceError
		if !errors.As(err, &failed) {
			return answer, reqid, err
		}
		failed.Failure.RequestID = reqid
		if failed.Failure.Category != domain.SourceAuth {
			return listAnswer{}, reqid, failed
		}
		c.tokens.drop(token)
		if try == 2 {
			return listAnswer{}, reqid, failed
		}
	}
}

func (c *client) callWith(ctx context.Context, plan commands.Plan, token, reqid string, request listRequest) (listAnswer, error) {
	query := url.Values{"access_token": {token}, "reqid": {reqid}}
	var answer listAnswer
	err := c.post(ctx, plan, c.settings.DataURL+"?"+query.Encode(), request, &answer)
	if err == nil && answer.code() != success {
		category := domain.SourceRejected
		if tokenCodes[answer.code()] {
			category = domain.SourceAuth
		}
		err = rejected(domain.StageList, category, answer.outcome)
	}
	return answer, without(err, token)
}

// requestID is 13 digits of milliseconds and 3 of chance.
func requestID() string {
	return fmt.Sprintf("%013d%03d", time.Now().UnixMilli(), rand.IntN(1000))
}

// answer is what every answer has: an outcome.
type answer interface{ code() string }

// post sends JSON and reads a JSON answer.
func (c *client) post(ctx context.Context, plan commands.Plan, address string, request any, into answer) error {
	release, err := c.dataSlot(ctx, plan)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeouts.call, errStalled)
	defer cancel()
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fail(domain.StageList, domain.Failure{Code: "url-invalid", Category: domain.SourceRejected, Detail: "the source's URL cannot be used", Remedy: "Correct the source's URLs."})
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(r)
	if err != nil {
		return unreachable(ctx, domain.StageList, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		failed := refused(domain.StageList, response)
		if failed.Failure.Category == domain.SourceThrottled {
			c.pauseFor(failed.RetryAfter)
		}
		return failed
	}
	return readAnswer(ctx, response, into)
}

func readAnswer(ctx context.Context, response *http.Response, into answer) error {
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return unreachable(ctx, domain.StageList, err)
	}
	if len(content) > maxAnswer {
		return notAsAgreed(domain.StageList, fmt.Sprintf("the source's answer is longer than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(content, into); err != nil {
		media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
		return notAsAgreed(domain.StageList, fmt.Sprintf("the source's answer (%s, %d bytes) is not the agreed JSON: %v", media, len(content), err))
	}
	if into.code() == "" {
		return notAsAgreed(domain.StageList, "the source's answer has neither errcode nor errorCode")
	}
	return nil
}
