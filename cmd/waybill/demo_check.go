package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/client"
	"github.com/waybill-migration/waybill/domain/document"
)

// check holds an overview against what the simulator says that it served.
func (d *demo) check(b batchAnswer, phase simulator.Phase) []verdict {
	truth := d.servers.simulator.Truth()
	expected, failures := map[document.Status]int{}, map[string]int{}
	for _, t := range truth.Documents {
		outcome := t.Expected[phase]
		expected[outcome.Status]++
		if outcome.Category != "" {
			failures[string(outcome.Category)]++
		}
	}
	figures := truth.Listings[phase]
	docs, files := b.Documents, b.Files
	prefix := string(phase) + ": "
	return []verdict{
		{prefix + "distinct listed = migrated + failed + pending + excepted + cancelled",
			equal(b.Listings.Found, docs.Migrated+docs.Failed+docs.Pending+docs.Excepted+docs.Cancelled)},
		{prefix + "files listed = migrated + failed + pending + skipped + excepted + cancelled",
			equal(files.Total, files.Migrated+files.Failed+files.Pending+files.Skipped+files.Excepted+files.Cancelled)},
		{prefix + "shortfall = the source's own total - distinct listed", equal(b.Listings.SourceTotal-b.Listings.Found, b.Listings.Shortfall)},
		{prefix + "distinct, listed twice and never listed are what the source served", sameFigures(b, figures)},
		{prefix + "migrated documents are those whose faults are over or none", equal(docs.Migrated, expected[document.StatusMigrated])},
		{prefix + "failed documents are those whose faults are at work", equal(docs.Failed, expected[document.StatusFailed])},
		{prefix + "failures by category are the known faults", equalMaps(b.Failures, failures)},
	}
}

func sameFigures(b batchAnswer, f simulator.Figures) error {
	found := simulator.Figures{
		Total: b.Listings.SourceTotal, Distinct: b.Listings.Found, Duplicates: b.Listings.Duplicates, Shortfall: b.Listings.Shortfall,
	}
	return equal(found, f)
}

func equal[T comparable](found, wanted T) error {
	if found != wanted {
		return fmt.Errorf("found %v, expected %v", found, wanted)
	}
	return nil
}

func equalMaps(found, wanted map[string]int) error {
	if !maps.Equal(found, wanted) {
		return fmt.Errorf("found %v, expected %v", found, wanted)
	}
	return nil
}

// checkDocuments goes through every document: it is in one bucket, the bucket
// is the one where its fault belongs, and what the archive holds of it has the
// bytes that the simulator served.
func (d *demo) checkDocuments(ctx context.Context, b batchAnswer) ([]verdict, error) {
	documents, err := client.All[documentAnswer](ctx, d.api, "/v1/batches/"+d.batch+"/documents")
	if err != nil {
		return nil, err
	}
	truths := map[string]simulator.TruthDocument{}
	for _, t := range d.servers.simulator.Truth().Documents {
		truths[t.BillNumber] = t
	}
	var buckets, bytes error
	seen, files := map[string]bool{}, 0
	for _, found := range documents {
		truth := truths[found.BillNumber]
		seen[found.ID] = true
		if err := inBucket(found, truth); err != nil && buckets == nil {
			buckets = err
		}
		n, err := d.checkArchived(found, truth)
		if err != nil && bytes == nil {
			bytes = err
		}
		files += n
	}
	return []verdict{
		{fmt.Sprintf("each of %d documents is in the list once", len(documents)), equal(len(seen), b.Documents.Total)},
		{"each document is in the bucket where its fault belongs", buckets},
		{fmt.Sprintf("each of %d archived files has the SHA-256 of the bytes that were served", files), bytes},
	}, nil
}

func inBucket(found documentAnswer, truth simulator.TruthDocument) error {
	wanted := truth.Expected[simulator.Recovered]
	got := simulator.Outcome{Status: document.Status(found.Status), Rule: wanted.Rule}
	if found.Failure != nil {
		got.Code, got.Category = found.Failure.Code, wanted.Category
		if found.Failure.Category != string(wanted.Category) {
			return fmt.Errorf("document %s failed for %s, expected %s", found.ID, found.Failure.Category, wanted.Category)
		}
	}
	if got != wanted {
		return fmt.Errorf("document %s (%s): found %+v, expected %+v", found.ID, truth.Fault, got, wanted)
	}
	return nil
}

// checkArchived reads what the manifest names from the archive's folder itself.
func (d *demo) checkArchived(found documentAnswer, truth simulator.TruthDocument) (files int, err error) {
	if found.Status != string(document.StatusMigrated) {
		return 0, nil
	}
	content, err := os.ReadFile(filepath.Join(d.servers.archive, filepath.FromSlash(found.Manifest)))
	if err != nil {
		return 0, err
	}
	var manifest struct {
		Files []struct {
			ID     string
			Stored struct{ Key string }
		}
	}
	if err := json.Unmarshal(content, &manifest); err != nil {
		return 0, err
	}
	if len(manifest.Files) != len(truth.Files) {
		return 0, fmt.Errorf("the manifest of %s names %d files, %d were served", found.ID, len(manifest.Files), len(truth.Files))
	}
	for i, f := range manifest.Files {
		digest, err := fileDigest(filepath.Join(d.servers.archive, filepath.FromSlash(f.Stored.Key)))
		if err != nil {
			return 0, err
		}
		if f.ID != truth.Files[i].ID || digest != truth.Files[i].SHA256 {
			return 0, fmt.Errorf("file %s of %s has SHA-256 %s, served was %s with %s", f.ID, found.ID, digest, truth.Files[i].ID, truth.Files[i].SHA256)
		}
	}
	return len(manifest.Files), nil
}

func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
