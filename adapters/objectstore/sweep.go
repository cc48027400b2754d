package objectstore

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// abandoned is how old an upload in parts is that nobody works on any more. A
// process that lives cannot be told from one that was killed: the store has no
// locks.
const abandoned = 24 * time.Hour

// sweep gives up what killed processes left half-sent. A store that does not
// list it is left as it is: a rule of the bucket can do the same
// (AbortIncompleteMultipartUpload).
func (b *Bucket) sweep(ctx context.Context) error {
	request := &s3.ListMultipartUploadsInput{Bucket: aws.String(b.location.Bucket)}
	if b.location.Prefix != "" {
		request.Prefix = aws.String(b.location.Prefix + "/")
	}
	for uploads := s3.NewListMultipartUploadsPaginator(b.client, request); uploads.HasMorePages(); {
		page, err := uploads.NextPage(ctx)
		if unlisted(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sweep the uploads of %s: %w", b.location, err)
		}
		for _, upload := range page.Uploads {
			if err := b.abandon(ctx, upload); err != nil {
				return fmt.Errorf("sweep the uploads of %s: %w", b.location, err)
			}
		}
	}
	return nil
}

// unlisted tells that uploads cannot be listed, or not by this user, or, as
// some stores say it, that there is none.
func unlisted(err error) bool {
	switch code(err) {
	case "AccessDenied", "NotImplemented", "MethodNotAllowed", "NoSuchUpload":
		return true
	}
	return false
}

func (b *Bucket) abandon(ctx context.Context, upload types.MultipartUpload) error {
	if upload.Initiated == nil || time.Since(*upload.Initiated) < abandoned {
		return nil
	}
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: aws.String(b.location.Bucket), Key: upload.Key, UploadId: upload.UploadId,
	})
	if code(err) == "NoSuchUpload" { // another has swept it
		return nil
	}
	return err
}
