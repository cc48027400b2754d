package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// A record as it is written is read as encoding/json reads the same document
// with white space between its members.
func TestEnvelopesAreReadAsJSON(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		golden, err := os.ReadFile(file)
		require.NoError(t, err)
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, golden))
		requireReadAsJSON(t, compact.String())
	}
}

// What Encode never writes, and texts that JSON escapes, are read by
// encoding/json all the same.
func TestOddEnvelopes(t *testing.T) {
	t.Parallel()
	record := string(encode(t, samples["waybill.source.enabled.v1"]))
	for _, change := range [][2]string{
		{`"partition":7`, `"partition":0`},
		{`"partition":7`, `"partition":2147483647`},
		{`"specversion":"1.0"`, `"specversion":"1.0","later":{"a":[1,true,null]}`},
		{`"requestid":"request-1"`, `"requestid":"a \"quoted\" \u4e2d\n"`},
		{`"requestid":"request-1"`, "\"requestid\":\"broken \xff\""},
		{`"specversion":"1.0"`, `"SpecVersion":"1.0"`},
	} {
		changed := strings.Replace(record, change[0], change[1], 1)
		require.NotEqual(t, record, changed)
		requireReadAsJSON(t, changed)
	}
	for _, broken := range [][2]string{
		{`"partition":7`, `"partition":07`}, {`"partition":7`, `"partition":7.5`}, {`"partition":7`, `"partition":"7"`},
		{`"partition":7`, `"partition":`}, {`{"partition"`, `{,"partition"`}, {`"specversion":"1.0"`, "\"specversion\":\"1\n\""},
		{`"time":"`, `"time":"x`}, {`"specversion":"1.0"`, `"specversion":"1.0`},
	} {
		changed := strings.Replace(record, broken[0], broken[1], 1)
		require.NotEqual(t, record, changed)
		_, err := wire.Decode([]byte(changed))
		require.Error(t, err, changed)
	}
}

func requireReadAsJSON(t *testing.T, record string) {
	t.Helper()
	now, err := wire.Decode([]byte(record))
	require.NoError(t, err, record)
	plain, err := wire.Decode([]byte(strings.Replace(record, `{"`, `{ "`, 1)))
	require.NoError(t, err, record)
	now.Bytes, plain.Bytes = nil, nil
	require.Equal(t, plain, now)
}

// The second operator stands in the record of what takes two, and in no other.
func TestApprovers(t *testing.T) {
	t.Parallel()
	approved := metadata
	approved.Approver = domain.Actor{Kind: domain.Person, Issuer: "https://login.example", Subject: "审批人-18", Roles: []string{"operator", "admin"}}
	draft, err := wire.Encode(approved, "batch-B1", 1, samples["waybill.batch.cancelled.v1"])
	require.NoError(t, err)
	record := draft.Place(coordinates)
	require.Contains(t, string(record), `"approverkind":"person","approverissuer":"https://login.example","approversubject":"审批人-18","approverroles":"operator,admin"`)
	requireReadAsJSON(t, string(record))
	decoded, err := wire.Decode(record)
	require.NoError(t, err)
	require.Equal(t, approved, decoded.Metadata)
	require.NotContains(t, string(encode(t, samples["waybill.batch.cancelled.v1"])), "approver")
}
