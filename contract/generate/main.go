// Command generate makes what the package contract publishes from the Go
// types: a JSON Schema for each version of each event, their index, and the
// AsyncAPI document. It refuses a change that breaks a published schema: such
// an event gets a new version.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

//go:generate go run .

// published is where the files lie, seen from here.
const published = ".."

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	files, err := generate()
	if err != nil {
		return err
	}
	if err := refuseBreaks(files); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(published, name), files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// refuseBreaks compares with what is published already.
func refuseBreaks(files map[string][]byte) error {
	old, err := filepath.Glob(filepath.Join(published, "schemas", "waybill.*.json"))
	if err != nil {
		return err
	}
	var broken []error
	for _, path := range old {
		name, err := filepath.Rel(published, path)
		if err != nil {
			return err
		}
		before, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		breaks, err := breaksOf(before, files[filepath.ToSlash(name)])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, b := range breaks {
			broken = append(broken, fmt.Errorf("%s: %s: give the event a new version", name, b))
		}
	}
	return errors.Join(broken...)
}

// generate gives the files by their path within the package contract.
func generate() (map[string][]byte, error) {
	r, err := newReflector()
	if err != nil {
		return nil, err
	}
	files, err := r.schemas()
	if err != nil {
		return nil, err
	}
	mappings, err := fs.Glob(os.DirFS(published), "schemas/mappings/*.json")
	if err != nil {
		return nil, err
	}
	if files["schemas/index.json"], err = index(mappings); err != nil {
		return nil, err
	}
	files["asyncapi.json"], err = asyncAPI()
	return files, err
}
