package flagship

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

const (
	remedyWait  = "It is tried again by itself. If it stays, ask the platform's administrators whether the service is up."
	remedyAuth  = "Check appId, secretRef, tenantId, accountId and user of the profile's flagshipTarget, and that the platform lets this application in."
	remedyURL   = "Check that the url of the profile's flagshipTarget is the platform's own, and that no proxy or login page answers in its place."
	remedyAsked = "Ask the platform's administrators what the code means, mend the cause, then retry the document."
)

// maxDetail of a failure in bytes.
const maxDetail = 600

// fail makes the error of a call. It holds no URL.
func fail(stage domain.Stage, f domain.Failure) *commands.SourceError {
	f.Stage, f.Detail = stage, domain.TruncateTo(f.Detail, maxDetail)
	return &commands.SourceError{Failure: f}
}

// unavailable is what may pass by itself.
func unavailable(stage domain.Stage, code, remedy, format string, args ...any) *commands.SourceError {
	return fail(stage, domain.Failure{
		Code: code, Category: domain.TargetUnavailable, Retryable: true, Detail: fmt.Sprintf(format, args...), Remedy: remedy,
	})
}

var errStalled = errors.New("the platform did not answer in time")

// unreachable is a call that got no whole answer.
func unreachable(ctx context.Context, stage domain.Stage, err error) error {
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errStalled) {
		return ctx.Err()
	}
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errRedirected):
		return redirected(stage)
	case errors.Is(err, outgoing.ErrRefused):
		return unavailable(stage, "address-refused", "If the platform is meant to be there, add its network to the allowedNetworks of the profile's flagshipTarget.",
			"the platform's address is private: %s", reason(err))
	case errors.As(err, &certificate):
		return unavailable(stage, "certificate-refused", "Have the certificate renewed, or add the authority that issued it to the certificateAuthorities of the profile's flagshipTarget.",
			"the platform's certificate is not trusted: %s", reason(err))
	case errors.Is(context.Cause(ctx), errStalled), errors.As(err, &network) && network.Timeout():
		return unavailable(stage, "timeout", remedyWait, "the platform did not answer in time: %s", reason(err))
	}
	return unavailable(stage, "connection-failed", remedyWait, "the platform could not be reached: %s", reason(err))
}

var queries = regexp.MustCompile(`\?[^\s"]*`)

// reason is an error's text without the URL that net/http puts in front, and
// without the query of any other.
func reason(err error) string {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	return queries.ReplaceAllString(err.Error(), "?...")
}

// without takes secrets out of what an error repeats of an answer: a platform
// may well repeat in it what was sent.
func without(err error, secrets ...string) error {
	var failed *commands.SourceError
	if !errors.As(err, &failed) {
		return err
	}
	f := &failed.Failure
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		for _, told := range []*string{&f.Detail, &f.SourceCode, &f.TraceID} {
			*told = strings.ReplaceAll(*told, secret, "***")
		}
	}
	return err
}

func redirected(stage domain.Stage) *commands.SourceError {
	return unavailable(stage, "redirected", remedyURL, "the platform answered with a redirection that is not followed")
}

// refused is an answer whose HTTP status is not 200.
func refused(stage domain.Stage, r *http.Response) *commands.SourceError {
	if r.StatusCode/100 == 3 { // one that would have the body sent again
		return redirected(stage)
	}
	f := domain.Failure{
		Code: "http-" + strconv.Itoa(r.StatusCode), HTTPStatus: r.StatusCode, Category: domain.TargetRejected, Remedy: remedyAsked,
		Detail: fmt.Sprintf("the platform answered HTTP %d %s", r.StatusCode, http.StatusText(r.StatusCode)),
	}
	if again := r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusRequestTimeout || r.StatusCode >= 500; again {
		f.Category, f.Retryable, f.Remedy = domain.TargetUnavailable, true, remedyWait
	}
	if r.StatusCode == http.StatusUnauthorized {
		f.Code, f.Category, f.Retryable, f.Remedy = codeAuth, domain.TargetUnavailable, true, remedyAuth
	}
	err := fail(stage, f)
	err.RetryAfter = retryAfter(r.Header.Get("Retry-After"))
	return err
}

// codeAuth is a token, a secret or a user that the platform does not take.
const codeAuth = "target-auth"

// maxRetryAfter bounds how long a platform can have us wait.
const maxRetryAfter = time.Hour

// retryAfter reads the header (RFC 9110, 10.2.3): seconds or a date.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(time.Until(at), 0), maxRetryAfter)
	}
	return 0
}

// rejected is an answer whose code is not success: the platform's refusal.
func (a answer) rejected(stage domain.Stage) *commands.SourceError {
	f := domain.Failure{
		Code: "target-code", Category: domain.TargetRejected, SourceCode: string(a.ErrorCode), TraceID: string(a.TraceID), Remedy: remedyAsked,
		Detail: fmt.Sprintf("the platform answered code %q: %s", a.ErrorCode, queries.ReplaceAllString(string(a.Message), "?...")),
	}
	if tokenCodes[a.ErrorCode] {
		f.Code, f.Category, f.Retryable, f.Remedy = codeAuth, domain.TargetUnavailable, true, remedyAuth
	}
	return fail(stage, f)
}

// notAsAgreed is an answer that is not the agreed JSON: a proxy's page, say.
func notAsAgreed(stage domain.Stage, format string, args ...any) *commands.SourceError {
	return unavailable(stage, "answer-invalid", remedyURL, format, args...)
}

// unlike is a document that does not read back as it was filed.
func unlike(format string, args ...any) *commands.SourceError {
	return fail(domain.StageVerify, domain.Failure{
		Code: "read-back-differs", Category: domain.Integrity, Rule: "R12", Retryable: true, Detail: fmt.Sprintf(format, args...),
		Remedy: "It is filed again by itself. If it stays, ask the platform's administrators what it keeps of the document.",
	})
}
