package verification

import (
	"context"
	"fmt"
	"sync"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Loss is a document that names objects which the archive has not, or not as
// they were stored.
type Loss struct {
	Document domain.DocumentID
	Batches  []string // that the document is in
	Version  int      // of its stream, as it was read
	Objects  []document.Lost
}

// Inspected counts what was looked at.
type Inspected struct{ Documents, Objects int64 }

// Losses goes through all documents and tells of those that have lost
// something, one at a time. With content every byte is read, else sizes are
// compared. What cannot be read ends it: that is no loss yet.
func (v Verifier) Losses(ctx context.Context, content bool, found func(Loss) error) (Inspected, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{Verifier: v, batches: map[string]*batchFold{}}
	var err error
	if r.heads, err = v.Journal.Heads(ctx); err != nil {
		return Inspected{}, err
	}
	for _, head := range r.heads {
		r.total += head
	}
	s := &search{Verifier: v, content: content, found: found, stop: stop}
	documents := make(chan holdings, 100)
	var workers sync.WaitGroup
	for range inspectors {
		workers.Go(func() {
			for h := range documents {
				if ctx.Err() == nil {
					s.examineAll(h)
				}
			}
		})
	}
	err = r.eachPage(ctx, newStreamWalk(r, func(h holdings) { documents <- h }))
	close(documents)
	workers.Wait()
	switch {
	case context.Cause(ctx) != nil:
		err = context.Cause(ctx)
	case err == nil && r.broken > 0:
		err = fmt.Errorf("%d streams cannot be folded: waybill verify says which, and what to do", r.broken)
	}
	return s.inspected, err
}

// search collects, from several goroutines, what was lost.
type search struct {
	Verifier
	content bool
	stop    context.CancelCauseFunc

	mu        sync.Mutex
	found     func(Loss) error
	inspected Inspected
}

func (s *search) examineAll(h holdings) {
	loss := Loss{Document: h.document, Batches: h.batches, Version: h.version}
	objects := h.present()
	for _, o := range objects {
		flaw, err := s.examine(o, s.content)
		switch {
		case err != nil:
			s.stop(err)
			return
		case flaw.what != "" && flaw.fault == "":
			s.stop(fmt.Errorf("%s, named at %s: %s; waybill verify says what to do", o.Key, o.where, flaw.what))
			return
		case flaw.fault != "":
			loss.Objects = append(loss.Objects, document.Lost{Key: o.Key, Fault: flaw.fault})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inspected.Documents++
	s.inspected.Objects += int64(len(objects))
	if len(loss.Objects) > 0 {
		if err := s.found(loss); err != nil {
			s.stop(err)
		}
	}
}
