package flagship

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/profile"
)

const (
	maxAnswer      = 8 << 20 // bytes of a call's answer
	maxRedirects   = 5
	connectTimeout = 10 * time.Second
)

// callTimeout of a call, whole. Of a file it is so much more as it has bytes.
const (
	callTimeout = time.Minute
	slowest     = 100 << 10 // bytes a second
)

// client speaks to one platform under one version of its settings.
type client struct {
	settings profile.FlagshipTarget
	secrets  Secrets
	http     *http.Client
	slots    chan struct{} // concurrency
	tokens   outgoing.Tokens
}

func newClient(t profile.FlagshipTarget, secrets Secrets) *client {
	c := &client{settings: t, secrets: secrets, slots: make(chan struct{}, t.Concurrency)}
	transport := outgoing.Counterpart{Networks: t.AllowedNetworks, Authorities: t.CertificateAuthorities, Timeout: connectTimeout}.Transport()
	transport.MaxIdleConnsPerHost = t.Concurrency
	transport.DisableCompression = true // bytes of files are compared as they are
	c.http = &http.Client{Transport: transport, CheckRedirect: checkRedirect}
	return c
}

var errRedirected = errors.New("redirected")

// checkRedirect lets files be fetched elsewhere, without telling from where; a
// call carries credentials and follows none.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if via[0].Method != http.MethodGet || len(via) > maxRedirects {
		return errRedirected
	}
	r.Header.Del("Referer")
	return outgoing.CheckRedirection(via[len(via)-1].URL, r.URL)
}

// slot waits for a turn.
func (c *client) slot(ctx context.Context) (release func(), err error) {
	select {
	case c.slots <- struct{}{}:
		return func() { <-c.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// body of a request, made anew for each try.
type body interface {
	open(ctx context.Context) (content io.ReadCloser, size int64, err error)
}

// call makes a call with a token, once more with a new one when the platform no
// longer takes it.
func (c *client) call(ctx context.Context, stage domain.Stage, path string, request body, into any) error {
	for try := 1; ; try++ {
		token, err := c.token(ctx)
		if err != nil {
			return at(stage, err)
		}
		a, err := c.post(ctx, stage, path+"?"+url.Values{"access_token": {token}}.Encode(), request)
		if err == nil && (!a.Success || a.ErrorCode != success) {
			err = a.rejected(stage)
		}
		if err == nil {
			err = a.read(stage, into)
		}
		var failed *commands.SourceError
		if !errors.As(err, &failed) {
			return err
		}
		if failed.Failure.Code != codeAuth {
			return commands.WithoutSecrets(failed, token)
		}
		c.tokens.Drop(token)
		if try == 2 {
			return commands.WithoutSecrets(failed, token)
		}
	}
}

// at says in which stage a call failed whose failure others share.
func at(stage domain.Stage, err error) error {
	var failed *commands.SourceError
	if !errors.As(err, &failed) {
		return err
	}
	own := *failed
	own.Failure.Stage = stage
	return &own
}

// post sends a body and reads the answer.
func (c *client) post(ctx context.Context, stage domain.Stage, path string, request body) (answer, error) {
	release, err := c.slot(ctx)
	if err != nil {
		return answer{}, err
	}
	defer release()
	content, size, err := request.open(ctx)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout+time.Duration(size/slowest)*time.Second, errStalled)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.settings.URL, "/")+path, content)
	if err != nil {
		_ = content.Close()
		return answer{}, notAsAgreed(stage, "the platform's url cannot be used")
	}
	r.ContentLength = size
	r.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(r)
	var unread *commands.SourceError
	if errors.As(err, &unread) { // the file's bytes could not be read
		return answer{}, unread
	}
	if err != nil {
		return answer{}, unreachable(ctx, stage, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return answer{}, refused(stage, response)
	}
	return readAnswer(ctx, stage, response)
}

func readAnswer(ctx context.Context, stage domain.Stage, response *http.Response) (a answer, err error) {
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return a, unreachable(ctx, stage, err)
	}
	if len(content) > maxAnswer {
		return a, notAsAgreed(stage, "the platform's answer is longer than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(content, &a); err != nil {
		media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
		return a, notAsAgreed(stage, "the platform's answer (%s, %d bytes) is not the agreed JSON", media, len(content))
	}
	return a, nil
}

// read takes what an answer carries.
func (a answer) read(stage domain.Stage, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(a.Data, into); err != nil {
		return notAsAgreed(stage, "the data of the platform's answer are not as agreed")
	}
	return nil
}

// message is a body that is small.
type message struct{ any }

func (m message) open(context.Context) (io.ReadCloser, int64, error) {
	encoded, err := json.Marshal(m.any)
	return io.NopCloser(bytes.NewReader(encoded)), int64(len(encoded)), err
}
