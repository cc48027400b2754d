package rules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

// whole is an item that no rule holds anything against, and its document.
var (
	whole   = document.Listed{Organization: "o", DocumentType: "t", BillID: "B_1", Retention: "30"}
	aCover  = document.ListedFile{ID: "c", Class: document.Cover, Sequence: 1, Name: "cover.pdf"}
	anID    = domain.DocumentID{Source: "s", Resource: "r", ImageNumber: "影像 1/2"}
	anImage = rules.Item{ID: anID, Listed: whole, Files: []document.ListedFile{aCover}}
	of      = func(listed document.Listed) rules.Item {
		return rules.Item{ID: anID, Listed: listed, Files: anImage.Files}
	}
	numbered = func(image string) rules.Item {
		return rules.Item{ID: domain.DocumentID{ImageNumber: image}, Listed: whole, Files: anImage.Files}
	}
)

func TestR01ImageNumberMissing(t *testing.T) {
	t.Parallel()
	require.Empty(t, rules.Document(anImage, flagship).Results)
	requireBlocks(t, rules.Document(numbered(""), flagship), "R01", "image-number-missing", domain.MissingField)
	anonymous := anImage
	anonymous.ID = domain.DocumentID{Source: "s", Anonymous: "digest"}
	requireBlocks(t, rules.Document(anonymous, flagship), "R01", "image-number-missing", domain.MissingField)
}

func TestR03FieldMissing(t *testing.T) {
	t.Parallel()
	for field, listed := range map[string]document.Listed{
		"orgNumber": {DocumentType: "t", BillID: "b", Retention: "30"}, "billType": {Organization: "o", BillID: "b", Retention: "30"},
		"billId": {Organization: "o", DocumentType: "t", BillID: " ", Retention: "30"},
	} {
		v := rules.Document(of(listed), flagship)
		requireBlocks(t, v, "R03", "field-missing", domain.MissingField)
		require.Contains(t, v.Failure.Detail, field)
		require.False(t, v.Failure.Retryable)
		require.Len(t, v.Results, 1)
	}
	v := rules.Document(of(document.Listed{Retention: "30"}), flagship)
	require.Equal(t, []string{"field-missing", "field-missing", "field-missing"}, codesOf(v), "each is told")
	require.Contains(t, v.Failure.Detail, "orgNumber", "the first is the failure")

	v = rules.Listed(document.ListedFile{ID: "f", Name: "scan.png"}, flagship)
	requireBlocks(t, v, "R03", "field-missing", domain.MissingField)
	require.Equal(t, "f", v.Failure.FileID)
	require.Contains(t, v.Failure.Detail, "f (scan.png)")
	require.Empty(t, rules.Listed(aCover, flagship).Results)
}

func TestR04FieldInvalid(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"1", "er_bill_7", strings.Repeat("Z", 50)} {
		listed := whole
		listed.BillID = id
		require.Empty(t, rules.Document(of(listed), flagship).Results, id)
	}
	for _, id := range []string{"a/b", "a+b=", "单据1", strings.Repeat("Z", 51)} { // as older systems have them
		listed := whole
		listed.BillID = id
		v := rules.Document(of(listed), flagship)
		requireBlocks(t, v, "R04", "bill-id-invalid", domain.FormatMismatch)
		require.Equal(t, id, v.Results[0].Measured)
	}
	require.Empty(t, rules.Document(numbered(strings.Repeat("影", 50)), flagship).Results, "characters, not bytes")
	requireBlocks(t, rules.Document(numbered(strings.Repeat("x", 51)), flagship), "R04", "image-number-too-long", domain.FormatMismatch)

	named := aCover
	named.Name = strings.Repeat("x", 256)
	require.Empty(t, rules.Listed(named, flagship).Results)
	named.Name += "x"
	v := rules.Listed(named, flagship)
	requireBlocks(t, v, "R04", "file-name-too-long", domain.FormatMismatch)
	require.Equal(t, "257 bytes", v.Results[0].Measured)
}

// What is mapped is asked for only where something is mapped.
func TestR04Mappings(t *testing.T) {
	t.Parallel()
	c := flagship
	c.DocumentTypes, c.Organizations = rules.Mapping{{Source: "t", Target: "BX"}}, rules.Mapping{{Source: "o", Target: "1001"}}
	require.Empty(t, rules.Document(anImage, c).Results)
	other := whole
	other.DocumentType = "u"
	requireBlocks(t, rules.Document(of(other), c), "R04", "document-type-unmapped", domain.FormatMismatch)
	require.Empty(t, rules.Document(of(other), flagship).Results)
	other = whole
	other.Organization = "p"
	requireBlocks(t, rules.Document(of(other), c), "R04", "organization-unmapped", domain.FormatMismatch)
	require.Equal(t, []string{"field-missing"}, codesOf(rules.Document(of(document.Listed{Organization: "o", BillID: "b", Retention: "30"}), c)), "what is missing is not unmapped too")
}
