// Package secrets finds the secrets that settings of sources and of others
// name by reference, since settings stand in the history for decades and in
// every copy of it.
//
//   - env:NAME and file:/path; with encrypted: in front what is there is base64
//     of a ciphertext, which the keeper of this process decrypts. The domain
//     refuses other forms when they are configured.
//   - The keeper's URL is a setting of processes and none of a source: it may
//     hold the key, which must not stand in the history beside what it opens.
//   - Drivers of keepers are few, since each brings the whole client of a cloud
//     into the program (see drivers).
//   - A secret is read and decrypted anew each time it is asked for, so that one
//     that was rotated is taken without a restart (of a file; an environment is
//     fixed).
//   - Errors say what is wrong with the place and hold nothing that is in it.
//   - A file is a regular one, of a bounded size: not a pipe that never ends.
//     Links are followed, since orchestrators mount secrets by links.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"gocloud.dev/secrets"
)

// maxSecret of a file in bytes.
const maxSecret = 64 << 10

// References finds secrets. The zero References has no keeper.
type References struct {
	keeper *secrets.Keeper // nil: there is none
}

// Resolve gives the secret that a reference names, without space around it.
func (r *References) Resolve(ctx context.Context, reference string) (string, error) {
	if place, encrypted := strings.CutPrefix(reference, "encrypted:"); encrypted {
		return r.decrypt(ctx, place)
	}
	return read(reference)
}

// read what a place holds.
func read(reference string) (string, error) {
	kind, where, _ := strings.Cut(reference, ":")
	switch kind {
	case "env":
		return found(os.Getenv(where), "the environment variable "+where)
	case "file":
		content, err := readFile(where)
		if err != nil {
			return "", err
		}
		return found(content, "the file "+where)
	}
	return "", errors.New("no secret is named: set env:NAME or file:/path, with encrypted: in front when it is encrypted there")
}

func found(content, place string) (string, error) {
	secret := strings.TrimSpace(content)
	if secret == "" {
		return "", fmt.Errorf("%s, which should hold the secret, is empty", place)
	}
	return secret, nil
}

func readFile(path string) (string, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that nobody writes to would hang
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("the file %s, which should hold the secret, is not there", path)
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("the file %s, which should hold the secret, may not be read by this process's user", path)
	case err != nil:
		return "", fmt.Errorf("the file %s, which should hold the secret, cannot be opened: %w", path, errors.Unwrap(err))
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return "", fmt.Errorf("the file %s, which should hold the secret, cannot be read: %w", path, errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s, which should be the file that holds the secret, is no regular file", path)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("the file %s, which should hold the secret, cannot be read: %w", path, errors.Unwrap(err))
	case len(content) > maxSecret:
		return "", fmt.Errorf("the file %s, which should hold the secret, has more than %d bytes", path, maxSecret)
	}
	return string(content), nil
}
