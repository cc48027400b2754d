package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Where a document was filed is remembered with the manifest that was filed: a
// migration that changed nothing and filed nothing leaves it there, and another
// manifest is not there yet.
func TestWhereADocumentWasFiledIsRemembered(t *testing.T) {
	t.Parallel()
	filed := &document.Filed{Target: "flagship", Address: "https://flagship.example", Account: "a", Resource: "r", ImageNumber: "1", Status: "committed", Files: 1}
	migrated := func(sha256 string, at *document.Filed) document.Event {
		return document.Migrated{Change: document.Change{Batch: "B1", After: document.StatusMigrated}, Manifest: domain.Stored{Key: sha256, SHA256: sha256}, Filed: at}
	}
	s := document.Evolve(document.State{}, migrated("one", filed))
	require.Equal(t, filed, s.Archive.Filed)
	require.Equal(t, filed, document.Evolve(s, migrated("one", nil)).Archive.Filed)
	require.Nil(t, document.Evolve(s, migrated("two", nil)).Archive.Filed)
}

func TestTheSamePlace(t *testing.T) {
	t.Parallel()
	place := document.Filed{Target: "flagship", Address: "https://flagship.example", Account: "a", Resource: "r", ImageNumber: "1"}
	again := place
	again.Status, again.Files, again.Compared = "committed", 3, 2
	require.True(t, again.Same(place))
	for _, change := range []func(*document.Filed){
		func(f *document.Filed) { f.Target = "other" }, func(f *document.Filed) { f.Address = "https://other.example" }, func(f *document.Filed) { f.Account = "b" },
		func(f *document.Filed) { f.Resource = "s" }, func(f *document.Filed) { f.ImageNumber = "2" },
	} {
		other := place
		change(&other)
		require.False(t, again.Same(other))
	}
}
