package workers_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// records are the whole journal, in order within each partition.
func (w *world) records() []wire.Record {
	w.t.Helper()
	var all []wire.Record
	for partition := range domain.Partitions {
		for after := int64(0); ; {
			page, err := w.journal.Read(w.t.Context(), partition, after, 5000)
			require.NoError(w.t, err)
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Offset
			for _, raw := range page {
				record, err := wire.Decode(raw.Bytes)
				require.NoError(w.t, err)
				all = append(all, record)
			}
		}
	}
	return all
}

// eventsOf are the journal's events of a type, with their records.
func eventsOf[E any](records []wire.Record) (events []E, of []wire.Record) {
	for _, r := range records {
		if e, ok := r.Event.(E); ok {
			events, of = append(events, e), append(of, r)
		}
	}
	return events, of
}

// requireAddsUp: the closure equation holds, and the batch finished with the
// counts that it has, which are those of the coordinates that it names.
func (w *world) requireAddsUp(b projections.Batch) {
	w.t.Helper()
	require.Equal(w.t, b.Listings.Found, b.Documents.Total(), "listed = migrated + passed + failed + pending + excepted + cancelled")
	var documents projections.Documents
	var files projections.Files
	var arrived projections.Arrived
	for _, d := range w.documents(b.Number) {
		documents = plus(documents, d.Status)
		if d.Status == document.StatusMigrated {
			arrived = arriving(arrived, document.Result(d.Result))
		}
		f := &d.Files
		files.Pending, files.Migrated, files.Failed = files.Pending+f.Pending, files.Migrated+f.Migrated, files.Failed+f.Failed
		files.Passed += f.Passed
		files.Skipped, files.Excepted, files.Cancelled = files.Skipped+f.Skipped, files.Excepted+f.Excepted, files.Cancelled+f.Cancelled
	}
	require.Equal(w.t, documents, b.Documents, "each document is in one bucket")
	require.Equal(w.t, files, b.Files)
	require.Equal(w.t, arrived, b.Arrived, "each migrated document arrived in one way")

	records := w.records()
	finished, of := eventsOf[batch.Finished](records)
	for i, f := range finished {
		if of[i].Stream == domain.BatchStream(b.Number) {
			require.Equal(w.t, counted(records, b.Number, f.Coordinates), f.Counts, "the counts are those of the coordinates")
			documents = projections.Documents{
				Pending: int64(f.Counts.Pending), Migrated: int64(f.Counts.Migrated), Passed: int64(f.Counts.Passed), Failed: int64(f.Counts.Failed),
				Excepted: int64(f.Counts.Excepted), Cancelled: int64(f.Counts.Cancelled),
			}
		}
	}
	require.Equal(w.t, documents, b.Documents, "the batch finished last with the counts that it has")
	w.requireNoSecrets(records)
}

func arriving(a projections.Arrived, result document.Result) projections.Arrived {
	switch result {
	case document.Written:
		a.Written++
	case document.Unchanged:
		a.Unchanged++
	case document.NewVersion:
		a.NewVersions++
	}
	return a
}

func plus(d projections.Documents, status document.Status) projections.Documents {
	switch status {
	case document.StatusPending:
		d.Pending++
	case document.StatusMigrated:
		d.Migrated++
	case document.StatusPassed:
		d.Passed++
	case document.StatusFailed:
		d.Failed++
	case document.StatusExcepted:
		d.Excepted++
	case document.StatusCancelled:
		d.Cancelled++
	}
	return d
}

// counted are a batch's counts at coordinates, from the history alone.
func counted(records []wire.Record, number string, at wire.Position) batch.Counts {
	statuses := map[string]document.Status{}
	for _, r := range records {
		e, ok := r.Event.(document.Event)
		if ok && e.GetChange().Batch == number && r.Offset <= at[r.Partition] {
			statuses[r.Stream] = e.GetChange().After
		}
	}
	var d projections.Documents
	for _, status := range statuses {
		d = plus(d, status)
	}
	return batch.Counts{
		Total: int(d.Total()), Migrated: int(d.Migrated), Passed: int(d.Passed), Failed: int(d.Failed), Pending: int(d.Pending),
		Excepted: int(d.Excepted), Cancelled: int(d.Cancelled),
	}
}

// requireNoSecrets: no record holds a secret, or a URL of a request.
func (w *world) requireNoSecrets(records []wire.Record) {
	w.t.Helper()
	for _, r := range records {
		for _, secret := range []string{clientSecret, appSecret, "sig=", "access_token", "expires=", "/files/"} {
			require.False(w.t, bytes.Contains(r.Bytes, []byte(secret)), "%s in %s", secret, r.Bytes)
		}
	}
}

// requireMigratedOnce: no document was migrated twice in a batch.
func (w *world) requireMigratedOnce() {
	w.t.Helper()
	migrated, of := eventsOf[document.Migrated](w.records())
	seen := map[string]bool{}
	for i, e := range migrated {
		key := of[i].Stream + "@" + e.Batch
		require.False(w.t, seen[key], "%s was migrated twice", key)
		seen[key] = true
	}
}

// archivedFile is a file as a manifest names it.
type archivedFile struct {
	document.ListedFile
	Status document.FileStatus
	Stored *domain.Stored
}

// manifest of a migrated document.
func (w *world) manifest(d projections.Document) []archivedFile {
	w.t.Helper()
	content := w.object(d.Manifest)
	require.Contains(w.t, d.Manifest, digest(content), "the key holds the digest")
	var m struct {
		Raw   domain.Stored
		Files []archivedFile
	}
	require.NoError(w.t, json.Unmarshal(content, &m))
	require.Equal(w.t, m.Raw.SHA256, digest(w.object(m.Raw.Key)))
	return m.Files
}

func (w *world) object(key string) []byte {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.root, filepath.FromSlash(key)))
	require.NoError(w.t, err)
	return content
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// requireArchived: every migrated document of a batch is in the archive with
// all its files, whose bytes are those that the simulator served.
func (w *world) requireArchived(number string) {
	w.t.Helper()
	documents := w.documents(number)
	for _, truth := range w.simulator.Truth().Documents {
		d, ok := documents[truth.BillNumber]
		if !ok || d.Status != document.StatusMigrated {
			continue
		}
		served := map[string]string{}
		for _, f := range truth.Files {
			served[f.ID] = f.SHA256
		}
		files := w.manifest(d)
		require.Len(w.t, files, len(served))
		for _, f := range files {
			require.Equal(w.t, served[f.ID], digest(w.object(f.Stored.Key)), "file %s of %s", f.ID, truth.BillNumber)
		}
	}
}

// objects of the archive: their keys by kind.
func (w *world) objects() (items, manifests, files []string) {
	w.t.Helper()
	require.NoError(w.t, filepath.WalkDir(w.root, func(path string, d fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case err != nil || d.IsDir() || strings.Contains(path, ".uploads"):
		case strings.HasPrefix(name, "item-"):
			items = append(items, path)
		case strings.HasPrefix(name, "manifest-"):
			manifests = append(manifests, path)
		default:
			files = append(files, path)
		}
		return err
	}))
	return items, manifests, files
}

// requireNoUploads: nothing half-written is left of workers that ended.
func (w *world) requireNoUploads() {
	w.t.Helper()
	entries, err := os.ReadDir(filepath.Join(w.root, ".uploads"))
	require.NoError(w.t, err)
	require.Empty(w.t, entries)
}

// requireNoLeases: what workers that ended held and had not done is given back.
func (w *world) requireNoLeases() {
	w.t.Helper()
	w.caughtUp()
	require.Zero(w.t, w.leases(), "leases of work that is open")
}

// leases of work that is open.
func (w *world) leases() (held int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM leases l WHERE l.until > now() AND (
		EXISTS (SELECT FROM worklist_documents d WHERE l.stream = d.stream || '@' || d.batch AND l.version = d.version)
		OR EXISTS (SELECT FROM worklist_slices s WHERE s.open AND l.stream = s.stream))`).Scan(&held))
	return held
}
