package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// marker is the file that says whose archive a folder is.
const marker = ".waybill-archive"

const markerFormat = "waybill-archive/1"

type marked struct {
	Format       string `json:"format"`
	Installation string `json:"installation"`
}

// ErrUnmarked: a folder has no marker, or is not there.
var ErrUnmarked = errors.New("it has no " + marker + ", which would say whose archive it is")

// Check tells that a folder is an installation's archive.
func Check(root, installation string) error {
	content, err := os.ReadFile(filepath.Join(root, marker))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the archive's folder %s: %w", root, ErrUnmarked)
	}
	if err != nil {
		return fmt.Errorf("read the archive's marker: %w", err)
	}
	var m marked
	if err := json.Unmarshal(content, &m); err != nil || m.Format != markerFormat {
		return fmt.Errorf("the archive's marker %s cannot be read as %s: restore it from a backup", filepath.Join(root, marker), markerFormat)
	}
	if m.Installation != installation {
		return fmt.Errorf("the folder %s is the archive of installation %s, and this is %s: set the right folder", root, m.Installation, installation)
	}
	return nil
}

// Mark says that a folder, which it makes when it is missing, is an
// installation's archive. Another's marker is never replaced.
func Mark(root, installation string) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("make the archive's folder: %w", err)
	}
	err := writeMarker(root, installation)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("mark the archive's folder: %w", err)
	}
	return Check(root, installation)
}

// writeMarker makes the marker visible whole or not at all: others may read it
// at the same moment.
func writeMarker(root, installation string) error {
	content, err := json.Marshal(marked{markerFormat, installation})
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(root, marker+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(append(content, '\n'))
	if err := errors.Join(err, file.Chmod(0o444), file.Sync(), file.Close()); err != nil { //nolint:gosec // other accounts may read it, and nobody writes to it
		return err
	}
	if err := os.Link(file.Name(), filepath.Join(root, marker)); err != nil {
		return err
	}
	return syncFolder(root)
}
