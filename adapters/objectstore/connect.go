package objectstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/waybill-migration/waybill/adapters/outgoing"
)

// Times of connections.
const (
	connectTimeout = 10 * time.Second
	stallTimeout   = time.Minute // without a byte in either direction
	idleTimeout    = 50 * time.Second
	maxIdle        = 256 // connections: as many as workers and checks have at once
)

// client speaks to the store. The credentials' own connections, to the
// metadata of a machine or to AWS's token service, are the SDK's.
func client(ctx context.Context, l Location, networks []string, authorities string) (*s3.Client, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRequestChecksumCalculation(l.Checksums),
		// What is read is compared with its SHA-256 by whoever reads it: bytes that
		// are not what the store itself thinks they are have changed, and can be read.
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
		// Two writers of one key may be told to try again.
		config.WithRetryer(func() aws.Retryer { return retry.AddWithErrorCodes(retry.NewStandard(), "ConditionalRequestConflict") }),
	}
	if l.Region != "" {
		options = append(options, config.WithRegion(l.Region))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("the AWS settings of the environment: %w", err)
	}
	if loaded.Region == "" {
		return nil, errors.New("the bucket's region is missing: add ?region=... to the URL, or set AWS_REGION; stores other than AWS take us-east-1")
	}
	counterpart := outgoing.Counterpart{Networks: networks, Authorities: authorities, Timeout: connectTimeout}
	transport := counterpart.Transport()
	transport.DialContext = stalling(transport.DialContext)
	transport.MaxIdleConnsPerHost, transport.IdleConnTimeout = maxIdle, idleTimeout
	loaded.HTTPClient = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.UsePathStyle = l.PathStyle
		if l.Endpoint != "" {
			o.BaseEndpoint = aws.String(l.Endpoint)
		}
	}), nil
}

type dial = func(ctx context.Context, network, address string) (net.Conn, error)

// stalling gives up connections on which nothing moves any more: the store's
// client waits for ever.
func stalling(connect dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := connect(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return moving{connection}, nil
	}
}

// moving is a connection whose every read and write gives it more time: while
// a large part is sent nothing is received, and the other way round.
type moving struct{ net.Conn }

func (m moving) Read(p []byte) (int, error) {
	_ = m.SetDeadline(time.Now().Add(stallTimeout))
	return m.Conn.Read(p)
}

func (m moving) Write(p []byte) (int, error) {
	_ = m.SetDeadline(time.Now().Add(stallTimeout))
	return m.Conn.Write(p)
}
