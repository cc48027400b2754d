package workers_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/flagship"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/projections"
)

const appSecret = "s3cret-of-the-application"

// newPlatform starts a flagship edition, and a profile "filing" that names it.
func (w *world) newPlatform() *simulator.Flagship {
	w.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	platform := simulator.NewFlagship(simulator.FlagshipConfig{
		AppID: "waybill", AppSecret: appSecret, TenantID: "tenant", AccountID: "account", User: "imaging", UserType: "UserName",
	}, base)
	server.Config.Handler = platform
	server.Start()
	w.t.Cleanup(server.Close)
	result, err := w.handler.RegisterProfile(w.t.Context(), meta(), profile.Register{Name: "filing", Settings: profile.Settings{
		Target:   profile.TargetFlagship,
		Criteria: rules.Criteria{Organizations: rules.Mapping{{Source: "ORG-1", Target: "F-ORG-1"}}},
		FlagshipTarget: &profile.FlagshipTarget{
			URL: base, AppID: "waybill", SecretRef: "env:FLAGSHIP", TenantID: "tenant", AccountID: "account", User: "imaging", AllowedNetworks: []string{"127.0.0.0/8"},
		},
	}})
	w.see(result, err)
	return platform
}

// filing is the target system of a process.
func filing(p *process) {
	p.Target = flagship.New(func(context.Context, string) (string, error) { return appSecret, nil })
}

func (w *world) createUnder(name string) string {
	w.t.Helper()
	number, _, err := w.handler.CreateBatch(w.t.Context(), meta(), commands.NewBatch{Source: "sim", Profile: name, Scope: january()})
	require.NoError(w.t, err)
	return number
}

// requireFiled: the platform has each document of the batch once, with the
// files that the archive has of it, and the outcomes say where.
func (w *world) requireFiled(platform *simulator.Flagship, number string) {
	w.t.Helper()
	filed := map[string]simulator.FiledBill{}
	for _, b := range platform.Filed() {
		filed[b.BillNumber] = b
	}
	documents := w.documents(number)
	require.Len(w.t, filed, len(documents))
	for bill, d := range documents {
		require.Equal(w.t, document.StatusMigrated, d.Status)
		there := filed[bill]
		var archived, kept []string
		for _, f := range w.manifest(d) {
			if f.Stored != nil {
				archived = append(archived, f.Stored.SHA256)
			}
		}
		for _, f := range there.Files {
			kept = append(kept, f.SHA256)
		}
		require.ElementsMatch(w.t, archived, kept, bill)
		require.Equal(w.t, "F-ORG-1", there.Organization)
		require.Equal(w.t, &document.Filed{
			Target: "flagship", Address: d.Filed.Address, Account: "account", Resource: there.Resource, ImageNumber: there.ImageNumber,
			Status: "committed", Files: len(kept), Compared: len(kept),
		}, d.Filed)
	}
	w.requireNoSecrets(w.records())
}

func three(number string) item {
	i := sheet(number, number+"-1", number+"-2", number+"-3")
	for n := range i.files {
		i.files[n].class = []string{"2", "0", "1"}[n]
	}
	return i
}

// Documents are filed beside the archive, once: a further batch finds them
// there, and one under a profile of the archive files nothing.
func TestDocumentsAreFiledWhereTheirProfileSays(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(append(sheets(20), three("three"))...)
	platform := w.newPlatform()
	w.work(filing)

	archived := w.createUnder(profile.Archive)
	require.EqualValues(t, 21, w.finished(archived).Documents.Migrated)
	require.Empty(t, platform.Filed())
	for _, d := range w.documents(archived) {
		require.Nil(t, d.Filed)
	}
	for range 2 {
		number := w.createUnder("filing")
		require.EqualValues(t, 21, w.finished(number).Documents.Migrated)
		w.requireFiled(platform, number)
	}
	for _, b := range platform.Filed() {
		require.Equal(t, 1, b.Commits)
	}
	order := []string{}
	for _, f := range platform.Filed()[20].Files {
		order = append(order, f.Class)
	}
	require.Equal(t, []string{"cover", "invoice", "attach"}, order)
	require.Equal(t, 1, platform.Logins())
}

// What changed at the source is filed anew, in the place of what was there.
func TestAChangedDocumentTakesItsPlace(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(three("three"), sheet("same", "s1"))
	platform := w.newPlatform()
	w.work(filing)
	w.finished(w.createUnder("filing"))
	s.with(func() {
		s.items[0].files = slices.Clone(s.items[0].files[:2])
		s.items[0].files[0].content += "<!-- changed -->\n"
	})
	number := w.createUnder("filing")
	w.finished(number)
	w.requireFiled(platform, number)
	filed := platform.Filed()
	require.Equal(t, []int{1, 2}, []int{filed[0].Commits, filed[1].Commits})
	require.Len(t, filed[1].Files, 2)
}

// A skipped file is not filed; when it is recalled, the document is filed whole.
func TestSkippedFilesAreFiledWhenTheyAreRecalled(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	broken := three("three")
	broken.files[2].hash = digestOfNothing
	s := w.newShelf(broken)
	platform := w.newPlatform()
	w.work(filing)
	number := w.createUnder("filing")
	require.EqualValues(t, 1, w.finished(number).Documents.Failed)
	require.Empty(t, platform.Filed())
	stream := w.documents(number)["BILL-three"].Stream
	w.changeDocument(number, stream, document.SkipFile{Batch: number, FileID: "three-3", Reason: "torn"})
	w.finished(number)
	w.requireFiled(platform, number)
	require.Len(t, platform.Filed()[0].Files, 2)
	s.with(func() { s.items[0].files[2].hash = "" })
	w.changeDocument(number, stream, document.RecallFile{Batch: number, FileID: "three-3"})
	w.until(number, "it is filed whole", func(projections.Batch) bool { return len(platform.Filed()[0].Files) == 3 })
	w.finished(number)
	w.requireFiled(platform, number)
}

// digestOfNothing is an MD5 that no file has.
const digestOfNothing = "d41d8cd98f00b204e9800998ecf8427e"

// fatal is a target system whose process dies when a document was filed and
// nobody was told.
type fatal struct {
	commands.TargetSystem
	*dying
	filed chan struct{}
}

func (f fatal) File(ctx context.Context, at profile.FlagshipTarget, d commands.Filing) (document.Filed, error) {
	filed, err := f.TargetSystem.File(ctx, at, d)
	f.dead.Store(true)
	select {
	case f.filed <- struct{}{}:
	default:
	}
	return filed, err
}

func TestAWorkerKilledBetweenFilingAndRecording(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(three("three"))
	platform := w.newPlatform()
	filed := make(chan struct{}, 1)
	stop := w.work(filing, func(p *process) {
		d := &dying{}
		d.kill(p)
		p.Target = fatal{p.Target, d, filed}
	})
	number := w.createUnder("filing")
	receive(w, filed)
	stop()
	endLeases(t, w.pool)
	require.Len(t, platform.Filed(), 1)
	recorded, _ := eventsOf[document.Migrated](w.records())
	require.Empty(t, recorded)
	w.work(filing)
	require.EqualValues(t, 1, w.finished(number).Documents.Migrated)
	w.requireFiled(platform, number)
	require.Equal(t, 2, platform.Filed()[0].Commits)
	recorded, _ = eventsOf[document.Migrated](w.records())
	require.Len(t, recorded, 1)
}

// What the platform refuses is final until somebody asks for a retry; what is
// busy is tried again. Neither is fetched twice.
func TestFilingThatFails(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(three("refused"), three("busy"), three("fine"))
	platform := w.newPlatform()
	platform.SetFaults(map[string]simulator.FlagshipFault{"refused": simulator.FilingIndiscreet, "busy": simulator.FilingBusy})
	w.work(filing, func(p *process) { p.MaxAttempts = 1000 })
	number := w.createUnder("filing")
	w.until(number, "two are settled, and the third is tried again and again", func(b projections.Batch) bool {
		return b.Documents.Migrated == 1 && b.Documents.Failed == 1 && w.documents(number)["BILL-busy"].Attempt >= 2
	})
	w.caughtUp() // the documents, which may be behind their batch
	f := w.documents(number)["BILL-busy"].Failure
	if f != nil { // none stands in the moment of an attempt
		require.Equal(t, []any{"http-503", domain.TargetUnavailable, domain.StageStore}, []any{f.Code, f.Category, f.Stage})
	}
	refused := w.documents(number)["BILL-refused"]
	require.Equal(t, 1, refused.Attempt)
	require.Equal(t, []any{"target-code", domain.TargetRejected, domain.StageStore, "2001"},
		[]any{refused.Failure.Code, refused.Failure.Category, refused.Failure.Stage, refused.Failure.SourceCode})
	require.EqualValues(t, 3, refused.Files.Migrated, "they are in the archive")
	platform.SetFaults(nil)
	platform.ExpireTokens()
	w.until(number, "the busy one is filed", func(b projections.Batch) bool { return b.Documents.Migrated == 2 })
	w.finished(number)
	w.changeDocument(number, refused.Stream, document.RetryDocument{Batch: number, Reason: "the bill is open again"})
	w.until(number, "the refused one is filed", func(b projections.Batch) bool { return b.Documents.Migrated == 3 })
	w.finished(number)
	w.requireFiled(platform, number)
	for id, times := range s.downloaded() {
		require.Equal(t, 1, times, id)
	}
	_, of := eventsOf[document.AttemptFailed](w.records())
	require.NotEmpty(t, of)
}

// paused is a target system that waits until it is let go on.
type paused struct {
	commands.TargetSystem
	asked chan struct{}
	once  *sync.Once
}

func (p paused) File(ctx context.Context, _ profile.FlagshipTarget, _ commands.Filing) (document.Filed, error) {
	p.once.Do(func() { close(p.asked) })
	<-ctx.Done()
	return document.Filed{}, ctx.Err()
}

// A worker that is stopped while it files says nothing of the document, and
// gives the work back.
func TestAWorkerStoppedWhileItFiles(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(three("three"))
	platform := w.newPlatform()
	asked := make(chan struct{})
	stop := w.work(filing, func(p *process) {
		p.Lease = time.Hour
		p.Target = paused{p.Target, asked, &sync.Once{}}
	})
	number := w.createUnder("filing")
	receive(w, asked)
	stop()
	require.Empty(t, platform.Filed())
	w.work(filing)
	w.finished(number)
	w.requireFiled(platform, number)
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(t, failed)
}
