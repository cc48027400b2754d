package projections_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// story makes up a history: random commands to few streams, so that they meet
// in every combination. The aggregates refuse what cannot happen.
type story struct {
	*rand.Rand
	t       *testing.T
	j       *viewtest.Journal
	sources []string
	batches []string
	slices  map[string][]string
	source  map[string]string // of a batch
	listed  map[string]map[domain.DocumentID]string
}

// modes of batches that do not migrate.
var modes = map[string]batch.Mode{"B2": batch.Preflight}

const (
	storySources   = 2
	storyBatches   = 4
	storyDocuments = 8 // of a source
)

// storyList is the scope of some of a story's batches.
var storyList = list.Head{ID: "L1", Kind: list.ImageNumbers, Count: 2, Digest: "d"}

func tell(t *testing.T, seed uint64, steps int) *viewtest.Journal {
	s := &story{
		Rand: rand.New(rand.NewPCG(seed, 0)), t: t, j: viewtest.New(t),
		slices: map[string][]string{}, source: map[string]string{}, listed: map[string]map[domain.DocumentID]string{},
	}
	for i := range storySources {
		id := fmt.Sprintf("s%d", i)
		s.sources = append(s.sources, id)
		s.do(s.j.Source(id, source.Register{ID: id, Settings: source.Settings{Name: id, TokenURL: "http://s/t", DataURL: "http://s/d"}}))
	}
	s.hook("")
	s.approve("B-other")
	s.profile()
	s.unfinished("B-other")
	s.do(s.j.List(storyList.ID, list.Upload{ID: storyList.ID, Name: "list.csv", Kind: storyList.Kind, Column: "A", Cells: []list.Cell{{Row: 1, Text: "影像/1"}, {Row: 2, Text: "nowhere"}, {Row: 3}}}))
	acts := []func(){
		s.createBatch, s.list, s.list, s.list, s.list, s.attempt, s.attempt, s.attempt, s.attempt, s.attempt,
		s.operate, s.operate, s.operate, s.verify, s.steer, s.changeSource, s.bulk, s.failListing,
	}
	for range steps {
		s.j.Metadata.Actor.Subject = pick(s, []string{"ann", "bo", "worker"})
		s.j.Metadata.Initiator.Subject = pick(s, []string{"", "ann"})
		s.j.Metadata.OperationID = pick(s, []string{"", "op-B0"})
		pick(s, acts)()
	}
	for _, number := range s.batches {
		s.access(number)
		s.approve(number)
		s.hook(number)
	}
	s.profile()
	return s.j
}

// profile makes one, or changes it when it is there.
func (s *story) profile() {
	settings := profile.Settings{Criteria: rules.Criteria{MinDPI: 100 + s.IntN(200)}}
	s.do(s.j.Profile("ours", profile.Register{Name: "ours", Settings: settings}))
	s.do(s.j.Profile("ours", profile.Reconfigure{Settings: settings, Reason: "other scanners"}))
	s.do(s.j.Profile(profile.Archive, profile.Reconfigure{Settings: settings}))
}

// hook that tells of a batch, or of all: it is changed, tested, disabled and
// enabled, and unless it is of all removed.
func (s *story) hook(number string) {
	id, settings := fmt.Sprintf("hook-%d", slices.Index(s.batches, number)+1), webhook.Settings{URL: "https://erp.example/", SecretRefs: []string{"env:ERP"}}
	s.do(s.j.Webhook(id, webhook.Register{ID: id, Settings: settings, Start: map[int]int64{0: 1}}))
	settings.Batches = []string{number}
	commands := []webhook.Command{webhook.Test{}, webhook.Disable{Reason: "night"}, webhook.Enable{}, webhook.RetryDelivery{Delivery: "0:1", Failed: true}}
	if number != "" {
		commands = append(commands, webhook.Reconfigure{Settings: settings}, webhook.Remove{Reason: "gone"})
	}
	for _, c := range commands {
		s.do(s.j.Webhook(id, c))
	}
}

// access to a batch: its log is exported, and a command on it refused.
func (s *story) access(number string) {
	s.do(s.j.Access("export", number, access.BeginExport{Format: access.CSV, Filter: access.Filter{Batch: number}, Until: map[int]int64{0: 1}}))
	s.do(s.j.Access("export", number, access.EndExport{Rows: 1, Complete: true}))
	s.do(s.j.Access("refusal", number, access.RefuseCommand{CommandRefused: access.CommandRefused{Method: "POST", Path: "/", Batch: number, Status: 409, Code: "x"}}))
	s.do(s.j.Access("token", number, access.IssueToken{ID: number, Subject: "x", Roles: []string{"reader"}}))
}

// approve of a cancel that was asked for, or withdraw it.
func (s *story) approve(number string) {
	ann, bo := approval.Person{Issuer: "token", Subject: "ann"}, approval.Person{Issuer: "token", Subject: "bo"}
	s.do(s.j.Approval(number, approval.Request{
		ID: number, Kind: approval.CancelBatch, Batch: number, Limit: 1, Reason: "x", By: ann, At: s.j.Now(), Extent: approval.Extent{Documents: 2, Coordinates: map[int]int64{0: 1}},
	}))
	s.j.Metadata.Approver.Subject = pick(s, []string{"", "bo"})
	d := approval.Decision{By: bo, At: s.j.Now(), Reason: "y"}
	s.do(s.j.Approval(number, approval.Approve{Decision: d, Outcome: pick(s, []approval.Outcome{approval.Done, approval.Refused})}))
	d.By = ann
	s.do(s.j.Approval(number, approval.Withdraw{Decision: d}))
}

// do takes refusals as part of the story.
func (s *story) do(err error) {
	var refusal *domain.Refusal
	if err != nil && !errors.As(err, &refusal) {
		require.NoError(s.t, err)
	}
}

func pick[T any](s *story, choices []T) T { return choices[s.IntN(len(choices))] }

func (s *story) createBatch() {
	if len(s.batches) == storyBatches {
		return
	}
	number, of := fmt.Sprintf("B%d", len(s.batches)), pick(s, s.sources)
	scope := batch.Scope{From: "2025-01-10", To: pick(s, []string{"2025-01-20", "2025-03-02"})}
	create := batch.Create{Number: number, Mode: modes[number], Source: of, SourceEnabled: true, Profile: "flagship", Scope: scope}
	if s.IntN(2) == 0 {
		create.Scope.List, create.List = storyList.ID, &storyList
	}
	created := s.j.Batch(number, create)
	require.NoError(s.t, created)
	s.batches = append(s.batches, number)
	s.source[number], s.listed[number] = of, map[domain.DocumentID]string{}
	for _, slice := range viewtest.State(s.j, domain.BatchStream(number), batch.Evolve).Slices {
		s.slices[number] = append(s.slices[number], slice.ID)
	}
}

func (s *story) slice() (number, slice string, ok bool) {
	if len(s.batches) == 0 {
		return "", "", false
	}
	number = pick(s, s.batches)
	return number, pick(s, s.slices[number]), true
}

// list shows a page of a slice: some documents, some of them twice, with a
// total that may be wrong.
func (s *story) list() {
	number, slice, ok := s.slice()
	if !ok {
		return
	}
	s.do(s.j.Listing(number, slice, discovery.Start{Batch: number, Source: s.source[number], Slice: slice}))
	state := viewtest.State(s.j, domain.DiscoveryStream(number, slice), discovery.Evolve)
	if state.Status != discovery.StatusListing {
		return
	}
	var items []discovery.PageItem
	ids := map[string]domain.DocumentID{}
	for range s.IntN(4) {
		id := domain.DocumentID{Source: s.source[number], Resource: "r", ImageNumber: fmt.Sprintf("影像/%d", s.IntN(storyDocuments))}
		at, known := s.listed[number][id]
		key := discovery.Short(id.Stream())
		ids[key] = id
		item := discovery.Item{Key: key, Content: pick(s, []string{"a", "a", "a", "b"}), Elsewhere: known && at != slice}
		items = append(items, discovery.PageItem{Item: item, ImageNumber: id.ImageNumber})
	}
	if s.IntN(3) == 0 {
		beside := fmt.Sprintf("beside/%d", s.IntN(3))
		items = append(items, discovery.PageItem{ImageNumber: beside, Item: discovery.Item{
			Key: discovery.Short(beside), Content: "a", Unlisted: &discovery.Unlisted{ImageNumber: beside, BillNumber: "N"},
		}})
	}
	sorted := state.Sort(state.Next, items)
	for _, item := range sorted.Fresh {
		id, there := ids[item.Key]
		if !there {
			continue
		}
		if _, known := s.listed[number][id]; !known {
			s.listed[number][id] = slice
		}
		s.do(s.j.Document(id, document.Discover{ID: id, Batch: number, Slice: slice, Preflight: modes[number] == batch.Preflight, Listed: s.content(item.Content)}))
	}
	for i, repeat := range sorted.Repeats {
		if repeat.Conflict {
			id := domain.DocumentID{Source: s.source[number], Resource: "r", ImageNumber: sorted.Repeats[i].ImageNumber}
			s.do(s.j.Document(id, document.ReportConflict{Batch: number, Detail: "shown twice"}))
		}
	}
	page := discovery.ListPage{Pass: state.Pass, Page: state.Next, Items: items, Total: s.IntN(6), Last: s.IntN(3) > 0, RequestID: "r"}
	if slice == domain.ListSlice {
		page.Looked, page.Absent = state.Next, []string{fmt.Sprintf("absent/%d", s.IntN(3))}
	}
	s.do(s.j.Listing(number, slice, page))
}

// content of a document: files whose number and ids depend on it, and at times
// on nothing but chance.
func (s *story) content(content string) document.Listed {
	files := map[string]int{"a": 3, "b": 2}[content]
	if s.IntN(8) == 0 {
		files, content = s.IntN(5), content+fmt.Sprint(s.IntN(5))
	}
	l := document.Listed{Organization: "ORG-" + content[:1], DocumentType: "bill", BillNumber: "N" + content, BillDate: fmt.Sprintf("2025-%02d-15", 1+content[0]%3), Content: content}
	for i := range files {
		l.Files = append(l.Files, document.ListedFile{
			ID: fmt.Sprintf("f%d", i), Class: document.Invoice, Sequence: i, Name: "a.pdf", Type: "pdf", Size: 10, Hash: fmt.Sprint("h", i), HashAlgorithm: "md5",
		})
	}
	return l
}

func (s *story) document() (id domain.DocumentID, m document.Membership, ok bool) {
	number, _, ok := s.slice()
	if !ok || len(s.listed[number]) == 0 {
		return id, m, false
	}
	for range 4 { // the map's order is no part of the seed
		id = domain.DocumentID{Source: s.source[number], Resource: "r", ImageNumber: fmt.Sprintf("影像/%d", s.IntN(storyDocuments))}
		if m, ok = viewtest.State(s.j, id.Stream(), document.Evolve).Batches[number]; ok {
			return id, m, true
		}
	}
	return id, m, false
}

// attempt reports an outcome of work, at times of work that is no longer open
// and of files that are not to be dealt with.
func (s *story) attempt() {
	id, m, ok := s.document()
	if !ok {
		return
	}
	var relisted *document.Listed
	files := m.Files
	if s.IntN(6) == 0 {
		relisted = new(s.content("c"))
		files = nil
		for _, f := range relisted.Files {
			files = append(files, document.File{ListedFile: f})
		}
	}
	work := m.Work
	if s.IntN(10) == 0 {
		work--
	}
	if s.IntN(2) == 0 {
		outcomes := s.outcomes(files, m.Preflight, func() bool { return true })
		if m.Preflight {
			s.do(s.j.Document(id, document.Pass{Batch: m.Batch, Work: work, Relisted: relisted, Files: outcomes}))
			return
		}
		s.do(s.j.Document(id, document.Migrate{
			Batch: m.Batch, Work: work, Relisted: relisted, Manifest: domain.Stored{Key: "k" + fmt.Sprint(s.IntN(3)), SHA256: fmt.Sprint(s.IntN(3))}, Files: outcomes,
		}))
		return
	}
	failure := domain.Failure{Code: pick(s, []string{"http-503", "type-unsupported"}), Category: domain.SourceUnavailable, Retryable: s.IntN(2) == 0}
	if len(files) > 0 && s.IntN(2) == 0 {
		failure.FileID = pick(s, files).ID
	}
	s.do(s.j.Document(id, document.FailAttempt{
		Batch: m.Batch, Work: work, Relisted: relisted, Failure: failure, MaxAttempts: 3,
		Next:  s.j.Now().Add(time.Duration(s.IntN(100)) * time.Second).Format(time.RFC3339),
		Files: s.outcomes(files, m.Preflight, func() bool { return s.IntN(2) == 0 }),
	}))
}

func (s *story) outcomes(files []document.File, preflight bool, arrived func() bool) []document.FileOutcome {
	var outcomes []document.FileOutcome
	for _, f := range files {
		if s.IntN(5) == 0 {
			continue
		}
		o := document.FileOutcome{ID: f.ID, Sequence: f.Sequence, Name: f.Name, Received: int64(s.IntN(100))}
		o.Passed = preflight && arrived()
		switch {
		case o.Passed:
			o.Rules = []document.RuleResult{{Rule: "R07", Code: "size-large", Severity: document.Warn, Detail: "large"}}
		case !preflight && arrived():
			o.Stored = &domain.Stored{Key: "k-" + f.ID, SHA256: "s"}
		default:
			o.Failure = &domain.Failure{Code: "type-unsupported", Category: domain.FormatMismatch, FileID: f.ID}
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// operate is what operators and a cancelled batch do to a document.
func (s *story) operate() {
	id, m, ok := s.document()
	if !ok {
		return
	}
	file := fmt.Sprintf("f%d", s.IntN(4))
	s.do(s.j.Document(id, pick(s, []document.Command{
		document.RetryDocument{Batch: m.Batch, Reason: "again"},
		document.SkipFile{Batch: m.Batch, FileID: file, Reason: "damaged", Owner: "bo", ReviewOn: "2025-06-01"},
		document.SkipFile{Batch: m.Batch, FileID: file, Reason: "damaged"},
		document.RecallFile{Batch: m.Batch, FileID: file, Reason: "mended"},
		document.ExceptDocument{Batch: m.Batch, Reason: "destroyed", Evidence: "protocol 7"},
		document.RevokeException{Batch: m.Batch, Reason: "found"},
		document.ReportLoss{Objects: []document.Lost{{Key: "k-" + file, Fault: document.Missing}}, Reason: "restored"},
		document.ReportIntact{Batch: m.Batch, Verification: fixity.ID(m.Batch, 1), Objects: 3, Bytes: 40, Unhashed: s.IntN(2), Extra: s.IntN(2)},
		document.ReportLoss{Objects: []document.Lost{{Key: "k-f0", Fault: document.Changed}, {Key: fmt.Sprint("k", s.IntN(3)), Fault: document.Missing}}, Reason: "restored"},
	})))
	if viewtest.State(s.j, domain.BatchStream(m.Batch), batch.Evolve).Stopped {
		s.do(s.j.Document(id, document.CancelDocument{Batch: m.Batch}))
	}
}

func (s *story) steer() {
	number, slice, ok := s.slice()
	if !ok {
		return
	}
	commands := []batch.Command{
		batch.Hold{Reason: "disabled"}, batch.Release{}, batch.Pause{Reason: "night"}, batch.Resume{}, batch.AcknowledgeEmpty{Reason: "right"},
		batch.AcceptShortfall{Slice: slice, Missing: 1 + s.IntN(3), Reason: "lost"}, batch.Finish{Counts: s.counts(number), Coordinates: map[int]int64{0: 1}}, batch.Reopen{},
	}
	if s.IntN(10) == 0 {
		commands = []batch.Command{batch.Cancel{Reason: "wrong scope"}}
	}
	s.do(s.j.Batch(number, pick(s, commands)))
}

func (s *story) counts(number string) batch.Counts {
	if modes[number] == batch.Preflight {
		return batch.Counts{Passed: s.IntN(3)}
	}
	return batch.Counts{Migrated: s.IntN(3)}
}

func (s *story) changeSource() {
	s.do(s.j.Source(pick(s, s.sources), pick(s, []source.Command{source.Disable{Reason: "night"}, source.Enable{}})))
}

func (s *story) bulk() {
	number, _, ok := s.slice()
	if !ok {
		return
	}
	id := "op-" + number
	state := viewtest.State(s.j, domain.OperationStream(id), operation.Evolve)
	page := state.Page + 1
	s.do(s.j.Operation(id, pick(s, []operation.Command{
		operation.Request{ID: id, Kind: operation.Retry, Batch: number, Terms: operation.Terms{PerSecond: s.IntN(3)}, Reason: "again", Count: 9},
		operation.Pause{Reason: "slow"}, operation.Resume{Reason: "night"}, operation.Resume{Reason: "night"},
		operation.Advance{Page: page, Last: page > 2, Items: []operation.Item{{Document: fmt.Sprintf("d%d", page), Outcome: pick(s, []operation.Outcome{operation.Done, operation.Changed, operation.Refused})}}},
		operation.Advance{Page: page, Last: page > 2},
		operation.Cancel{Reason: "enough"},
	})))
}

// verify asks for a verification, carries it on, retries it or cancels it.
func (s *story) verify() {
	number, _, ok := s.slice()
	if !ok {
		return
	}
	id := fixity.ID(number, 1)
	state := viewtest.State(s.j, domain.VerificationStream(id), fixity.Evolve)
	commands := []fixity.Command{
		fixity.Request{ID: id, Batch: number, Number: 1, Migrated: 20, Selected: 9, Sample: pick(s, []*fixity.Sample{nil, {Count: 9, Seed: 7, Bound: "0d"}}), Reason: "yearly"},
		s.found(state), s.found(state), s.found(state), fixity.Retry{Reason: "mended"},
	}
	if s.IntN(10) == 0 {
		commands = []fixity.Command{fixity.Cancel{Reason: "not now"}}
	}
	s.do(s.j.Verification(id, pick(s, commands)))
}

// found is a page of one document: in a further round one that was taken before.
func (s *story) found(state fixity.State) fixity.Advance {
	item := fixity.Item{Document: fmt.Sprintf("d%03d", state.Version), Outcome: pick(s, fixity.Outcomes)}
	if state.Round > 1 {
		item.Document, item.Was = fmt.Sprintf("d%03d", 1+s.IntN(4)), fixity.Missing
	}
	if item.Outcome != fixity.Intact && item.Outcome != fixity.Overtaken {
		item.Flaws = []fixity.Flaw{{Key: "k", Fault: item.Outcome, FileID: "f1"}, {Key: "l", Fault: fixity.Extra}}
		item.Flawed = len(item.Flaws)
	}
	return fixity.Advance{
		Round: state.Round, After: state.Cursor, Until: item.Document, Last: s.IntN(3) == 0,
		Documents: []fixity.Examined{{Item: item, Objects: 3, Bytes: 40, Files: 1, Unhashed: s.IntN(2)}},
	}
}

// unfinished verification, with something found.
func (s *story) unfinished(number string) {
	id := fixity.ID(number, 1)
	s.do(s.j.Verification(id, fixity.Request{ID: id, Batch: number, Number: 1, Migrated: 20, Selected: 9, Reason: "yearly"}))
	flawed := fixity.Item{Document: "d001", Outcome: fixity.Extra, Flawed: 1, Flaws: []fixity.Flaw{{Key: "k", Fault: fixity.Extra}}}
	s.do(s.j.Verification(id, fixity.Advance{Round: 1, Until: "d001", Documents: []fixity.Examined{{Item: flawed}}}))
}

func (s *story) failListing() {
	number, slice, ok := s.slice()
	if !ok {
		return
	}
	s.do(s.j.Listing(number, slice, pick(s, []discovery.Command{
		discovery.FailAttempt{Failure: domain.Failure{Code: "http-500", Category: domain.SourceUnavailable, Retryable: true}, MaxAttempts: 3, Next: "2025-03-01T09:00:00Z"},
		discovery.FailAttempt{Failure: domain.Failure{Code: "organization-refused", Category: domain.SourceRejected}},
		discovery.RetryDiscovery{Reason: "mended"},
	})))
}
