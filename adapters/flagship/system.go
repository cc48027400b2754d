package flagship

import (
	"cmp"
	"context"
	"reflect"
	"sync"

	"github.com/google/uuid"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
)

// Secrets finds the secret that a reference names. It is asked each time a
// token is, so that one that was rotated is taken without a restart. Its errors
// hold nothing secret: they are recorded.
type Secrets func(ctx context.Context, reference string) (string, error)

// System implements commands.TargetSystem for all profiles.
type System struct {
	secrets Secrets

	mu      sync.Mutex
	clients map[platform]*client // replaced when the settings change
}

// platform is whom a client speaks to, and as whom.
type platform struct{ url, account, app, user string }

// New makes one; it connects when it is first used.
func New(secrets Secrets) *System {
	return &System{secrets: secrets, clients: map[platform]*client{}}
}

func (s *System) client(t profile.FlagshipTarget) *client {
	key := platform{t.URL, t.AccountID, t.AppID, t.User}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[key]
	if c == nil || !reflect.DeepEqual(c.settings, t) {
		if c != nil {
			c.http.CloseIdleConnections()
		}
		c = newClient(t, s.secrets)
		s.clients[key] = c
	}
	return c
}

// Place implements commands.TargetSystem.
func (s *System) Place(t profile.FlagshipTarget, id domain.DocumentID) document.Filed {
	return document.Filed{
		Target: profile.TargetFlagship, Address: t.URL, Account: t.AccountID, Resource: cmp.Or(t.Resource, id.Resource), ImageNumber: id.ImageNumber,
	}
}

// filing is one document on its way.
type filing struct {
	*client
	commands.Filing
	place document.Filed
}

// File implements commands.TargetSystem.
func (s *System) File(ctx context.Context, t profile.FlagshipTarget, d commands.Filing) (document.Filed, error) {
	f := filing{client: s.client(t), Filing: d, place: s.Place(t, d.ID)}
	if err := f.fits(); err != nil {
		return document.Filed{}, err
	}
	if err := f.register(ctx); err != nil {
		return document.Filed{}, err
	}
	uploaded := make([]committedFile, len(d.Files))
	for i, file := range d.Files {
		var err error
		if uploaded[i], err = f.upload(ctx, file); err != nil {
			return document.Filed{}, err
		}
	}
	if err := f.commit(ctx, uploaded); err != nil {
		return document.Filed{}, err
	}
	return f.readBack(ctx)
}

// fits refuses what the platform would refuse after everything before it was
// sent.
func (f filing) fits() error {
	for _, file := range f.Files {
		if file.Stored.Bytes > f.settings.MaxFileBytes {
			failed := fail(domain.StageStore, domain.Failure{
				Code: "file-too-large", Category: domain.TargetRejected, FileID: file.ID,
				Detail: "file " + file.ID + " has more bytes than the profile's flagshipTarget says that the platform takes",
				Remedy: "Raise the platform's limit and maxFileBytes of the profile's flagshipTarget, skip the file, or migrate under a profile whose target is the archive.",
			})
			return failed
		}
	}
	return nil
}

func (f filing) register(ctx context.Context) error {
	return f.call(ctx, domain.StageStore, pathRegister, message{registerRequest{
		ImageNumber: f.ID.ImageNumber, BillID: f.BillID, DocumentType: f.DocumentType, Organization: f.Organization,
		Resource: f.place.Resource, BillNumber: f.BillNumber,
	}}, nil)
}

func (f filing) upload(ctx context.Context, file commands.FilingFile) (committedFile, error) {
	var kept uploadData
	err := f.call(ctx, domain.StageStore, pathUpload, encoded{file: file, read: f.Open, beside: uploadRequest{
		Suffix: file.Format, Class: classes[file.Class], ImageNumber: f.ID.ImageNumber, DocumentType: f.DocumentType, Resource: f.place.Resource, Recognize: "0",
	}}, &kept)
	if err == nil && kept.Number == "" && kept.Path == "" {
		err = notAsAgreed(domain.StageStore, "the platform's answer to an upload has neither fileNo nor srcPath")
	}
	if err != nil {
		return committedFile{}, of(file.ID, err)
	}
	if kept.Number != "" {
		return committedFile{Number: string(kept.Number)}, nil
	}
	return committedFile{Path: string(kept.Path)}, nil
}

func (f filing) commit(ctx context.Context, files []committedFile) error {
	return f.call(ctx, domain.StageStore, pathCommit, message{commitRequest{
		ImageNumber: f.ID.ImageNumber, Resource: f.place.Resource, DocumentType: f.DocumentType, Model: 1, Mode: "upload", Files: files,
	}}, nil)
}

// status is what the platform says of the document.
func (f filing) status(ctx context.Context) (string, error) {
	var shown statusAnswer
	err := f.call(ctx, domain.StageVerify, pathStatus, message{statusRequest{
		Operation: "queryBillStatus", ID: uuid.NewString(), Data: statusData{ImageNumber: f.ID.ImageNumber, Resource: f.place.Resource},
	}}, &shown)
	return domain.TruncateTo(string(shown.Status), 100), err
}
