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

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// check holds what became of the installation against what must.
func (r *run) check(ctx context.Context, v *violations) {
	history, err := r.history(ctx)
	if !v.note("journal", err) {
		return
	}
	for _, number := range r.batches {
		var b overview
		if v.note("batch "+number, r.api.get(ctx, "/v1/batches/"+number, &b)) {
			v.note("batch "+number+": the source's truth", r.likeUndisturbed(b))
			v.note("batch "+number+": the events' sums", likeEvents(b, history))
		}
	}
	v.note("migrated once", migratedOnce(history))
	v.note("archive", r.archiveIsWhole())
	v.note("kafka", r.kafkaIsJournal(ctx))
}

// history is every record of the journal, in order within each partition,
// whose offsets and streams' versions have no gap.
func (r *run) history(ctx context.Context) ([]wire.Record, error) {
	heads, err := r.journal.Heads(ctx)
	if err != nil {
		return nil, err
	}
	var all []wire.Record
	versions := map[string]int{}
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
				after++
				versions[record.Stream]++
				if record.Offset != after || record.Version != versions[record.Stream] {
					return nil, fmt.Errorf("partition %d offset %d is followed by %d, version %d of %s", partition, after-1, record.Offset, record.Version, record.Stream)
				}
				all = append(all, record)
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

// likeEvents compares a batch's counters with its documents' last events.
func likeEvents(b overview, history []wire.Record) error {
	last := map[string]document.Change{}
	for _, r := range history {
		if e, ok := r.Event.(document.Event); ok && e.GetChange().Batch == b.Number {
			last[r.Stream] = e.GetChange()
		}
	}
	documents, files := map[document.Status]int{}, document.Tally{}
	for _, c := range last {
		documents[c.After]++
		t := c.FilesAfter
		files.Pending += t.Pending
		files.Migrated += t.Migrated
		files.Failed += t.Failed
		files.Skipped += t.Skipped
		files.Excepted += t.Excepted
		files.Cancelled += t.Cancelled
	}
	d := b.Documents
	found := map[document.Status]int{
		document.StatusPending: d.Pending, document.StatusMigrated: d.Migrated, document.StatusFailed: d.Failed,
		document.StatusExcepted: d.Excepted, document.StatusCancelled: d.Cancelled,
	}
	maps.DeleteFunc(found, func(_ document.Status, n int) bool { return n == 0 })
	return errors.Join(equal("documents", fmt.Sprint(found), fmt.Sprint(documents)), equal("files", b.Files.Tally, files))
}

// migratedOnce: a batch has one Migrated event of a document, unless a skipped
// file was recalled in between.
func migratedOnce(history []wire.Record) error {
	type member struct{ stream, batch string }
	migrated := map[member]bool{}
	for _, r := range history {
		switch e := r.Event.(type) {
		case document.FileRecalled:
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

// archiveIsWhole: every object has the digest that its name says.
func (r *run) archiveIsWhole() error {
	objects := 0
	err := filepath.WalkDir(r.archive, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == uploads {
				return fs.SkipDir
			}
			return nil
		}
		objects++
		name := entry.Name()
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

// kafkaIsJournal: by the one rule of consumers, Kafka gives the journal's
// bytes, up to its heads.
func (r *run) kafkaIsJournal(ctx context.Context) error {
	heads, err := r.journal.Heads(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for partition, head := range heads {
		group.Go(func() error {
			return eventually(ctx, fmt.Sprintf("partition %d is in Kafka", partition), func() (bool, error) {
				held, err := r.inKafka(ctx, partition)
				if err == nil && held < head {
					err = fmt.Errorf("it holds %d of %d", held, head)
				}
				var d *differs
				return err == nil || errors.As(err, &d), err
			})
		})
	}
	return group.Wait()
}

// differs: Kafka holds other bytes than the journal.
type differs struct {
	partition int
	offset    int64
}

func (d *differs) Error() string {
	return fmt.Sprintf("partition %d offset %d is not the journal's", d.partition, d.offset)
}

// inKafka gives the last offset that Kafka holds of a partition.
func (r *run) inKafka(ctx context.Context, partition int) (held int64, err error) {
	err = kafka.Replay(ctx, r.kafka, partition, 0, func(record []byte) error {
		stored, err := r.journal.Read(ctx, partition, held, 1)
		if err != nil {
			return err
		}
		held++
		if len(stored) != 1 || !bytes.Equal(stored[0].Bytes, record) {
			return &differs{partition, held}
		}
		return nil
	})
	return held, err
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
