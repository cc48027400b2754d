package flagship

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// maxRetryAfter bounds how long a counterpart can have us wait.
const maxRetryAfter = time.Hour

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
			"the platform's address is private: %s", outgoing.Reason(err))
	case errors.As(err, &certificate):
		return unavailable(stage, "certificate-refused", "Have the certificate renewed, or add the authority that issued it to the certificateAuthorities of the profile's flagshipTarget.",
			"the platform's certificate is not trusted: %s", outgoing.Reason(err))
	case errors.Is(context.Cause(ctx), errStalled), errors.As(err, &network) && network.Timeout():
		return unavailable(stage, "timeout", remedyWait, "the platform did not answer in time: %s", outgoing.Reason(err))
	}
	return unavailable(stage, "connection-failed", remedyWait, "the platform could not be reached: %s", outgoing.Reason(err))
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
	err.RetryAfter = outgoing.RetryAfter(r.Header, maxRetryAfter)
	return err
}

// codeAuth is a token, a secret or a user that the platform does not take.
const codeAuth = "target-auth"

// rejected is an answer whose code is not success: the platform's refusal.
func (a answer) rejected(stage domain.Stage) *commands.SourceError {
	f := domain.Failure{
		Code: "target-code", Category: domain.TargetRejected, SourceCode: string(a.ErrorCode), TraceID: string(a.TraceID), Remedy: remedyAsked,
		Detail: fmt.Sprintf("the platform answered code %q: %s", a.ErrorCode, outgoing.WithoutQueries(string(a.Message))),
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
