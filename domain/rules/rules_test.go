package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

func TestDocument(t *testing.T) {
	t.Parallel()
	id := domain.DocumentID{Source: "s", Resource: "r", ImageNumber: "1"}
	whole := document.Listed{Organization: "o", DocumentType: "t", BillID: "b"}
	require.Nil(t, rules.Document(id, whole).Failure)
	for field, listed := range map[string]document.Listed{
		"orgNumber": {DocumentType: "t", BillID: "b"}, "billType": {Organization: "o", BillID: "b"}, "billId": {Organization: "o", DocumentType: "t", BillID: " "},
	} {
		failure := rules.Document(id, listed).Failure
		require.NotNil(t, failure, field)
		require.Equal(t, domain.MissingField, failure.Category)
		require.Contains(t, failure.Detail, field)
		require.False(t, failure.Retryable)
	}
	failure := rules.Document(domain.DocumentID{Source: "s", Anonymous: "d"}, whole).Failure
	require.Equal(t, "R01", failure.Rule)
	require.Equal(t, "R03", rules.Listed(document.ListedFile{ID: "f"}).Failure.Rule)
	require.Nil(t, rules.Listed(document.ListedFile{ID: "f", Class: document.Cover}).Failure)
}

func TestFile(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, test := range map[string]struct {
		format  string
		size    int64
		digest  string
		profile string
		rule    string // of the failure
		warns   string
	}{
		"fine":                     {format: "pdf", size: 1, digest: "h"},
		"exe":                      {format: "exe", size: 1, digest: "h", rule: "R05"},
		"exe into an archive":      {format: "exe", size: 1, digest: "h", profile: "archive", warns: "R05"},
		"heic":                     {format: "heic", size: 1, digest: "h", warns: "R05"},
		"empty":                    {size: 0, digest: "h", rule: "R07"},
		"empty into an archive":    {size: 0, digest: "h", profile: "archive", rule: "R07"},
		"12 MiB":                   {format: "png", size: 12 * mib, digest: "h"},
		"over 12 MiB":              {format: "png", size: 12*mib + 1, digest: "h", warns: "R07"},
		"over 16 MiB":              {format: "png", size: 16*mib + 1, digest: "h", rule: "R07"},
		"over 16 MiB into archive": {format: "png", size: 16*mib + 1, digest: "h", profile: "archive", warns: "R07"},
		"other bytes":              {format: "png", size: 1, digest: "other", rule: "R12"},
	} {
		v := rules.File(document.ListedFile{ID: "f", Hash: "h", HashAlgorithm: "md5"}, rules.Found{Received: test.size, Format: test.format, Digest: test.digest}, rules.ProfileOf(test.profile))
		if test.rule == "" {
			require.Nil(t, v.Failure, name)
		} else {
			require.NotNil(t, v.Failure, name)
			require.Equal(t, test.rule, v.Failure.Rule, name)
			require.Equal(t, "f", v.Failure.FileID, name)
		}
		if test.warns != "" {
			require.Equal(t, test.warns, v.Results[0].Rule, name)
			require.Equal(t, document.Warn, v.Results[0].Severity, name)
		}
	}
	v := rules.File(document.ListedFile{ID: "f"}, rules.Found{Received: 1, Format: "pdf"}, rules.ProfileOf(""))
	require.Nil(t, v.Failure)
	require.Equal(t, "R13", v.Results[0].Rule, "no hash: counted as unverifiable")
	require.Len(t, v.Results, 1)
	v = rules.File(document.ListedFile{ID: "f", Size: 9}, rules.Found{Received: 1, Format: "pdf"}, rules.ProfileOf(""))
	require.Nil(t, v.Failure)
	require.Contains(t, v.Results[1].Detail, "9 bytes", "the size is all there is to compare")
}

func TestCount(t *testing.T) {
	t.Parallel()
	two := map[document.Class]int{document.Invoice: 2}
	require.Nil(t, rules.Count(two, two).Failure)
	require.Equal(t, "count-mismatch", rules.Count(two, map[document.Class]int{document.Invoice: 1}).Failure.Code)
	require.Equal(t, "files-missing", rules.Count(nil, nil).Failure.Code)
}
