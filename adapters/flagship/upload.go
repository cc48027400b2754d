package flagship

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// encoded is the body of an upload: a file's bytes as base64 in JSON, encoded
// while they are read.
type encoded struct {
	file   commands.FilingFile
	read   func(ctx context.Context, key string) (io.ReadCloser, error)
	beside uploadRequest
}

func (e encoded) open(ctx context.Context) (io.ReadCloser, int64, error) {
	rest, err := json.Marshal(e.beside)
	if err != nil {
		return nil, 0, err
	}
	object, err := e.read(ctx, e.file.Stored.Key)
	if err != nil {
		return nil, 0, unread(err)
	}
	before, after := `{"`+contentField+`":"`, `",`+string(rest[1:])
	content, pipe := io.Pipe()
	go func() { pipe.CloseWithError(encode(pipe, object)) }()
	size := int64(len(before)) + (e.file.Stored.Bytes+2)/3*4 + int64(len(after))
	return upload{io.MultiReader(strings.NewReader(before), content, strings.NewReader(after)), content}, size, nil
}

// upload is a body that ends its encoding when it is closed.
type upload struct {
	io.Reader
	io.Closer
}

// encode writes an object as base64; a reader that went ends it.
func encode(into io.Writer, object io.ReadCloser) (err error) {
	defer func() { _ = object.Close() }()
	encoder := base64.NewEncoder(base64.StdEncoding, into)
	if _, err = io.Copy(encoder, object); errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	if err != nil {
		return unread(err)
	}
	return encoder.Close()
}

// unread is the archive, which did not give what it has.
func unread(err error) error {
	return fail(domain.StageStore, domain.Failure{
		Code: "archive-error", Category: domain.TargetUnavailable, Retryable: true, Detail: fmt.Sprintf("the archive could not be read: %v", err),
		Remedy: "Check the archive. It is tried again by itself.",
	})
}

// of names the file that a failure is of.
func of(id string, err error) error {
	var failed *commands.SourceError
	if errors.As(err, &failed) {
		failed.Failure.Detail = domain.TruncateTo("file "+id+": "+failed.Failure.Detail, maxDetail)
	}
	return err
}
