package objectstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/waybill-migration/waybill/commands"
)

// maxMarker in bytes: whatever is longer is none.
const maxMarker = 4096

// Check tells that the bucket is an installation's archive.
func (b *Bucket) Check(ctx context.Context, installation string) error {
	content, err := b.marker(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the archive %s: %w", b.location, commands.ErrUnmarked)
	}
	if err != nil {
		return err
	}
	return commands.CheckMarker(content, b.location.String(), installation)
}

func (b *Bucket) marker(ctx context.Context) ([]byte, error) {
	object, err := b.read(ctx, commands.MarkerKey, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = object.Close() }()
	content, err := io.ReadAll(io.LimitReader(object, maxMarker))
	if err != nil {
		return nil, b.explained("read", commands.MarkerKey, err)
	}
	return content, nil
}

// Mark says that the bucket is an installation's archive. Another's marker is
// never replaced.
func (b *Bucket) Mark(ctx context.Context, installation string) error {
	err := b.Check(ctx, installation)
	if !errors.Is(err, commands.ErrUnmarked) {
		return err
	}
	if err := b.writeMarker(ctx, commands.Marker(installation)); err != nil && !taken(err) {
		return fmt.Errorf("mark the archive %s: %w", b.location, err)
	}
	return b.Check(ctx, installation)
}

func (b *Bucket) writeMarker(ctx context.Context, content []byte) error {
	return b.put(ctx, commands.MarkerKey, bytes.NewReader(content), int64(len(content)), absent)
}

// Ready makes the bucket ready to be written to: it finds out whether the store
// honours conditions, by writing the marker that is there again on the
// condition that it is not, and gives up what killed processes left half-sent.
func (b *Bucket) Ready(ctx context.Context) error {
	content, err := b.marker(ctx)
	if err != nil {
		return err
	}
	err = b.writeMarker(ctx, content)
	if err != nil && !taken(err) {
		return fmt.Errorf("the archive %s cannot be written to: %w", b.location, err)
	}
	b.conditional = taken(err)
	return b.sweep(ctx)
}
