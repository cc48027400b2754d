package workers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
)

// profile changes a profile.
func (w *world) profile(name string, c rules.Criteria) {
	w.t.Helper()
	result, err := w.handler.ReconfigureProfile(w.t.Context(), meta(), name, nil, profile.Reconfigure{Settings: profile.Settings{Criteria: c}, Reason: "a test"})
	w.see(result, err)
}

func blocking(codes ...string) (c rules.Criteria) {
	for _, code := range codes {
		c.Severities = append(c.Severities, rules.CodeSeverity{Code: code, Severity: document.Block})
	}
	return c
}

// What the rules find of a document by what was listed of it stands in its
// outcome, whether it blocks or not, with the version of the profile that
// judged it.
func TestDocumentsAreJudgedByTheirProfile(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	bare, covered := sheet("BARE", "f1"), sheet("COVERED", "f2")
	bare.files[0].class = "1"
	w.newShelf(bare, covered)
	w.work()

	first := w.create(january())
	w.finished(first)
	d := w.documents(first)["BILL-BARE"]
	require.Equal(t, document.StatusMigrated, d.Status)
	require.Equal(t, rules.Version, d.Judgement.RuleSet)
	require.Equal(t, profile.Flagship, d.Judgement.Profile)
	require.Zero(t, d.Judgement.ProfileVersion, "nobody changed it")
	require.Len(t, d.Judgement.Rules, 1)
	require.Equal(t, document.RuleResult{Rule: "R16", Code: "cover-missing", Severity: document.Warn, Detail: "none of the 1 files is a cover"}, d.Judgement.Rules[0])
	require.Empty(t, w.documents(first)["BILL-COVERED"].Judgement.Rules)

	w.profile(profile.Flagship, blocking("cover-missing"))
	_, err := w.handler.RegisterProfile(t.Context(), meta(), profile.Register{Name: "ours", Settings: profile.Settings{Criteria: blocking("cover-missing")}})
	require.NoError(t, err)
	second := w.create(january())
	third, _, err := w.handler.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "sim", Profile: "ours", Scope: january()})
	require.NoError(t, err)
	for _, number := range []string{second, third} {
		b := w.finished(number)
		require.EqualValues(t, 1, b.Documents.Failed)
		require.EqualValues(t, 1, b.Documents.Migrated)
		d := w.documents(number)["BILL-BARE"]
		require.Equal(t, "cover-missing", d.Failure.Code)
		require.Equal(t, domain.MissingField, d.Failure.Category)
		require.Equal(t, b.Profile, d.Judgement.Profile)
		require.Equal(t, 1, d.Judgement.ProfileVersion)
		require.Equal(t, document.Block, d.Judgement.Rules[0].Severity)
	}
}

// A profile that changes while a document is under way counts for the next one:
// each is judged by one version, which its outcome names.
func TestAProfileThatChangesDuringABatch(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	items := sheets(40)
	for i := range items {
		items[i].files[0].class = "1"
	}
	s := w.newShelf(items...)
	changed := make(chan struct{})
	s.download = func(_ http.ResponseWriter, r *http.Request, c call) bool {
		if c.file == "f20" { // by then others were judged; this one goes on when the profile is another
			select {
			case <-changed:
			case <-r.Context().Done():
			}
		}
		return false
	}
	var clock clock // a profile that was read holds for a second
	w.work(func(p *process) { p.Documents, p.Now = 1, clock.now })
	number := w.create(january())
	w.eventually("the twenty-first document is under way", func() bool { return s.downloaded()["f20"] > 0 })
	w.profile(profile.Flagship, blocking("cover-missing"))
	clock.pass(time.Minute)
	close(changed)
	b := w.finished(number)
	require.Positive(t, b.Documents.Failed)
	require.Positive(t, b.Documents.Migrated)
	versions := map[int]int64{}
	for _, d := range w.documents(number) {
		versions[d.Judgement.ProfileVersion]++
		require.Equal(t, d.Judgement.ProfileVersion == 1, d.Status == document.StatusFailed, "it is judged as its version asks")
	}
	require.Equal(t, map[int]int64{0: b.Documents.Migrated, 1: b.Documents.Failed}, versions)
	migrated, _ := eventsOf[document.Migrated](w.records())
	require.Len(t, migrated, int(b.Documents.Migrated))
	require.Equal(t, "cover-missing", migrated[0].Rules[0].Code, "it is in the event")
}
