package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// check holds what became of the installation against what must: what the
// program's own verify says, and what only those know who know the source, the
// requests and the processes.
func (r *run) check(ctx context.Context, v *violations) {
	history, err := r.history(ctx)
	if !v.note("journal", err) {
		return
	}
	for _, number := range r.batches {
		var b overview
		if v.note("batch "+number, r.api.get(ctx, "/v1/batches/"+number, &b)) {
			v.note("batch "+number+": the source's truth", r.likeUndisturbed(b))
		}
	}
	v.note("migrated once", migratedOnce(history))
	v.note("archive", r.archiveIsWhole())
	v.note("the registrars' view", r.register.seeAll(ctx, streams(history)))
	v.note("the command side", r.register.check(streams(history), filepath.Join(r.dir, "history.html")))
	v.note("verify", r.verify(ctx))
}

func streams(history []wire.Record) map[string][]wire.Record {
	of := map[string][]wire.Record{}
	for _, r := range history {
		of[r.Stream] = append(of[r.Stream], r)
	}
	return of
}

// history is every record of the journal, in order within each partition.
func (r *run) history(ctx context.Context) ([]wire.Record, error) {
	heads, err := r.journal.Heads(ctx)
	if err != nil {
		return nil, err
	}
	var all []wire.Record
	for partition, head := range heads {
		for after := int64(0); after < head; {
			raw, err := r.journal.Read(ctx, partition, after, 1000)
			if err != nil || len(raw) == 0 {
				return nil, fmt.Errorf("partition %d has nothing after %d of %d: %w", partition, after, head, err)
			}
			for _, stored := range raw {
				record, err := wire.Decode(stored.Bytes)
				if err != nil {
					return nil, err
				}
				after, all = record.Offset, append(all, record)
			}
		}
	}
	return all, nil
}

// likeUndisturbed compares a batch with what the simulator served.
func (r *run) likeUndisturbed(b overview) error {
	truth := r.simulator.Truth()
	expected, failures := map[document.Status]int{}, map[string]int{}
	for _, t := range truth.Documents {
		outcome := t.Expected[simulator.Disturbed]
		expected[outcome.Status]++
		if outcome.Category != "" {
			failures[string(outcome.Category)]++
		}
	}
	l := b.Listings
	found := simulator.Figures{Total: l.SourceTotal, Distinct: l.Found, Duplicates: l.Duplicates, Shortfall: l.Shortfall}
	return errors.Join(
		equal("listed", found, truth.Listings[simulator.Disturbed]),
		equal("documents", b.Documents.Total, found.Distinct),
		equal("migrated", b.Documents.Migrated, expected[document.StatusMigrated]),
		equal("failed", b.Documents.Failed, expected[document.StatusFailed]),
		equal("failures", fmt.Sprint(b.Failures), fmt.Sprint(failures)),
	)
}

func equal[T comparable](what string, found, wanted T) error {
	if found != wanted {
		return fmt.Errorf("%s: found %v, expected %v", what, found, wanted)
	}
	return nil
}

// migratedOnce: a batch has one Migrated event of a document, unless a skipped
// file was recalled, or an object was lost, in between.
func migratedOnce(history []wire.Record) error {
	type member struct{ stream, batch string }
	migrated := map[member]bool{}
	for _, r := range history {
		switch e := r.Event.(type) {
		case document.FileRecalled, document.VerificationFailed:
			maps.DeleteFunc(migrated, func(m member, _ bool) bool { return m.stream == r.Stream })
		case document.Migrated:
			m := member{r.Stream, e.Batch}
			if migrated[m] {
				return fmt.Errorf("%s migrated again in %s at partition %d offset %d", r.Stream, e.Batch, r.Partition, r.Offset)
			}
			migrated[m] = true
		}
	}
	return nil
}

const uploads = ".uploads"

// archiveIsWhole: every object has the digest that its name says, also one that
// no event names.
func (r *run) archiveIsWhole() error {
	objects := 0
	err := filepath.WalkDir(r.archive, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if path != r.archive && strings.HasPrefix(entry.Name(), ".") { // uploads, and what was damaged
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasPrefix(entry.Name(), ".") { // the marker
			return nil
		}
		name := entry.Name()
		if strings.HasPrefix(name, ".") {
			return nil // the archive's own
		}
		objects++
		found, err := fileDigest(path)
		if err == nil && !strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(name, "item-"), "manifest-"), found) {
			err = fmt.Errorf("%s holds bytes of %s", name, found)
		}
		return err
	})
	if err == nil && objects == 0 {
		err = errors.New("it is empty")
	}
	return err
}

func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return hex.EncodeToString(h.Sum(nil)), err
}

// noUploads: what was half-written is gone when all workers are.
func (r *run) noUploads() error {
	left, err := os.ReadDir(filepath.Join(r.archive, uploads))
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("%d are left, such as %s", len(left), left[0].Name())
	}
	return err
}

// logs: no process panicked or raced.
func (r *run) logs() error {
	var errs []error
	for _, p := range r.processes {
		content, err := os.ReadFile(p.log.Name())
		errs = append(errs, err)
		for _, sign := range []string{"panic: ", "DATA RACE", "fatal error: "} {
			if bytes.Contains(content, []byte(sign)) {
				errs = append(errs, fmt.Errorf("%s says %q", p.name, sign))
			}
		}
	}
	return errors.Join(errs...)
}
