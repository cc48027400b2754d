package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
)

// What differs from case to case leaves the same detail, and what tells causes
// apart stays.
func TestGeneralized(t *testing.T) {
	t.Parallel()
	for detail, same := range map[string][]string{
		"file <*> (<*>) has less than <*> dpi":             {"file f1 (a (1).pdf) has less than 200 dpi", "file 17 (scan 17.png) has less than 300 dpi", "file x-9 (发票 张三.jpg) has less than 150.5 dpi"},
		"the source answered HTTP <*> Service Unavailable": {"the source answered HTTP 503 Service Unavailable"},
		"file <*>: the source says md5 <*>, the <*> bytes received have <*>": {
			"file f1: the source says md5 d41d8cd98f00b204e9800998ecf8427e, the 8192 bytes received have 9e107d9d372bb6826bd81d3542a419d6",
		},
		"单据编号<*>不存在，请在<*> <*>前处理":                                   {"单据编号BX20240301不存在，请在2024-03-01 12:30:00前处理"},
		"dial tcp <*>: connect: connection refused":                 {"dial tcp 10.0.0.1:8443: connect: connection refused"},
		"the archive could not store: open /<*>: permission denied": {"the archive could not store: open /data/archive/2024/ab12cd: permission denied"},
		`the source answered with "<*>", which is not followed`:     {`the source answered with "https://10.1.2.3/a/b?...", which is not followed`},
		"it is not utf-8 by its md5":                                {"it is not utf-8 by its md5"},
		"it is due <*>":                                             {"it is due 2025-03-01T08:00:00.5Z", "it is due 2025-03-01T16:00:00+08:00"},
		"no answer within <*>":                                      {"no answer within 5s", "no answer within 12ms", "no answer within 1m30s"},
	} {
		for _, one := range same {
			require.Equal(t, detail, domain.Generalized(one, "f1", "x-9", "a (1).pdf", "scan 17.png", "发票 张三.jpg"), one)
		}
	}
	require.Equal(t, "the f1 in f12 is <*>", domain.Generalized("the f1 in f12 is 1", "f", "1"), "parts of words are no names")
}

func TestWhatIsGeneralizedStays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"f1", " ", "a.pdf", "http://x", "<*>", "1", "2024-03-01", "é", "影像", "(", ")", `"`, "/", "-", ":", ".", "x", "deadbeef99", "md5", "...",
		}))
		detail := ""
		for _, p := range rapid.SliceOf(part).Draw(t, "parts") {
			detail += p
		}
		names := rapid.SliceOf(part).Draw(t, "names")
		once := domain.Generalized(detail, names...)
		require.Equal(t, once, domain.Generalized(once), "of %q", detail)
	})
}

// A cause is told by its stage, its code, what the source calls it, and its
// detail; what is to be done does not make it another.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	f := domain.Failure{Stage: domain.StageFetch, Code: "source-code", SourceCode: "1003", Detail: "file f1 has 12 pages", FileID: "f1", Remedy: "Ask."}
	same := f
	same.Detail, same.FileID, same.Remedy, same.TraceID = "file f2 has 7 pages", "f2", "Wait.", "t"
	require.Equal(t, f.Cause("f1").Fingerprint(), same.Cause("f2").Fingerprint())
	require.Regexp(t, `^[0-9a-f]{16}$`, f.Cause("f1").Fingerprint())
	for _, change := range []func(*domain.Failure){
		func(f *domain.Failure) { f.Stage = domain.StageStore },
		func(f *domain.Failure) { f.Code = "http-500" },
		func(f *domain.Failure) { f.SourceCode = "1004" },
		func(f *domain.Failure) { f.Detail = "file f1 has no pages" },
	} {
		other := f
		change(&other)
		require.NotEqual(t, f.Cause("f1").Fingerprint(), other.Cause("f1").Fingerprint())
	}
}
