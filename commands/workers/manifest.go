package workers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// manifest is what makes a document exist in the archive, written last. It
// holds no time and no batch: the same document has the same manifest, whoever
// migrates it and when, so that a second migration writes nothing.
type manifest struct {
	Format   string            `json:"format"` // of the manifest
	Document domain.DocumentID `json:"document"`

	Organization     string `json:"organization"`
	OrganizationName string `json:"organizationName,omitempty"`
	DocumentType     string `json:"documentType"`
	BillID           string `json:"billId"`
	BillNumber       string `json:"billNumber,omitempty"`
	BillDate         string `json:"billDate,omitempty"`
	Retention        string `json:"retention,omitempty"`

	Content string         `json:"content"` // SHA-256 of the item without its URLs
	Raw     domain.Stored  `json:"raw"`     // the item exactly as the source sent it
	Files   []manifestFile `json:"files"`
}

type manifestFile struct {
	document.ListedFile
	Status document.FileStatus `json:"status"`           // migrated or skipped
	Stored *domain.Stored      `json:"stored,omitempty"` // when migrated
}

const manifestFormat = "waybill-manifest/1"

// writeManifest stores the manifest of a document whose files all have their
// final place.
func (m *migration) writeManifest(ctx context.Context, files []manifestFile) (domain.Stored, error) {
	l := m.listed
	encoded, err := json.MarshalIndent(manifest{
		Format: manifestFormat, Document: m.state.ID, Organization: l.Organization, OrganizationName: l.OrganizationName,
		DocumentType: l.DocumentType, BillID: l.BillID, BillNumber: l.BillNumber, BillDate: l.BillDate, Retention: l.Retention,
		Content: l.Content, Raw: l.Raw, Files: files,
	}, "", " ")
	if err != nil {
		return domain.Stored{}, err
	}
	sum := sha256.Sum256(encoded)
	digest := hex.EncodeToString(sum[:])
	key := commands.ManifestKey(m.state.ID, digest)
	if m.state.Archive.Manifest.Key == key { // nothing has changed since an earlier batch, if it is still there
		if found, err := m.readBack(ctx, key); err == nil && found == digest {
			return m.state.Archive.Manifest, nil
		}
	}
	return m.storeBytes(ctx, key, digest, encoded)
}
