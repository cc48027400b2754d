package wire

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
)

// Position is a point in the history: for each journal partition the offset of
// the last record taken. A partition that is not named is at 0.
type Position map[int]int64

// String is the position as clients see it: "0:15,7:123".
func (p Position) String() string {
	parts := make([]string, 0, len(p))
	for _, partition := range slices.Sorted(maps.Keys(p)) {
		parts = append(parts, fmt.Sprintf("%d:%d", partition, p[partition]))
	}
	return strings.Join(parts, ",")
}

// ParsePosition is the inverse of String.
func ParsePosition(text string) (Position, error) {
	p := Position{}
	if text == "" {
		return p, nil
	}
	for _, part := range strings.Split(text, ",") {
		left, right, _ := strings.Cut(part, ":")
		partition, err1 := strconv.Atoi(left)
		offset, err2 := strconv.ParseInt(right, 10, 64)
		if err1 != nil || err2 != nil || partition < 0 || partition >= domain.Partitions || offset < 0 {
			return nil, domain.RefuseInvalid("position", "position-invalid",
				"a position is written as 0:15,7:123 (journal partition:offset), which this is not") // not repeated: it may be anything, a secret too
		}
		p[partition] = max(p[partition], offset)
	}
	return p, nil
}

// Reached tells whether everything up to other is included in p.
func (p Position) Reached(other Position) bool {
	for partition, offset := range other {
		if p[partition] < offset {
			return false
		}
	}
	return true
}

// Raise moves the position forward to include other.
func (p Position) Raise(other Position) {
	for partition, offset := range other {
		p[partition] = max(p[partition], offset)
	}
}

// Raw is a record as it is stored, not decoded.
type Raw struct {
	Partition int
	Offset    int64
	Stream    string
	Bytes     []byte
}

// Locate reads a record's partition and offset from its first bytes, without
// decoding it.
func Locate(record []byte) (partition int, offset int64, err error) {
	rest, ok := bytes.CutPrefix(record, []byte(`{"partition":`))
	digits, rest, found := bytes.Cut(rest, []byte(`,"sequence":"`))
	if !ok || !found || len(rest) < 20 {
		return 0, 0, errors.New("not a waybill record: it does not begin with its coordinates")
	}
	if partition, err = strconv.Atoi(string(digits)); err != nil {
		return 0, 0, fmt.Errorf("not a waybill record: %w", err)
	}
	if offset, err = strconv.ParseInt(string(rest[:20]), 10, 64); err != nil {
		return 0, 0, fmt.Errorf("not a waybill record: %w", err)
	}
	return partition, offset, nil
}

// TimeOf reads a record's time from its first bytes, without decoding it.
func TimeOf(record []byte) (time.Time, error) {
	_, rest, found := bytes.Cut(record[:min(len(record), prefixSize)], []byte(`,"time":"`))
	if !found || len(rest) < len(TimeFormat) {
		return time.Time{}, errors.New("not a waybill record: it does not begin with its coordinates and time")
	}
	return time.Parse(TimeFormat, string(rest[:len(TimeFormat)]))
}

// NameOf reads the persisted name of a record's event, without decoding it. It
// stands behind members of bounded length that no caller can choose.
func NameOf(record []byte) (string, error) {
	_, rest, found := bytes.Cut(record, []byte(`,"type":"`))
	name, _, closed := bytes.Cut(rest, []byte(`"`))
	if !found || !closed {
		return "", errors.New("not a waybill record: it does not name its event")
	}
	return string(name), nil
}
