package objectstore

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// condition of a write: the entity tag that the key's object must have; empty:
// there must be none.
type condition string

const absent condition = ""

func (c condition) set(request *transfermanager.UploadObjectInput) {
	if c == absent {
		request.IfNoneMatch = aws.String("*")
		return
	}
	request.IfMatch = aws.String(string(c))
}

var errTaken = errors.New("there is an object")

// taken tells that a write's condition did not hold.
func taken(err error) bool {
	return errors.Is(err, errTaken) || gcerrors.Code(err) == gcerrors.FailedPrecondition
}

// held is the memory of an upload: up to inOne of it is read into a buffer that
// grows, and two parts are used in turn when there is more.
func held(size int64) int64 {
	if size < inOne {
		return 2 * size
	}
	return 2*inOne + 2*partSize
}

// put writes an object on a condition. When ctx ends, the content does, and not
// the requests: what was sent in parts is given up by one more of them.
func (b *Bucket) put(ctx context.Context, key string, content io.Reader, size int64, c condition) error {
	if !b.conditional && c == absent {
		if there, err := b.blobs.Exists(ctx, b.object(key)); err != nil {
			return b.explained("look for", key, err)
		} else if there {
			return errTaken
		}
	}
	if err := b.memory.Acquire(ctx, held(size)); err != nil {
		return err
	}
	defer b.memory.Release(held(size))
	err := b.blobs.Upload(context.WithoutCancel(ctx), b.object(key), until{ctx, content}, &blob.WriterOptions{
		ContentType: "application/octet-stream", BufferSize: partSize, MaxConcurrency: 1,
		BeforeWrite: func(as func(any) bool) error {
			var request *transfermanager.UploadObjectInput
			if as(&request) {
				c.set(request)
			}
			return nil
		},
	})
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	if err != nil && !taken(err) {
		return b.explained("write", key, err)
	}
	return err
}

// until is content that ends with a context.
type until struct {
	ctx context.Context
	io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}
