package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
)

// part of an identity, as sources and operators make them up.
var part = rapid.OneOf(
	rapid.SampledFrom([]string{"", "~", "~~", "%7E", "%", "/", "//", "a/b", " ", "影像/2025 年", "..", "+", "a-b", "\x00"}), rapid.String())

var digest = rapid.StringMatching(`[0-9a-f]{64}`)

func documentID(t *rapid.T) domain.DocumentID {
	if rapid.IntRange(0, 4).Draw(t, "anonymous") == 0 {
		return domain.DocumentID{Source: part.Draw(t, "source"), Anonymous: digest.Draw(t, "digest")}
	}
	return domain.DocumentID{Source: part.Draw(t, "source"), Resource: part.Draw(t, "resource"), ImageNumber: part.Draw(t, "image number")}
}

func TestStreamNamesAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := documentID(t)
		parsed, err := domain.ParseDocumentStream(id.Stream())
		require.NoError(t, err)
		require.Equal(t, id, parsed)

		number, slice := part.Draw(t, "number"), part.Draw(t, "slice")
		read, err := domain.ParseBatchStream(domain.BatchStream(number))
		require.NoError(t, err)
		require.Equal(t, number, read)
		read, err = domain.ParseApprovalStream(domain.ApprovalStream(number))
		require.NoError(t, err)
		require.Equal(t, number, read)
		read, err = domain.ParseProfileStream(domain.ProfileStream(number))
		require.NoError(t, err)
		require.Equal(t, number, read)
		readBatch, readSlice, err := domain.ParseDiscoveryStream(domain.DiscoveryStream(number, slice))
		require.NoError(t, err)
		require.Equal(t, []string{number, slice}, []string{readBatch, readSlice})
	})
}

func TestDifferentDocumentsHaveDifferentStreams(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := documentID(t), documentID(t)
		require.Equal(t, a == b, a.Stream() == b.Stream(), "%+v %+v", a, b)
	})
}

func TestStreamNamesArePlain(t *testing.T) {
	t.Parallel()
	for expected, stream := range map[string]string{
		"source-standard":             domain.SourceStream("standard"),
		"batch-B1":                    domain.BatchStream("B1"),
		"operation-op%2F1":            domain.OperationStream("op/1"),
		"webhook-erp":                 domain.WebhookStream("erp"),
		"approval-a%2F1":              domain.ApprovalStream("a/1"),
		"discovery-B1/2025-03@ORG%2F": domain.DiscoveryStream("B1", "2025-03@ORG/"),
		"document-standard/erp/%E5%BD%B1%E5%83%8F%2F0001%20A": domain.DocumentID{Source: "standard", Resource: "erp", ImageNumber: "影像/0001 A"}.Stream(),
		"document-standard//1":                                domain.DocumentID{Source: "standard", ImageNumber: "1"}.Stream(),
		"document-standard/%7E/1":                             domain.DocumentID{Source: "standard", Resource: "~", ImageNumber: "1"}.Stream(),
		"document-standard/~/00ff":                            domain.DocumentID{Source: "standard", Anonymous: "00ff", ImageNumber: " "}.Stream(),
	} {
		require.Equal(t, expected, stream)
	}
}

func TestWhatIsNoStreamOfTheKindIsRefused(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"", "batch-1", "document-a/b", "document-a/b/c/d", "document-%zz/b/c", "document-%zz/~/00", "discovery-B1", "discovery-%zz/1"} {
		_, err := domain.ParseDocumentStream(stream)
		require.Error(t, err, stream)
		_, _, err = domain.ParseDiscoveryStream(stream)
		require.Error(t, err, stream)
	}
	_, err := domain.ParseBatchStream("source-1")
	require.Error(t, err)
	_, err = domain.ParseApprovalStream("batch-1")
	require.Error(t, err)
}

// A stream's partition never changes: its history would be torn in two.
func TestPartitionsOfStreams(t *testing.T) {
	t.Parallel()
	for stream, partition := range map[string]int{
		"source-standard": 0, "batch-B1": 0, "operation-op": 0, "approval-a": 0, "webhook-erp": 0, "profile-later": 0, "": 0,
		"document-standard/erp/0001": 7, "document-standard/erp/0002": 4, "document-standard/~/00ff": 1, "document-": 12,
		"document-standard/erp/%E5%BD%B1%E5%83%8F%2F0001%20A": 10,
		"discovery-B20250301-080000-ABCDE/2025-03":            5, "discovery-B1/2025-03@ORG1": 11,
	} {
		require.Equal(t, partition, domain.PartitionOf(stream), stream)
	}
}

// Documents spread over all partitions: none has half more than its share.
func TestDocumentsSpreadOverPartitions(t *testing.T) {
	t.Parallel()
	const n = 100_000
	counts := map[int]int{}
	for i := range n {
		counts[domain.PartitionOf(domain.DocumentID{Source: "standard", Resource: "erp", ImageNumber: fmt.Sprintf("IMG%08d", i)}.Stream())]++
	}
	require.Len(t, counts, domain.DocumentPartitions)
	require.NotContains(t, counts, domain.ControlPartition)
	for partition, count := range counts {
		require.InDelta(t, n/domain.DocumentPartitions, count, n/domain.DocumentPartitions/2, "partition %d", partition)
	}
}

// A text that is cut keeps its length for the reader, and stays a text.
func TestTruncate(t *testing.T) {
	t.Parallel()
	require.Equal(t, "short", domain.Truncate("short"))
	require.Equal(t, "影... (cut, 6 bytes)", domain.TruncateTo("影像", 5))
	rapid.Check(t, func(t *rapid.T) {
		text, limit := rapid.String().Draw(t, "text"), rapid.IntRange(0, 50).Draw(t, "limit")
		cut := domain.TruncateTo(text, limit)
		require.True(t, cut == text && len(text) <= limit || strings.HasSuffix(cut, fmt.Sprintf("... (cut, %d bytes)", len(text))))
		require.LessOrEqual(t, len(cut), max(limit, 0)+30)
		require.Equal(t, strings.ToValidUTF8(cut, "?"), cut)
	})
}
