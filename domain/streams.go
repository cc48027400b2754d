package domain

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"strings"
)

// The journal's partitions. Partition 0 is control: few events, totally
// ordered. Partitions 1..DocumentPartitions hold document and discovery
// streams. The number is fixed when a journal is made.
const (
	ControlPartition   = 0
	DocumentPartitions = 16
	Partitions         = 1 + DocumentPartitions
)

// Stream prefixes, each followed by "-" and percent-encoded parts.
const (
	sourcePrefix       = "source-"
	batchPrefix        = "batch-"
	operationPrefix    = "operation-"
	discoveryPrefix    = "discovery-"
	documentPrefix     = "document-"
	accessPrefix       = "access-"
	webhookPrefix      = "webhook-"
	approvalPrefix     = "approval-"
	profilePrefix      = "profile-"
	verificationPrefix = "verification-"
	listPrefix         = "list-"
)

// SourceStream names the stream of a source.
func SourceStream(id string) string { return sourcePrefix + url.PathEscape(id) }

// ParseSourceStream is the inverse of SourceStream.
func ParseSourceStream(stream string) (string, error) {
	id, ok := strings.CutPrefix(stream, sourcePrefix)
	if !ok {
		return "", fmt.Errorf("%q is not the name of a source stream", stream)
	}
	return url.PathUnescape(id)
}

// BatchStream names the stream of a batch.
func BatchStream(number string) string { return batchPrefix + url.PathEscape(number) }

// ParseBatchStream is the inverse of BatchStream.
func ParseBatchStream(stream string) (string, error) {
	number, ok := strings.CutPrefix(stream, batchPrefix)
	if !ok {
		return "", fmt.Errorf("%q is not the name of a batch stream", stream)
	}
	return url.PathUnescape(number)
}

// OperationStream names the stream of a bulk operation.
func OperationStream(id string) string { return operationPrefix + url.PathEscape(id) }

// ParseOperationStream is the inverse of OperationStream.
func ParseOperationStream(stream string) (string, error) {
	id, ok := strings.CutPrefix(stream, operationPrefix)
	if !ok {
		return "", fmt.Errorf("%q is not the name of an operation stream", stream)
	}
	return url.PathUnescape(id)
}

// ApprovalStream names the stream of an act that takes two operators.
func ApprovalStream(id string) string { return approvalPrefix + url.PathEscape(id) }

// ParseApprovalStream is the inverse of ApprovalStream.
func ParseApprovalStream(stream string) (string, error) {
	id, ok := strings.CutPrefix(stream, approvalPrefix)
	if !ok {
		return "", fmt.Errorf("%q is not the name of an approval stream", stream)
	}
	return url.PathUnescape(id)
}

// VerificationStream names the stream of a verification.
func VerificationStream(id string) string { return verificationPrefix + url.PathEscape(id) }

// ParseVerificationStream is the inverse of VerificationStream.
func ParseVerificationStream(stream string) (string, error) {
	id, ok := strings.CutPrefix(stream, verificationPrefix)
	if !ok {
		return "", fmt.Errorf("%q is not the name of a verification stream", stream)
	}
	return url.PathUnescape(id)
}

// DiscoveryStream names the stream of the listing of one slice of a batch.
func DiscoveryStream(batch, slice string) string {
	return discoveryPrefix + url.PathEscape(batch) + "/" + url.PathEscape(slice)
}

// ParseDiscoveryStream is the inverse of DiscoveryStream.
func ParseDiscoveryStream(stream string) (batch, slice string, err error) {
	rest, ok := strings.CutPrefix(stream, discoveryPrefix)
	left, right, found := strings.Cut(rest, "/")
	if !ok || !found {
		return "", "", fmt.Errorf("%q is not the name of a discovery stream", stream)
	}
	if batch, err = url.PathUnescape(left); err != nil {
		return "", "", fmt.Errorf("discovery stream %q: %w", stream, err)
	}
	slice, err = url.PathUnescape(right)
	return batch, slice, err
}

// AccessStream names the stream of a token, an export or a refusal.
func AccessStream(kind, id string) string {
	return accessPrefix + url.PathEscape(kind) + "/" + url.PathEscape(id)
}

// WebhookStream names the stream of a webhook.
func WebhookStream(id string) string { return webhookPrefix + url.PathEscape(id) }

// ProfileStream names the stream of a target profile.
func ProfileStream(name string) string { return profilePrefix + url.PathEscape(name) }

// ParseProfileStream is the inverse of ProfileStream.
func ParseProfileStream(stream string) (string, error) {
	name, ok := strings.CutPrefix(stream, profilePrefix)
	if !ok {
		return "", fmt.Errorf("%q is not the name of a profile stream", stream)
	}
	return url.PathUnescape(name)
}

// ListStream names the stream of an uploaded list.
func ListStream(id string) string { return listPrefix + url.PathEscape(id) }

// ParseListStream is the inverse of ListStream.
func ParseListStream(stream string) (string, error) {
	id, ok := strings.CutPrefix(stream, listPrefix)
	if !ok {
		return "", fmt.Errorf("%q is not the name of a list's stream", stream)
	}
	return url.PathUnescape(id)
}

// ListSlice is the slice of a batch that goes through its list, beside those that
// are months of its period.
const ListSlice = "list"

// DocumentID is what makes a document the same document in every batch.
type DocumentID struct {
	Source      string `json:"source"`
	Resource    string `json:"resource"`
	ImageNumber string `json:"imageNumber"`
	// Anonymous is the digest of an item that the source listed without an
	// image number; ImageNumber and Resource are not used for its identity then.
	Anonymous string `json:"anonymous,omitempty"`
}

// Stream names the document's stream. An item without an image number goes
// under "~", where no resource code can reach: PathEscape keeps "~", so a
// resource of that name is escaped here.
func (d DocumentID) Stream() string {
	if d.Anonymous != "" {
		return documentPrefix + url.PathEscape(d.Source) + "/~/" + d.Anonymous
	}
	resource := url.PathEscape(d.Resource)
	if resource == "~" {
		resource = "%7E"
	}
	return documentPrefix + url.PathEscape(d.Source) + "/" + resource + "/" + url.PathEscape(d.ImageNumber)
}

// ParseDocumentStream is the inverse of DocumentID.Stream.
func ParseDocumentStream(stream string) (DocumentID, error) {
	rest, ok := strings.CutPrefix(stream, documentPrefix)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 {
		return DocumentID{}, fmt.Errorf("%q is not the name of a document stream", stream)
	}
	if parts[1] == "~" {
		source, err := url.PathUnescape(parts[0])
		return DocumentID{Source: source, Anonymous: parts[2]}, err
	}
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return DocumentID{}, fmt.Errorf("document stream %q: %w", stream, err)
		}
		parts[i] = plain
	}
	return DocumentID{Source: parts[0], Resource: parts[1], ImageNumber: parts[2]}, nil
}

// PartitionOf gives the journal partition of a stream: 0 for control streams,
// 1 + fnv1a(stream) mod 16 for document and discovery streams. It is computed
// here only, never in SQL, so that there is one answer.
func PartitionOf(stream string) int {
	if !strings.HasPrefix(stream, documentPrefix) && !strings.HasPrefix(stream, discoveryPrefix) {
		return ControlPartition
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(stream))
	return 1 + int(h.Sum32()%DocumentPartitions)
}
