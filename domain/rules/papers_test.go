package rules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

// papers are a cover and files of a class with sequence numbers.
func papers(sequences map[document.Class][]int) rules.Item {
	item := anImage
	item.Files = nil
	for _, class := range []document.Class{document.Cover, document.Invoice, document.Attachment} {
		for _, n := range sequences[class] {
			item.Files = append(item.Files, document.ListedFile{ID: "f", Class: class, Sequence: n})
		}
	}
	return item
}

func TestR15Sequence(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]map[document.Class][]int{
		"through the document": {document.Cover: {1}, document.Invoice: {3, 2}, document.Attachment: {4}},
		"from zero":            {document.Cover: {0}, document.Invoice: {1}},
		"in each class":        {document.Cover: {1}, document.Invoice: {1, 2}, document.Attachment: {1}},
		"one":                  {document.Cover: {7}},
	} {
		require.Empty(t, rules.Document(papers(good), flagship).Results, name)
	}
	for measured, bad := range map[string]map[document.Class][]int{
		"1 2 4":   {document.Cover: {1}, document.Invoice: {2, 4}},
		"1 2 2 3": {document.Cover: {1}, document.Invoice: {2, 2, 3}},
		"0 0 0":   {document.Cover: {0}, document.Invoice: {0, 0}},
		"2 3":     {document.Cover: {2}, document.Invoice: {3}},
	} {
		v := rules.Document(papers(bad), flagship)
		requireTells(t, v, document.Warn, "sequence-broken")
		require.Equal(t, measured, v.Results[0].Measured)
	}
	v := rules.Document(papers(map[document.Class][]int{document.Cover: make([]int, 10_000)}), flagship)
	require.Len(t, v.Results[0].Measured, 40*2+3, "a text of an event has a bound")
}

func TestR16CoverMissing(t *testing.T) {
	t.Parallel()
	requireTells(t, rules.Document(papers(map[document.Class][]int{document.Invoice: {1, 2}}), flagship), document.Warn, "cover-missing")
	require.Empty(t, rules.Document(papers(map[document.Class][]int{document.Cover: {1}, document.Invoice: {2}}), flagship).Results)
	require.Empty(t, rules.Document(papers(nil), flagship).Results, "that there is no file at all is R14's")
}

func TestR17OriginalMissing(t *testing.T) {
	t.Parallel()
	original := document.ListedFile{ID: "o", PID: "p", Class: document.Invoice, Sequence: 2, Name: "发票.ofd"}
	picture := document.ListedFile{ID: "r", PID: "p", Class: document.Invoice, Sequence: 3, Name: "发票.png", Rendition: true}
	child := document.ListedFile{ID: "r", PID: "o", Class: document.Invoice, Sequence: 3, Rendition: true}
	shown := document.ListedFile{ID: "a", Class: document.Attachment, Sequence: 2, Rendition: true}
	for name, files := range map[string][]document.ListedFile{
		"the original alone": {aCover, original}, "both, of one parent": {aCover, original, picture}, "the original is the parent": {aCover, original, child},
		"an attachment": {aCover, shown},
	} {
		item := anImage
		item.Files = files
		require.Empty(t, rules.Document(item, flagship).Results, name)
	}
	alone, orphan := picture, picture
	alone.Sequence = 2
	orphan.PID = ""
	for name, files := range map[string][]document.ListedFile{
		"a rendition alone": {aCover, alone}, "of another parent": {aCover, {ID: "o", PID: "q", Class: document.Invoice, Sequence: 2}, picture}, "of no parent": {aCover, original, orphan},
	} {
		item := anImage
		item.Files = files
		v := rules.Document(item, flagship)
		requireTells(t, v, document.Warn, "original-missing")
		require.Contains(t, v.Results[0].Detail, "发票.png", name)
	}
}

func TestR18RetentionAbsent(t *testing.T) {
	t.Parallel()
	retained := func(value string) rules.Verdict {
		listed := whole
		listed.Retention = value
		return rules.Document(of(listed), flagship)
	}
	for _, good := range []string{"10", "30", "permanent", "Permanent ", "永久", "30年"} {
		require.Empty(t, retained(good).Results, good)
	}
	requireTells(t, retained(" "), document.Info, "retention-absent")
	v := retained("15")
	requireTells(t, v, document.Info, "retention-unknown")
	require.Equal(t, "15", v.Results[0].Measured)
	require.Less(t, len(retained(strings.Repeat("x", 300)).Results[0].Measured), 300)
}
