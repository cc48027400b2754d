package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/waybill-migration/waybill/commands"
)

// Check tells that a folder is an installation's archive.
func Check(root, installation string) error {
	content, err := os.ReadFile(filepath.Join(root, commands.MarkerKey))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the archive's folder %s: %w", root, commands.ErrUnmarked)
	}
	if err != nil {
		return fmt.Errorf("read the archive's marker: %w", err)
	}
	return commands.CheckMarker(content, "the folder "+root, installation)
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
	file, err := os.CreateTemp(root, commands.MarkerKey+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(commands.Marker(installation))
	if err := errors.Join(err, file.Chmod(0o444), file.Sync(), file.Close()); err != nil { //nolint:gosec // other accounts may read it, and nobody writes to it
		return err
	}
	if err := os.Link(file.Name(), filepath.Join(root, commands.MarkerKey)); err != nil {
		return err
	}
	return syncFolder(root)
}
