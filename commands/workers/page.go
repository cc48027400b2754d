package workers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
)

// takenPage is a page of a listing with the documents that it names, as the
// journal has them.
type takenPage struct {
	items     []discovery.PageItem
	listed    map[string]commands.Item // by stream, as first shown on the page
	streams   map[string]string        // by item key
	sorted    discovery.Sorted
	documents map[string]*listedDocument // by stream
	order     []string                   // of documents
}

// listedDocument collects what the page does to a document.
type listedDocument struct {
	loaded int // version in the journal
	state  document.State
	events []document.Event
}

func (d *listedDocument) decide(c document.Command) error {
	events, err := commands.Documents.Decide(d.state, c)
	for _, e := range events {
		d.state = commands.Documents.Evolve(d.state, e)
	}
	d.events = append(d.events, events...)
	return err
}

// readPage loads the documents of a page in one statement.
func (l *listing) readPage(ctx context.Context, a answer) (*takenPage, error) {
	t := &takenPage{listed: map[string]commands.Item{}, streams: map[string]string{}, documents: map[string]*listedDocument{}}
	for _, item := range a.Items {
		stream := item.ID.Stream()
		t.streams[discovery.Short(stream)] = stream
		if _, shown := t.listed[stream]; !shown {
			t.listed[stream] = item
			t.order = append(t.order, stream)
		}
	}
	loaded, err := l.Journal.Load(ctx, t.order...)
	if err != nil {
		return nil, err
	}
	for stream, item := range t.listed {
		d := &listedDocument{loaded: len(loaded[stream])}
		if d.state, err = commands.Documents.Fold(document.State{ID: item.ID}, loaded[stream]); err != nil {
			return nil, err
		}
		t.documents[stream] = d
	}
	for _, item := range a.Items {
		stream := item.ID.Stream()
		member, known := t.documents[stream].state.Batches[l.number]
		listed := discovery.Item{Key: discovery.Short(stream), Content: discovery.Short(item.Listed.Content), Elsewhere: known && member.Slice != l.slice}
		if !known && l.list != nil && !l.list.has(item) {
			listed.Unlisted = &discovery.Unlisted{ImageNumber: item.ID.ImageNumber, BillNumber: item.Listed.BillNumber}
		}
		t.items = append(t.items, discovery.PageItem{ImageNumber: item.ID.ImageNumber, Item: listed})
	}
	for _, number := range a.met {
		t.items = append(t.items, discovery.PageItem{Item: discovery.Item{Key: discovery.Short("bill number " + number), Elsewhere: true}})
	}
	t.sorted = l.state.Sort(l.state.Next, t.items)
	return t, nil
}

// rawItems are stored at once.
const rawItems = 16

// discover decides what the page does to its documents. Raw items are in the
// archive before the events that name them; those of a preflight are not kept.
func (t *takenPage) discover(ctx context.Context, l *listing, p permit) error {
	items, preflight := t.freshItems(), p.batch.Mode == batch.Preflight
	if !preflight {
		if err := t.storeRaws(ctx, l, items); err != nil {
			return err
		}
	}
	for _, item := range items {
		c := document.Discover{ID: item.ID, Batch: l.number, Slice: l.slice, Preflight: preflight, Listed: item.Listed}
		if err := t.documents[item.ID.Stream()].decide(c); err != nil {
			return err
		}
	}
	return t.reportConflicts(l, p.plan.ID)
}

func (t *takenPage) storeRaws(ctx context.Context, l *listing, items []commands.Item) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rawItems)
	for i, item := range items {
		group.Go(func() (err error) {
			items[i].Listed.Raw, err = l.storeRaw(ctx, t.documents[item.ID.Stream()].state, item)
			return err
		})
	}
	return group.Wait()
}

// freshItems are those of the batch that the present pass had not shown before
// this page.
func (t *takenPage) freshItems() (items []commands.Item) {
	for _, fresh := range t.sorted.Fresh {
		if stream, item := t.streams[fresh.Key]; item && fresh.Unlisted == nil {
			items = append(items, t.listed[stream])
		}
	}
	return items
}

// reportConflicts fails documents that one listing shows with two contents.
func (t *takenPage) reportConflicts(l *listing, source string) error {
	for i, r := range t.sorted.Repeats {
		d := t.documents[t.streams[t.sorted.Keys[i]]]
		if _, known := d.state.Batches[l.number]; !r.Conflict || !known {
			continue
		}
		detail := fmt.Sprintf("source %s lists image number %s twice with other content, on pages %d and %d of slice %s", source, r.ImageNumber, r.FirstPage, r.Page, l.slice)
		if err := d.decide(document.ReportConflict{Batch: l.number, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}

// storeRaw keeps an item exactly as the source sent it, unless the document
// has the same content with its raw item already: only the URLs differ then.
func (w *Workers) storeRaw(ctx context.Context, d document.State, item commands.Item) (domain.Stored, error) {
	for _, m := range d.Batches {
		if m.Listed.Content == item.Listed.Content && !m.Preflight {
			return m.Listed.Raw, nil
		}
	}
	sum := sha256.Sum256(item.Raw)
	digest := hex.EncodeToString(sum[:])
	return w.storeBytes(ctx, commands.ItemKey(item.ID, digest), digest, item.Raw)
}
