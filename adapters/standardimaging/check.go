package standardimaging

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
)

const (
	// checkTimeout bounds each step of a check.
	checkTimeout = 5 * time.Second
	// checkedItems of the page that is tried.
	checkedItems = 5
)

// check is a check under way.
type check struct {
	plan   commands.Plan
	client *client
	found  []commands.Check
}

// Check implements commands.SourceChecker. It goes from the outside in and
// ends where going on would only tell the same again. It has a client of its
// own, so that neither a token nor a connection that is there hides anything.
func (s *Source) Check(ctx context.Context, plan commands.Plan, period batch.Slice) []commands.Check {
	plan.Settings.PageSize, plan.Settings.Windows = checkedItems, nil // who asks for a check wants it now
	c := &check{plan: plan, client: newClient(plan, s.secrets, timeouts{call: checkTimeout, stall: checkTimeout})}
	defer c.client.http.CloseIdleConnections()
	if c.reach(ctx, "token", plan.Settings.TokenURL) && c.secret(ctx) && c.credentials(ctx) && c.reach(ctx, "data", plan.Settings.DataURL) {
		c.page(ctx, period)
	}
	return c.found
}

func (c *check) add(step, target, status, code string) bool {
	text := checkTexts[code]
	c.found = append(c.found, commands.Check{Step: step, Target: target, Status: status, Code: code, Detail: text.detail, Remedy: text.remedy})
	return status != commands.CheckFailed
}

// reach tries name, connection and TLS by themselves.
func (c *check) reach(ctx context.Context, target, address string) bool {
	location, err := url.Parse(address)
	if err != nil || location.Host == "" {
		return c.add("dns", target, commands.CheckFailed, "url-missing")
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if _, err := net.DefaultResolver.LookupNetIP(ctx, "ip", location.Hostname()); err != nil {
		return c.add("dns", target, commands.CheckFailed, "name-unknown")
	}
	c.add("dns", target, commands.CheckOK, "name-known")
	source := counterpart(c.plan.Settings)
	connection, err := source.Dialer().DialContext(ctx, "tcp", hostPort(location))
	if err != nil {
		return c.add("connect", target, commands.CheckFailed, codeOfDial(err))
	}
	defer func() { _ = connection.Close() }()
	c.add("connect", target, commands.CheckOK, "connected")
	if location.Scheme != "https" {
		return c.add("tls", target, commands.CheckWarning, "tls-absent")
	}
	config := source.TLS()
	config.ServerName = location.Hostname()
	if err := tls.Client(connection, config).HandshakeContext(ctx); err != nil {
		return c.add("tls", target, commands.CheckFailed, codeOfTLS(err))
	}
	return c.add("tls", target, commands.CheckOK, "tls-verified")
}

func hostPort(location *url.URL) string {
	port := location.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[location.Scheme]
	}
	return net.JoinHostPort(location.Hostname(), port)
}

func codeOfDial(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, outgoing.ErrRefused):
		return "address-refused"
	case errors.As(err, &network) && network.Timeout():
		return "connect-timeout"
	}
	return "connect-refused"
}

func codeOfTLS(err error) string {
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "certificate-unknown"
	case errors.As(err, &name):
		return "certificate-name-wrong"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "certificate-expired"
	case errors.As(err, &certificate):
		return "certificate-invalid"
	}
	return "tls-failed"
}

func (c *check) secret(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if _, err := c.client.secrets(ctx, c.plan.Settings.SecretRef); err != nil {
		c.add("secret", "", commands.CheckFailed, "secret-missing")
		c.found[len(c.found)-1].Detail = "this process cannot use the secret: " + err.Error()
		return false
	}
	return c.add("secret", "", commands.CheckOK, "secret-found")
}

func (c *check) credentials(ctx context.Context) bool {
	_, err := c.client.token(ctx, c.plan)
	c.clock()
	if err != nil {
		return c.add("credentials", "token", commands.CheckFailed, codeOfCall(err, "credentials-refused"))
	}
	return c.add("credentials", "token", commands.CheckOK, "credentials-taken")
}

// codeOfCall says what became of a request that arrived. Refused is what an
// answer means that is neither HTTP's nor a broken one.
func codeOfCall(err error, refused string) string {
	var failed *commands.SourceError
	if !errors.As(err, &failed) {
		return "answer-timeout" // the whole check's time is over
	}
	switch f := failed.Failure; {
	case f.Category == domain.SourceAuth:
		return "credentials-refused"
	case f.Code == "source-code":
		return refused
	case f.Code == "answer-invalid":
		return "answer-invalid"
	case f.Code == "redirected":
		return "redirected"
	case f.Code == "timeout":
		return "answer-timeout"
	case f.HTTPStatus == http.StatusTooManyRequests:
		return "throttled"
	case f.HTTPStatus >= http.StatusInternalServerError:
		return "source-broken"
	case f.HTTPStatus != 0:
		return "http-refused"
	}
	return "answer-broken-off"
}

// clock compares the source's clock with this machine's, as far as it tells.
func (c *check) clock() {
	switch skew, told := c.client.clock.skew(); {
	case !told:
		c.add("clock", "token", commands.CheckWarning, "clock-unknown")
	case skew.Abs() > toleratedSkew:
		c.add("clock", "token", commands.CheckWarning, "clock-skewed")
	default:
		c.add("clock", "token", commands.CheckOK, "clock-agrees")
	}
}

func (c *check) page(ctx context.Context, period batch.Slice) {
	answer, _, err := c.client.ask(ctx, c.plan, listRequest{StartTime: period.From, EndTime: period.To, CurrentPage: 1, PageSize: checkedItems})
	if err != nil {
		c.add("page", "data", commands.CheckFailed, codeOfCall(err, "page-refused"))
		return
	}
	if answer.TotalElement == nil {
		c.add("page", "data", commands.CheckFailed, "total-missing")
		return
	}
	if len(answer.Data) == 0 {
		c.add("page", "data", commands.CheckWarning, "page-empty")
		return
	}
	c.add("page", "data", commands.CheckOK, "page-listed")
	c.fields(answer)
}
