package objectstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"

	"github.com/waybill-migration/waybill/commands"
)

const (
	// partSize of large objects in bytes: the protocol's least.
	partSize = 5 << 20
	// inOne is what goes in one request at most: the transfer manager's threshold,
	// which cannot be set through gocloud.
	inOne = 16 << 20
	// uploadMemory bounds what uploads of a process hold in memory together.
	uploadMemory = 128 << 20
	// commitTries of those who find the key's object changed while they look.
	commitTries = 10
)

// damaged is where what had a key and was not its object is kept.
const damaged = ".damaged"

// upload is an object that is in a file without a name. Nothing but Write writes
// to it, which counts.
type upload struct {
	file   *os.File
	bucket *Bucket
	size   int64
	done   bool
}

// Write implements commands.Upload.
func (u *upload) Write(p []byte) (int, error) {
	n, err := u.file.Write(p)
	u.size += int64(n)
	return n, err
}

// ReadAt implements commands.Upload.
func (u *upload) ReadAt(p []byte, at int64) (int, error) { return u.file.ReadAt(p, at) }

// Abort implements commands.Upload.
func (u *upload) Abort() error {
	if u.done {
		return nil
	}
	u.done = true
	return u.file.Close()
}

// Commit implements commands.Upload.
func (u *upload) Commit(ctx context.Context, key string) (existed bool, err error) {
	defer func() { err = errors.Join(err, u.Abort()) }()
	if err := commands.CheckArchiveKey(key); err != nil {
		return false, err
	}
	if existed, err = u.commit(ctx, key); err != nil {
		return false, fmt.Errorf("store %s: %w", key, err)
	}
	return existed, nil
}

var errUnsteady = errors.New("what lies under its key changes again and again: find out who else writes to the bucket")

func (u *upload) commit(ctx context.Context, key string) (existed bool, err error) {
	for range commitTries {
		if err := u.put(ctx, key, absent); !taken(err) {
			return false, err
		}
		tag, same, err := u.compare(ctx, key)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it went meanwhile
			continue
		case err != nil || same:
			return same, err
		}
		if err := u.replace(ctx, key, tag); !taken(err) {
			return false, err
		}
	}
	return false, errUnsteady
}

// compare tells whether the object under the key has the upload's bytes, and
// the entity tag of what was compared.
func (u *upload) compare(ctx context.Context, key string) (tag string, same bool, err error) {
	object, err := u.bucket.read(ctx, key, 0)
	if err != nil {
		return "", false, err
	}
	defer func() { _ = object.Close() }()
	var answer s3.GetObjectOutput
	if object.As(&answer) {
		tag = aws.ToString(answer.ETag)
	}
	if object.Size() != u.size {
		return tag, false, nil
	}
	same, err = equal(u.content(), object)
	return tag, same, err
}

func (u *upload) content() io.Reader { return io.NewSectionReader(u.file, 0, u.size) }

func (u *upload) put(ctx context.Context, key string, c condition) error {
	return u.bucket.put(ctx, key, u.content(), u.size, c)
}

// equal tells that two readers give the same bytes, of which there are as many.
func equal(one, other io.Reader) (bool, error) {
	ours, theirs := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(one, ours)
		if n == 0 && errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return false, err
		}
		if _, err := io.ReadFull(other, theirs[:n]); err != nil {
			return false, err
		}
		if !bytes.Equal(ours[:n], theirs[:n]) {
			return false, nil
		}
	}
}

// replace keeps what is damaged aside and puts the upload in its place, unless
// it is no longer what was compared. What is kept has the tag in its name, so
// that all who find it keep it once.
func (u *upload) replace(ctx context.Context, key, tag string) error {
	b := u.bucket
	aside := b.object(damaged + "/" + strings.Trim(tag, `"`) + "/" + key)
	err := b.blobs.Copy(ctx, aside, b.object(key), &blob.CopyOptions{BeforeCopy: func(as func(any) bool) error {
		var request *s3.CopyObjectInput
		if as(&request) {
			request.CopySourceIfMatch = aws.String(tag)
		}
		return nil
	}})
	if err != nil {
		return err
	}
	return u.put(ctx, key, condition(tag))
}
