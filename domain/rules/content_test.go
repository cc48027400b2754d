package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

const mib = 1 << 20

// hashed is a file whose bytes have the hash that the source says.
var hashed = document.ListedFile{ID: "f", Class: document.Invoice, Hash: "h", HashAlgorithm: "md5"}

func scan(change func(*rules.Found)) rules.Found {
	found := rules.Found{Received: 1000, Format: "png", Digest: "h", Raster: true, Width: 1654, Height: 2339, DPI: 300, Pages: 1}
	change(&found)
	return found
}

func sized(bytes int64) rules.Found { return scan(func(f *rules.Found) { f.Received = bytes }) }

func TestR05TypeUnsupported(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"pdf", "ofd", "xml", "jpeg", "png", "tiff", "bmp"} {
		require.Empty(t, rules.File(hashed, scan(func(f *rules.Found) { f.Format = format }), flagship).Results, format)
	}
	declared := hashed
	declared.Type = "png"
	v := rules.File(declared, rules.Found{Received: 1, Format: "vnd.microsoft.portable-executable", Digest: "h"}, flagship)
	requireBlocks(t, v, "R05", "type-unsupported", domain.FormatMismatch)
	require.Equal(t, "f", v.Failure.FileID)
	require.Contains(t, v.Failure.Detail, `declared "png"`)
	requireTells(t, rules.File(hashed, rules.Found{Received: 1, Format: "heic", Digest: "h"}, flagship), document.Warn, "type-tolerated")
	strict := flagship
	strict.Types, strict.ToleratedTypes = []string{"pdf"}, nil
	for _, format := range []string{"heic", "png"} {
		requireBlocks(t, rules.File(hashed, rules.Found{Received: 1, Format: format, Digest: "h"}, strict), "R05", "type-unsupported", domain.FormatMismatch)
	}
}

func TestR06ExtensionMismatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ declared, name, format string }{
		{"png", "", "png"}, {"PNG", "", "png"}, {"jpg", "", "jpeg"}, {"tif", "", "tiff"}, {"", "scan.JPG", "jpeg"}, {"", "scan", "jpeg"}, {"png", "x.pdf", "png"}, {"pdf", "", ""},
	} {
		f := hashed
		f.Type, f.Name = c.declared, c.name
		require.NotContains(t, codesOf(rules.File(f, scan(func(f *rules.Found) { f.Format = c.format }), flagship)), "extension-mismatch", c)
	}
	for _, c := range []struct{ declared, name string }{{"pdf", ""}, {"", "scan.pdf"}, {"jpg", "scan.png"}} {
		f := hashed
		f.Type, f.Name = c.declared, c.name
		v := rules.File(f, scan(func(*rules.Found) {}), flagship)
		requireTells(t, v, document.Warn, "extension-mismatch")
		require.Equal(t, "png", v.Results[0].Measured)
	}
}

func TestR07Size(t *testing.T) {
	t.Parallel()
	require.Empty(t, rules.File(hashed, sized(12*mib), flagship).Results)
	requireBlocks(t, rules.File(hashed, rules.Found{Digest: "h"}, flagship), "R07", "size-zero", domain.FormatMismatch)
	v := rules.File(hashed, sized(12*mib+1), flagship)
	requireTells(t, v, document.Warn, "size-large")
	require.Equal(t, "12582913 bytes", v.Results[0].Measured)
	requireTells(t, rules.File(hashed, sized(16*mib), flagship), document.Warn, "size-large")

	unread := rules.Found{Received: 16*mib + 1, Digest: "of what was read"}
	v = rules.File(hashed, unread, flagship)
	requireBlocks(t, v, "R07", "size-over-limit", domain.FormatMismatch)
	require.Len(t, v.Results, 1, "it was not read to its end: nothing else can be said of it")
	require.EqualValues(t, 16*mib, flagship.Limit())

	for _, severity := range []document.Severity{document.Warn, rules.Off} {
		soft := with(rules.CodeSeverity{Code: "size-over-limit", Severity: severity})
		require.EqualValues(t, rules.MaxSize, soft.Limit())
		v = rules.File(hashed, sized(16*mib+1), soft)
		require.Nil(t, v.Failure)
		v = rules.File(hashed, sized(rules.MaxSize+1), soft)
		requireBlocks(t, v, "R07", "size-excessive", domain.FormatMismatch)
		require.Len(t, v.Results, 1)
	}
	requireTells(t, rules.File(hashed, sized(16*mib+1), with(rules.CodeSeverity{Code: "size-over-limit", Severity: document.Warn})), document.Warn, "size-over-limit")
}

func TestR08ResolutionLow(t *testing.T) {
	t.Parallel()
	at := func(dpi float64) rules.Found { return scan(func(f *rules.Found) { f.DPI = dpi }) }
	for _, dpi := range []float64{200, 199.9996, 300, 600} { // 7874 pixels per metre are 199.9996 dpi
		require.Empty(t, rules.File(hashed, at(dpi), flagship).Results, dpi)
	}
	for _, dpi := range []float64{199.4, 150, 96, 72, 1} {
		v := rules.File(hashed, at(dpi), flagship)
		requireBlocks(t, v, "R08", "resolution-low", domain.FormatMismatch)
		require.Contains(t, v.Results[0].Measured, "dpi")
	}
	fine := flagship
	fine.MinDPI = 300
	requireBlocks(t, rules.File(hashed, at(200), fine), "R08", "resolution-low", domain.FormatMismatch)
	requireTells(t, rules.File(hashed, at(96), with(rules.CodeSeverity{Code: "resolution-low", Severity: document.Warn})), document.Warn, "resolution-low")
}

// Whatever the estimate, it never fails.
func TestR09ResolutionUnknown(t *testing.T) {
	t.Parallel()
	for measured, found := range map[string]rules.Found{
		"1654 x 2339 pixels, about 200 dpi on A4": scan(func(f *rules.Found) { f.DPI = 0 }),
		"2339 x 1654 pixels, about 200 dpi on A4": scan(func(f *rules.Found) { f.DPI, f.Width, f.Height = 0, 2339, 1654 }),
		"120 x 170 pixels, about 15 dpi on A4":    scan(func(f *rules.Found) { f.DPI, f.Width, f.Height = 0, 120, 170 }),
		"827 x 2339 pixels, about 100 dpi on A4":  scan(func(f *rules.Found) { f.DPI, f.Width, f.Height = 0, 827, 2339 }),
		"":                                        scan(func(f *rules.Found) { f.DPI, f.Width, f.Height = 0, 0, 0 }),
	} {
		v := rules.File(hashed, found, flagship)
		requireTells(t, v, document.Warn, "resolution-unknown")
		require.Equal(t, measured, v.Results[0].Measured)
	}
	require.Empty(t, rules.File(hashed, scan(func(*rules.Found) {}), flagship).Results)
}

func TestR10BornDigitalIsExempt(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"pdf", "ofd", "xml"} {
		require.Empty(t, rules.File(hashed, rules.Found{Received: 1, Format: format, Digest: "h"}, flagship).Results)
		low := scan(func(f *rules.Found) { f.Format, f.DPI = format, 72 })
		require.Empty(t, rules.File(hashed, low, flagship).Results, "also when pictures were found in it")
	}
	requireBlocks(t, rules.File(hashed, scan(func(f *rules.Found) { f.DPI = 72 }), flagship), "R08", "resolution-low", domain.FormatMismatch)
}

func TestR11Unreadable(t *testing.T) {
	t.Parallel()
	v := rules.File(hashed, scan(func(f *rules.Found) { f.Unreadable = "its checksum is wrong" }), flagship)
	requireBlocks(t, v, "R11", "unreadable", domain.FormatMismatch)
	require.Equal(t, "its checksum is wrong", v.Results[0].Measured)
	v = rules.File(hashed, scan(func(f *rules.Found) { f.Excessive, f.Unreadable = "100000 x 100000 pixels", "it was not read" }), flagship)
	requireBlocks(t, v, "R11", "content-excessive", domain.FormatMismatch)
	require.Len(t, v.Results, 1)
}

func TestR12HashMismatch(t *testing.T) {
	t.Parallel()
	v := rules.File(hashed, rules.Found{Received: 7, Format: "exe", Digest: "other"}, flagship)
	requireBlocks(t, v, "R12", "hash-mismatch", domain.Integrity)
	require.True(t, v.Failure.Retryable)
	require.Len(t, v.Results, 1, "of bytes that are not the source's nothing else can be said")
	require.Contains(t, v.Failure.Detail, "md5 h")
	v = rules.File(hashed, rules.Found{Digest: "of nothing"}, flagship)
	requireBlocks(t, v, "R12", "hash-mismatch", domain.Integrity)
}

func TestR13HashAbsent(t *testing.T) {
	t.Parallel()
	f := document.ListedFile{ID: "f", Size: 1000}
	requireTells(t, rules.File(f, scan(func(*rules.Found) {}), flagship), document.Warn, "hash-absent")
	f.Size = 9
	v := rules.File(f, scan(func(*rules.Found) {}), flagship)
	requireTells(t, v, document.Warn, "hash-absent", "size-differs")
	require.Contains(t, v.Results[1].Detail, "9 bytes", "the size is all there is to compare")
	require.Equal(t, "1000 bytes", v.Results[1].Measured)
}

func TestR14CountMismatch(t *testing.T) {
	t.Parallel()
	two := map[document.Class]int{document.Invoice: 2}
	require.Empty(t, rules.Count(two, two).Results)
	requireBlocks(t, rules.Count(two, map[document.Class]int{document.Invoice: 1}), "R14", "count-mismatch", domain.Integrity)
	requireBlocks(t, rules.Count(two, map[document.Class]int{document.Invoice: 1, document.Cover: 1}), "R14", "count-mismatch", domain.Integrity)
	requireBlocks(t, rules.Count(nil, nil), "R14", "files-missing", domain.MissingField)
}

func TestR19EncryptedOrActive(t *testing.T) {
	t.Parallel()
	for _, active := range []string{"an encrypted PDF", "an XML with a DTD"} {
		v := rules.File(hashed, rules.Found{Received: 1, Format: "pdf", Digest: "h", Active: active, Unreadable: "a password is needed"}, flagship)
		requireBlocks(t, v, "R19", "encrypted-or-active", domain.FormatMismatch)
		require.Equal(t, []string{"encrypted-or-active"}, codesOf(v), "that it cannot be read follows from it")
		require.Contains(t, v.Failure.Detail, active)
	}
}
