package objectstore

import (
	"context"
	"io"
	"io/fs"
	"time"

	"gocloud.dev/blob"

	"github.com/waybill-migration/waybill/commands"
)

// Objects are the archive as files, for those who only read it.
func (b *Bucket) Objects(ctx context.Context) fs.FS { return objects{ctx, b} }

type objects struct {
	ctx    context.Context //nolint:containedctx // files know none
	bucket *Bucket
}

// Open implements fs.FS. It asks for the object's size; its bytes are asked for
// when they are read.
func (o objects) Open(key string) (fs.File, error) {
	if err := commands.CheckArchiveKey(key); err != nil {
		return nil, &fs.PathError{Op: "open", Path: key, Err: fs.ErrInvalid}
	}
	attributes, err := o.bucket.blobs.Attributes(o.ctx, o.bucket.object(key))
	if err != nil {
		return nil, o.bucket.explained("look for", key, err)
	}
	return &object{objects: o, key: key, info: info{key, attributes.Size, attributes.ModTime}}, nil
}

type object struct {
	objects
	key  string
	info info
	at   int64
	body *blob.Reader
}

// Stat implements fs.File.
func (o *object) Stat() (fs.FileInfo, error) { return o.info, nil }

// Read implements fs.File.
func (o *object) Read(p []byte) (n int, err error) {
	if o.at >= o.info.size {
		return 0, io.EOF
	}
	if o.body == nil {
		if o.body, err = o.bucket.read(o.ctx, o.key, o.at); err != nil {
			return 0, err
		}
	}
	n, err = o.body.Read(p)
	o.at += int64(n)
	return n, err
}

// Seek implements io.Seeker. What lies in between is not asked for.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.info.size
	}
	if offset < 0 {
		return 0, &fs.PathError{Op: "seek", Path: o.key, Err: fs.ErrInvalid}
	}
	if offset == o.at {
		return offset, nil
	}
	err := o.Close()
	o.at, o.body = offset, nil
	return offset, err
}

// Close implements fs.File.
func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	return o.body.Close()
}

// info of an object.
type info struct {
	name     string
	size     int64
	modified time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return 0o444 }
func (i info) ModTime() time.Time { return i.modified }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }
