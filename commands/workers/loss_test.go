package workers_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// Objects are lost in every way: what is missing, changed at the same size, a
// manifest, a raw item. A further batch and a retry fetch what is lost, and
// nothing else.
func TestWhatTheArchiveLostIsFetchedAgain(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheet("missing", "a1", "a2"), sheet("changed", "b1", "b2"), sheet("manifest", "c1"), sheet("item", "d1"), sheet("sound", "e1"))
	w.work()
	first := w.create(january())
	require.EqualValues(t, 5, w.finished(first).Documents.Migrated)
	documents := w.documents(first)
	of := func(image string) projections.Document { return documents["BILL-"+image] }

	w.loses(of("missing"), document.Missing, w.manifest(of("missing"))[0].Stored.Key)
	w.loses(of("changed"), document.Changed, w.manifest(of("changed"))[1].Stored.Key)
	w.loses(of("manifest"), document.Missing, of("manifest").Manifest)
	w.loses(of("item"), document.Missing, w.raw(of("item")))
	require.EqualValues(t, 4, w.finished(first).Documents.Failed, "the batch was opened again and finished anew")

	second := w.create(january())
	require.EqualValues(t, 5, w.finished(second).Documents.Migrated)
	require.EqualValues(t, 4, w.finished(first).Documents.Failed, "each batch has its own figures")
	for _, d := range w.documents(first) {
		w.changeDocument(first, d.Stream, document.RetryDocument{Batch: first, Reason: "the disk was replaced"})
	}
	require.EqualValues(t, 5, w.finished(first).Documents.Migrated)
	for _, number := range []string{first, second} {
		for _, d := range w.documents(number) {
			for _, f := range w.manifest(d) {
				require.Equal(t, f.Stored.SHA256, digest(w.object(f.Stored.Key)))
			}
		}
	}
	require.Equal(t, map[string]int{"a1": 2, "a2": 1, "b1": 1, "b2": 2, "c1": 1, "d1": 1, "e1": 1}, s.downloaded())
	items, manifests, _ := w.objects()
	require.Len(t, items, 5)
	require.Len(t, manifests, 6, "the item came with other URLs: its manifest is another, beside the earlier one")
}

// loses damages an object of a document, and reports it as recover does.
func (w *world) loses(d projections.Document, fault document.Fault, key string) {
	w.t.Helper()
	path := filepath.Join(w.root, filepath.FromSlash(key))
	content, err := os.ReadFile(path)
	require.NoError(w.t, err)
	require.NoError(w.t, os.Remove(path))
	if fault == document.Changed {
		content[len(content)/2] ^= 1
		require.NoError(w.t, os.WriteFile(path, content, 0o600))
	}
	id, err := domain.ParseDocumentStream(d.Stream)
	require.NoError(w.t, err)
	lost := document.ReportLoss{Objects: []document.Lost{{Key: key, Fault: fault}}, Reason: "the disk"}
	var stale *commands.StaleVersion
	_, err = w.handler.ReportLoss(w.t.Context(), meta(), id, d.Version-1, lost)
	require.ErrorAs(w.t, err, &stale, "it may have been mended since it was looked at")
	result, err := w.handler.ReportLoss(w.t.Context(), meta(), id, d.Version, lost)
	w.see(result, err)
}

// raw item of a document as it was discovered.
func (w *world) raw(d projections.Document) string {
	w.t.Helper()
	loaded, err := w.journal.Load(w.t.Context(), d.Stream)
	require.NoError(w.t, err)
	return loaded[d.Stream][0].Event.(document.Discovered).Listed.Raw.Key
}
