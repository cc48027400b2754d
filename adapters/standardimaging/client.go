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
	"slices"
	"time"

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

// client reads one source, as long as its connections and credentials are the
// same. Limits may change meanwhile: its pace follows them.
type client struct {
	settings source.Settings
	secrets  Secrets
	timeouts timeouts
	http     *http.Client
	tokens   outgoing.Tokens
	pace     *pace
	service  *breaker // of data calls and token requests
	clock    clock
	stores   stores // of files
}

func newClient(plan commands.Plan, secrets Secrets, t timeouts) *client {
	c := &client{settings: plan.Settings, secrets: secrets, timeouts: t, pace: newPace(plan), service: newBreaker()}
	transport := counterpart(plan.Settings).Transport()
	transport.MaxIdleConnsPerHost, transport.ResponseHeaderTimeout = source.MaxConcurrency, t.call
	transport.DisableCompression = true // bytes arrive as they left
	c.http = &http.Client{Transport: transport, CheckRedirect: checkRedirect}
	return c
}

// serves tells that the client is still that of a plan: whom it connects to, by
// whose vouching, and with which credentials.
func (c *client) serves(s source.Settings) bool {
	t := c.settings
	return t.TokenURL == s.TokenURL && t.DataURL == s.DataURL && t.ClientID == s.ClientID && t.SecretRef == s.SecretRef &&
		t.SignAlgorithm == s.SignAlgorithm && t.TimestampUnit == s.TimestampUnit &&
		t.CertificateAuthorities == s.CertificateAuthorities && slices.Equal(t.AllowedNetworks, s.AllowedNetworks)
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

// call is a data call of which the caller learns whose failure it is, if it
// fails: what it asked for cannot be had, or the service gives nothing now.
func (c *client) call(ctx context.Context, plan commands.Plan, request listRequest) (listAnswer, string, error) {
	ask := func(ctx context.Context) error { return c.probe(ctx, plan) }
	if err := c.service.admit(ctx, ask); err != nil {
		return listAnswer{}, "", err
	}
	sent := time.Now()
	answer, reqid, err := c.ask(ctx, plan, request)
	var failed *commands.SourceError
	switch {
	case err == nil:
		c.service.worked(sent)
	case !errors.As(err, &failed) || !gaveNothing(failed):
	case failed.RetryAfter > 0 || failed.Failure.Category == domain.SourceThrottled: // it speaks of itself
		err = c.service.leaveAlone(failed)
	default:
		err = c.service.blame(ctx, failed, ask)
	}
	return answer, reqid, err
}

// rest of the service, or of a host of files; nil: none rests.
func (c *client) rest() *commands.NotNow {
	if rest := c.service.resting(); rest != nil {
		return rest
	}
	return c.stores.resting()
}

// probe asks for a day of which nothing is kept any more: whatever is answered,
// a refusal too, it is an answer.
func (c *client) probe(ctx context.Context, plan commands.Plan) error {
	const day = "2000-01-01"
	_, _, err := c.ask(ctx, plan, listRequest{StartTime: day, EndTime: day, CurrentPage: 1, PageSize: 1})
	return err
}

// ask makes a data call: with a token, once more with a new one when the service
// no longer takes it.
func (c *client) ask(ctx context.Context, plan commands.Plan, request listRequest) (listAnswer, string, error) {
	for try := 1; ; try++ {
		token, err := c.token(ctx, plan)
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
		c.tokens.Drop(token)
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
	return answer, commands.WithoutSecrets(err, token)
}

// requestID is 13 digits of milliseconds and 3 of chance.
func requestID() string {
	return fmt.Sprintf("%013d%03d", time.Now().UnixMilli(), rand.IntN(1000))
}

// answer is what every answer has: an outcome.
type answer interface{ code() string }

// post sends JSON and reads a JSON answer, in its turn.
func (c *client) post(ctx context.Context, plan commands.Plan, address string, request any, into answer) error {
	release, err := c.pace.turn(ctx, plan)
	if err != nil {
		return err
	}
	defer release()
	sent := time.Now()
	err = c.exchange(ctx, address, request, into)
	var failed *commands.SourceError
	if err == nil || errors.As(err, &failed) {
		c.pace.saw(sent, failed != nil && gaveNothing(failed), false)
	}
	return err
}

func (c *client) exchange(ctx context.Context, address string, request any, into answer) error {
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
	if response != nil { // a redirection is an error, and an answer too
		c.clock.saw(response)
	}
	if err != nil {
		return unreachable(ctx, domain.StageList, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return refused(domain.StageList, response)
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
