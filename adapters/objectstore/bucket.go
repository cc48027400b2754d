package objectstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/sync/semaphore"

	"github.com/waybill-migration/waybill/commands"
)

// Settings of an archive in a bucket, beside where it is.
type Settings struct {
	Networks    []string // CIDR prefixes of private addresses that the store may have
	Authorities string   // PEM of authorities that are trusted beside the system's
	Spool       string   // folder for bytes on their way; empty: the system's for temporary files
}

// Bucket implements commands.Archive. It is safe for concurrent use, by
// several processes too.
type Bucket struct {
	location Location
	settings Settings
	client   *s3.Client
	blobs    *blob.Bucket
	memory   *semaphore.Weighted
	// conditional tells that the store honours conditions of a write.
	conditional bool
}

// Connect prepares what speaks to a store. It sends nothing yet; Close it.
func Connect(ctx context.Context, l Location, s Settings) (*Bucket, error) {
	speaking, err := client(ctx, l, s.Networks, s.Authorities)
	if err != nil {
		return nil, fmt.Errorf("the archive %s: %w", l, err)
	}
	blobs, err := s3blob.OpenBucket(ctx, speaking, l.Bucket, &s3blob.Options{
		EncryptionType: l.Encryption, KMSEncryptionID: l.KMSKey, RequestChecksumCalculation: l.Checksums,
	})
	if err != nil {
		return nil, fmt.Errorf("the archive %s: %w", l, err)
	}
	return &Bucket{location: l, settings: s, client: speaking, blobs: blobs, memory: semaphore.NewWeighted(uploadMemory), conditional: true}, nil
}

// Close lets go of the store.
func (b *Bucket) Close() error { return b.blobs.Close() }

// Name implements commands.Archive.
func (b *Bucket) Name() string { return Scheme }

// Begin implements commands.Archive.
func (b *Bucket) Begin(context.Context) (commands.Upload, error) {
	file, err := os.CreateTemp(b.settings.Spool, "waybill-upload-*")
	if err != nil {
		return nil, fmt.Errorf("begin an upload: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("begin an upload: %w", err), file.Close())
	}
	return &upload{file: file, bucket: b}, nil
}

// Open implements commands.Archive.
func (b *Bucket) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := commands.CheckArchiveKey(key); err != nil {
		return nil, err
	}
	return b.read(ctx, key, 0)
}

func (b *Bucket) read(ctx context.Context, key string, from int64) (*blob.Reader, error) {
	reader, err := b.blobs.NewRangeReader(ctx, b.object(key), from, -1, nil)
	if err != nil {
		return nil, b.explained("read", key, err)
	}
	return reader, nil
}

// Size implements commands.Archive.
func (b *Bucket) Size(ctx context.Context, key string) (int64, error) {
	if err := commands.CheckArchiveKey(key); err != nil {
		return 0, err
	}
	attributes, err := b.blobs.Attributes(ctx, b.object(key))
	if err != nil {
		return 0, b.explained("look for", key, err)
	}
	return attributes.Size, nil
}

// List implements commands.Archive.
func (b *Bucket) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := commands.CheckArchiveKey(folder); err != nil {
			yield("", err)
			return
		}
		objects := b.blobs.List(&blob.ListOptions{Prefix: b.object(folder) + "/"})
		for {
			found, err := objects.Next(ctx)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield("", b.explained("list", folder, err))
				return
			case !yield(strings.TrimPrefix(found.Key, b.object("")), nil):
				return
			}
		}
	}
}

// object is the name of a key's object in the bucket.
func (b *Bucket) object(key string) string {
	if b.location.Prefix == "" {
		return key
	}
	return b.location.Prefix + "/" + key
}

// explained says of an error what was done, and tells an object that is not
// there from a bucket that is not.
func (b *Bucket) explained(what, key string, err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound && code(err) != "NoSuchBucket" {
		return &fs.PathError{Op: what, Path: b.location.String() + "/" + key, Err: fs.ErrNotExist}
	}
	return fmt.Errorf("%s %s in %s: %w", what, key, b.location, err)
}

// code is the store's own of an error.
func code(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorCode()
	}
	return ""
}
