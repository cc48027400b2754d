package standardimaging

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// maxRetryAfter bounds how long a counterpart can have us wait.
const maxRetryAfter = time.Hour

const (
	remedyWait   = "It is tried again by itself. If it stays, ask the source's administrators whether the service is up."
	remedyAuth   = "Check the source's client id and secret, and that the source lets this client in."
	remedySource = "Ask the source's administrators what the code means; then retry."
)

// fail makes the error of a request; the failure holds no URL.
func fail(stage domain.Stage, f domain.Failure) *commands.SourceError {
	f.Stage = stage
	f.Detail = domain.TruncateTo(f.Detail, 600)
	return &commands.SourceError{Failure: f}
}

// unreachable is a request that got no whole answer.
func unreachable(ctx context.Context, stage domain.Stage, err error) error {
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errStalled) {
		return ctx.Err()
	}
	code, detail := "connection-failed", "the source could not be reached"
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errRedirected):
		return fail(stage, domain.Failure{
			Code: "redirected", Category: domain.SourceRejected, Retryable: true, Detail: "the source answered with a redirection that is not followed",
			Remedy: "Check that the source's URLs are the service's own and that no proxy or login page answers in its place.",
		})
	case errors.Is(err, outgoing.ErrUnsafeRedirection):
		return fail(stage, domain.Failure{
			Code: "redirected", Category: domain.SourceRejected, Retryable: true, Detail: "the source answered with " + outgoing.Reason(err) + ", which is not followed",
			Remedy: "Ask the source's administrators to serve files over https, or to redirect to https.",
		})
	case errors.Is(err, outgoing.ErrRefused):
		return fail(stage, domain.Failure{
			Code: "address-refused", Category: domain.SourceRejected, Retryable: true, Detail: "the source's address is private: " + outgoing.Reason(err),
			Remedy: "If the source is meant to be there, add its network to the source's allowedNetworks.",
		})
	case errors.As(err, &certificate):
		return fail(stage, domain.Failure{
			Code: "certificate-refused", Category: domain.SourceRejected, Retryable: true, Detail: "the source's certificate is not trusted: " + outgoing.Reason(err),
			Remedy: "Have the certificate renewed, or add the authority that issued it to the source's certificateAuthorities; the source's check tells which.",
		})
	case errors.Is(context.Cause(ctx), errStalled), errors.As(err, &network) && network.Timeout():
		code, detail = "timeout", "the source did not answer in time"
	case errors.Is(err, io.ErrUnexpectedEOF):
		code, detail = "body-truncated", "the source's answer ended before its length"
	}
	return fail(stage, domain.Failure{
		Code: code, Category: domain.SourceUnavailable, Retryable: true, Detail: detail + ": " + outgoing.Reason(err), Remedy: remedyWait,
	})
}

// refused is an answer whose HTTP status is not 200.
func refused(stage domain.Stage, r *http.Response) *commands.SourceError {
	f := domain.Failure{
		Code: fmt.Sprintf("http-%d", r.StatusCode), HTTPStatus: r.StatusCode, Category: domain.SourceRejected,
		Detail: fmt.Sprintf("the source answered HTTP %d %s", r.StatusCode, http.StatusText(r.StatusCode)), Remedy: remedySource,
	}
	var after time.Duration
	switch {
	case r.StatusCode == http.StatusTooManyRequests:
		f.Category, f.Retryable, f.Remedy = domain.SourceThrottled, true, "It is tried again when the source asked for it. If it stays, lower the source's concurrency and rate."
		after = outgoing.RetryAfter(r.Header, maxRetryAfter)
	case r.StatusCode >= 500:
		f.Category, f.Retryable, f.Remedy = domain.SourceUnavailable, true, remedyWait
		after = outgoing.RetryAfter(r.Header, maxRetryAfter)
	case r.StatusCode == http.StatusUnauthorized:
		f.Category, f.Retryable, f.Remedy = domain.SourceAuth, true, remedyAuth
	case stage == domain.StageFetch:
		// A download URL that expired: a fresh one comes with the next attempt.
		f.Category, f.Retryable, f.Remedy = domain.SourceUnavailable, true, remedyWait
	}
	err := fail(stage, f)
	err.RetryAfter = after
	return err
}

// rejected is an answer whose code is not success.
func rejected(stage domain.Stage, category domain.Category, o outcome) *commands.SourceError {
	f := domain.Failure{
		Code: "source-code", Category: category, SourceCode: o.code(), TraceID: string(o.TraceID),
		Detail: fmt.Sprintf("the source answered code %q: %s", o.code(), outgoing.WithoutQueries(o.message())), Remedy: remedySource,
	}
	if category == domain.SourceAuth {
		f.Remedy, f.Retryable = remedyAuth, true
	}
	return fail(stage, f)
}

// notAsAgreed is an answer that is not the agreed JSON: a proxy's page, say.
func notAsAgreed(stage domain.Stage, what string) *commands.SourceError {
	return fail(stage, domain.Failure{
		Code: "answer-invalid", Category: domain.SourceRejected, Retryable: true, Detail: what,
		Remedy: "Check that the source's URLs are the service's own and that no proxy or login page answers in its place.",
	})
}
