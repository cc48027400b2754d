package workers

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
)

// file files the document where its profile says, when all of it is in the
// archive, and says where it lies; nil: in the archive alone. One that lies
// there as it is now is left alone.
func (m *migration) file(ctx context.Context, manifest domain.Stored) (*document.Filed, error) {
	settings := m.profile.Settings
	if settings.Target != profile.TargetFlagship {
		return nil, nil
	}
	at := *settings.FlagshipTarget
	before := m.state.Archive.Filed
	if before != nil && m.state.Archive.Manifest.SHA256 == manifest.SHA256 && before.Same(m.Target.Place(at, m.state.ID)) {
		return before, nil
	}
	if _, err := m.permits.get(ctx, m.work.Batch); err != nil {
		return nil, err
	}
	began := time.Now()
	filed, err := m.Target.File(ctx, at, m.filing())
	m.measured.StoreMS += time.Since(began).Milliseconds()
	var failed *commands.SourceError
	if errors.As(err, &failed) {
		m.after = max(m.after, failed.RetryAfter)
	}
	if err != nil {
		return nil, err
	}
	return &filed, nil
}

// filing is the document by the target's codes.
func (m *migration) filing() commands.Filing {
	l, settings := m.listed, m.profile.Settings
	f := commands.Filing{
		ID: m.state.ID, Organization: atTarget(settings.Organizations, l.Organization), DocumentType: atTarget(settings.DocumentTypes, l.DocumentType),
		BillID: l.BillID, BillNumber: l.BillNumber, Open: m.Archive.Open,
	}
	for _, file := range m.manifestFiles() {
		if file.Stored != nil {
			f.Files = append(f.Files, commands.FilingFile{ID: file.ID, Class: file.Class, Format: formatOf(file), Stored: *file.Stored})
		}
	}
	order := []document.Class{document.Cover, document.Invoice, document.Attachment}
	slices.SortStableFunc(f.Files, func(a, b commands.FilingFile) int {
		return cmp.Compare(slices.Index(order, a.Class), slices.Index(order, b.Class))
	})
	return f
}

// atTarget is a code's name at the target. One that the profile does not map,
// and lets pass, stays as it is.
func atTarget(mapping rules.Mapping, code string) string {
	if target, known := mapping.Of(code); known {
		return target
	}
	return code
}

// formatOf a file is what its key ends in: it was named by its content.
func formatOf(f manifestFile) string { return strings.TrimPrefix(path.Ext(f.Stored.Key), ".") }
