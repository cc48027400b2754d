package wire_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// The vector of RFC 9562, appendix A.4: name "www.example.com" in the space DNS.
func TestDeriveIsUUIDVersion5(t *testing.T) {
	t.Parallel()
	dns, err := wire.ParseUUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	require.NoError(t, err)
	require.Equal(t, "2ed6657d-e927-568b-95e1-2665a8aea6a2", wire.Derive(dns, "www.example.com").String())
	require.Equal(t, wire.Derive(dns, "12"), wire.EventID(dns, 12))
	require.NotEqual(t, wire.EventID(dns, 1), wire.EventID(dns, 2))
}

func TestParseUUID(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var u wire.UUID
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		for _, text := range []string{u.String(), strings.ToUpper(u.String())} {
			parsed, err := wire.ParseUUID(text)
			require.NoError(t, err)
			require.Equal(t, u, parsed)
		}
	})
	for _, text := range []string{
		"", "6ba7b810", "6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c", "6ba7b810-9dad-11d1-80b4-00c04fd430c8a",
		"6ba7b8109-dad-11d1-80b4-00c04fd430c8", "----6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
	} {
		_, err := wire.ParseUUID(text)
		require.Error(t, err, text)
	}
}

// Coordinates are read from the first bytes, and are what a whole decoding
// gives; the record's size is known before they are.
func TestLocateAndTimeOf(t *testing.T) {
	t.Parallel()
	draft, err := wire.Encode(wire.Metadata{RequestID: `","time":"1999-01-01T00:00:00.000000Z`}, `source-","sequence":"`, 0, source.Enabled{})
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		at := wire.Coordinates{
			Partition: rapid.IntRange(0, domain.Partitions-1).Draw(t, "partition"), Offset: rapid.Int64Min(1).Draw(t, "offset"),
			Version: rapid.IntRange(1, 1<<31-1).Draw(t, "version"),
			Time:    time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "time")).UTC(),
		}
		zone := time.FixedZone("somewhere", 8*3600)
		elsewhere := at
		elsewhere.Time = at.Time.In(zone)
		record := draft.Place(elsewhere)
		require.LessOrEqual(t, len(record), draft.Size())

		partition, offset, err := wire.Locate(record)
		require.NoError(t, err)
		require.Equal(t, at.Partition, partition)
		require.Equal(t, at.Offset, offset)
		when, err := wire.TimeOf(record)
		require.NoError(t, err)
		require.Equal(t, at.Time, when)
		decoded, err := wire.Decode(record)
		require.NoError(t, err)
		require.Equal(t, at, decoded.Coordinates)
		require.Equal(t, `source-","sequence":"`, decoded.Stream)
	})
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	t.Parallel()
	whole := encode(t, source.Enabled{Reason: "r"})
	for _, bytes := range [][]byte{nil, []byte("{}"), []byte(`{"partition":1}`), []byte(`{"partition":x,"sequence":"00000000000000000001"}`), whole[:40]} {
		_, _, err := wire.Locate(bytes)
		require.Error(t, err, "%s", bytes)
		_, err = wire.TimeOf(bytes)
		require.Error(t, err, "%s", bytes)
		_, err = wire.Decode(bytes)
		require.Error(t, err, "%s", bytes)
	}
	replace := func(old, with string) []byte {
		changed := strings.Replace(string(whole), old, with, 1)
		require.NotEqual(t, string(whole), changed)
		return []byte(changed)
	}
	for _, bytes := range [][]byte{
		whole[:len(whole)-1], whole[:len(whole)-2], append(whole[:len(whole):len(whole)], '}'),
		replace("waybill.source.enabled.v1", "waybill.source.enabled.v2"), replace(`"sequence":"0`, `"sequence":"x`),
		replace(`"commandid":"6`, `"commandid":"x`), replace("urn:uuid:1b", "urn:uuid:xx"), replace(`"id":"`, `"id":"x`), replace(`"reason":"r"`, `"reason":7`),
	} {
		_, err := wire.Decode(bytes)
		require.Error(t, err, "%s", bytes)
	}
}

// Another writer's order of members and blanks mean the same.
func TestDecodeTakesAnyJSONOfTheSameRecord(t *testing.T) {
	t.Parallel()
	whole := encode(t, source.Enabled{Reason: "r"})
	spaced := strings.ReplaceAll(string(whole), `,"`, ` , "`)
	expected, err := wire.Decode(whole)
	require.NoError(t, err)
	decoded, err := wire.Decode([]byte(spaced))
	require.NoError(t, err)
	decoded.Bytes, expected.Bytes = nil, nil
	require.Equal(t, expected, decoded)
}

func TestARecordOverTheLimitIsRefusedWhenItIsEncoded(t *testing.T) {
	t.Parallel()
	of := func(length int) (wire.Draft, error) {
		return wire.Encode(wire.Metadata{}, "source-s", 0, source.Enabled{Reason: strings.Repeat("x", length)})
	}
	small, err := of(1)
	require.NoError(t, err)
	room := wire.MaxRecord - small.Size() + 1
	largest, err := of(room)
	require.NoError(t, err)
	require.Equal(t, wire.MaxRecord, largest.Size())
	_, err = of(room + 1)
	var refusal *domain.Refusal
	require.True(t, errors.As(err, &refusal))
	require.Equal(t, "record-too-large", refusal.Code)
}

func TestWhatIsNoEventHasNoName(t *testing.T) {
	t.Parallel()
	for _, event := range []any{nil, "text", source.Settings{}, &source.Enabled{}} {
		_, err := wire.Encode(wire.Metadata{}, "source-s", 0, event)
		require.Error(t, err)
	}
}

// U+0000 is refused before it is history: no view could take it. A backslash
// that stands for itself before the same letters is a text like any other.
func TestRecordsHoldNoNUL(t *testing.T) {
	t.Parallel()
	for reason, refused := range map[string]bool{
		"\x00": true, "a\x00b": true, `\` + "\x00": true, `\u0000`: false, `\\u0000`: false, `x\u0000\u0001`: false, "": false,
	} {
		_, err := wire.Encode(wire.Metadata{}, "source-s", 0, source.Enabled{Reason: reason})
		var refusal *domain.Refusal
		require.Equal(t, refused, errors.As(err, &refusal), "%q", reason)
	}
}
