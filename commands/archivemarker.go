package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// MarkerKey is where an archive says whose it is: one that is not mounted, and
// another's, are thereby refused before anything is written to it or found
// missing in it.
const MarkerKey = ".waybill-archive"

const markerFormat = "waybill-archive/1"

type marker struct {
	Format       string `json:"format"`
	Installation string `json:"installation"`
}

// ErrUnmarked: an archive has no marker, or is not there.
var ErrUnmarked = errors.New("it has no " + MarkerKey + ", which would say whose archive it is")

// Marker is the content of an installation's marker.
func Marker(installation string) []byte {
	content, _ := json.Marshal(marker{markerFormat, installation}) // texts always encode
	return append(content, '\n')
}

// CheckMarker refuses a marker that is not the installation's; place is where
// it was read, as people know it.
func CheckMarker(content []byte, place, installation string) error {
	var m marker
	if err := json.Unmarshal(content, &m); err != nil || m.Format != markerFormat {
		return fmt.Errorf("%s: its %s cannot be read as %s: restore it from a backup", place, MarkerKey, markerFormat)
	}
	if m.Installation != installation {
		return fmt.Errorf("%s is the archive of installation %s, and this is %s: set the right one", place, m.Installation, installation)
	}
	return nil
}

// maxKeySegment bounds one part of a key in bytes: the limit of file systems,
// and all archives keep to it, so that one can be copied into another.
const maxKeySegment = 255

// CheckArchiveKey refuses what cannot be a key of an archive. Keys are made by
// Waybill from checked parts; this is the last line that keeps one inside, and
// apart from what an archive keeps for itself under names that begin with a dot.
func CheckArchiveKey(key string) error {
	if !fs.ValidPath(key) || strings.HasPrefix(key, ".") {
		return fmt.Errorf("%q cannot be a key of the archive", key)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if len(segment) > maxKeySegment {
			return fmt.Errorf("a part of the key %q is longer than %d bytes", key, maxKeySegment)
		}
	}
	return nil
}
