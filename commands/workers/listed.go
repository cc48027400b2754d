package workers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/list"
)

// entries of a list, which listings of a batch look things up in.
type entries struct {
	id    string
	kind  list.Kind
	all   []string // in the order of the list
	known map[string]struct{}
}

// has tells whether an item of the source is in the list.
func (e *entries) has(item commands.Item) bool {
	number := item.ID.ImageNumber
	if e.kind == list.BillNumbers {
		number = item.Listed.BillNumber
	}
	_, known := e.known[number]
	return known
}

// lists that a process has in memory, the one that was asked for last at the end.
// A list never changes.
type lists struct {
	journal commands.Journal

	mu   sync.Mutex
	held []*entries
}

// maxLists bounds the memory of a process that lists many batches: the largest
// list takes about 60 MB.
const maxLists = 4

// get gives the entries of a list; none of none. Those who ask while a list is
// read wait for it.
func (l *lists) get(ctx context.Context, of *list.Head) (*entries, error) {
	if of == nil {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.held, func(e *entries) bool { return e.id == of.ID }); i >= 0 {
		e := l.held[i]
		l.held = append(slices.Delete(l.held, i, i+1), e)
		return e, nil
	}
	s, err := commands.LoadList(ctx, l.journal, of.ID)
	if err != nil {
		return nil, err
	}
	if s.Digest != of.Digest || len(s.Entries) != of.Count {
		return nil, fmt.Errorf("list %s has %d entries (%s), and the batch was made of %d (%s)", of.ID, len(s.Entries), s.Digest, of.Count, of.Digest)
	}
	e := &entries{id: of.ID, kind: of.Kind, all: s.Entries, known: make(map[string]struct{}, len(s.Entries))}
	for _, entry := range s.Entries {
		e.known[entry] = struct{}{}
	}
	if len(l.held) == maxLists {
		l.held = slices.Delete(l.held, 0, 1)
	}
	l.held = append(l.held, e)
	return e, nil
}

// listPage is how many entries are looked for at once: as many as one request to
// a source reads again.
const listPage = 100

// page of a list's entries, counted from 1.
func (e *entries) page(n int) (page []string, a answer) {
	start := min((n-1)*listPage, len(e.all))
	end := min(start+listPage, len(e.all))
	return e.all[start:end], answer{looked: end, Page: commands.Page{Total: len(e.all), Last: end == len(e.all)}}
}

// readImages reads the next entries at the source by their image numbers. What is
// of an organisation or a type that the scope does not name is not looked for.
func (l *listing) readImages(ctx context.Context, p permit) (answer, error) {
	numbers, a := l.list.page(l.state.Next)
	items, err := l.Source.Reread(ctx, p.plan, numbers)
	if err != nil {
		return a, atList(err)
	}
	found := map[string]bool{}
	for _, item := range items {
		if slices.Contains(numbers, item.ID.ImageNumber) && covers(p.batch.Scope, item) {
			a.Items = append(a.Items, item)
			found[item.ID.ImageNumber] = true
		}
	}
	a.absent = slices.DeleteFunc(slices.Clone(numbers), func(number string) bool { return found[number] })
	return a, nil
}

func covers(scope batch.Scope, item commands.Item) bool {
	return (len(scope.Organizations) == 0 || slices.Contains(scope.Organizations, item.Listed.Organization)) &&
		(len(scope.DocumentTypes) == 0 || slices.Contains(scope.DocumentTypes, item.Listed.DocumentType))
}

// atList says that a source was read to list, and not to fetch. It copies: a
// failure may be shared.
func atList(err error) error {
	var failed *commands.SourceError
	if !errors.As(err, &failed) {
		return err
	}
	listing := *failed
	listing.Failure.Stage = domain.StageList
	return &listing
}

// matchBills looks for the next entries among what the months brought, since a
// source is not asked by bill number.
func (l *listing) matchBills(ctx context.Context) (answer, error) {
	numbers, a := l.list.page(l.state.Next)
	if !l.months {
		waiting, cancel := context.WithTimeout(ctx, l.settings.Lease) // for views that lag
		failed, err := l.Selection.FailedMonths(waiting, l.number)
		cancel()
		if err != nil {
			return a, err
		}
		if len(failed) > 0 {
			return a, monthsFailed(failed)
		}
		l.months = true
	}
	met, err := l.Selection.BillNumbers(ctx, l.number, numbers)
	a.met = met
	a.absent = slices.DeleteFunc(slices.Clone(numbers), func(number string) bool { return slices.Contains(met, number) })
	return a, err
}

// monthsFailed: nobody could tell what is not there from what was not listed.
func monthsFailed(failed []string) error {
	const most = 5
	named := strings.Join(failed[:min(len(failed), most)], ", ")
	if len(failed) > most {
		named += " and others"
	}
	return &commands.SourceError{Failure: domain.Failure{
		Code: "list-months-failed", Category: domain.SourceRejected, Stage: domain.StageList,
		Detail: fmt.Sprintf("%d slices of the period could not be listed (%s), so that nothing can be said of bill numbers that are not among the others", len(failed), named),
		Remedy: "Retry the discovery of those slices, then that of the slice list.",
	}}
}
