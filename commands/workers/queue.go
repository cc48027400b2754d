package workers

import (
	"context"
	"slices"
	"sync"
)

// queue hands prepared documents to migrators. Sources take turns, and while
// several have documents none has more of the migrators than its share: those of
// a slow source, which all wait for it, would else sooner or later keep every
// one.
type queue struct {
	migrators int

	mu      sync.Mutex
	sources []*queued     // that have documents, in the order of their turns
	idle    []chan<- job  // migrators that wait, each for one document
	room    chan struct{} // closed when a source that had documents enough waiting has no longer
}

// queued are the documents of a source.
type queued struct {
	source  string
	waiting []job
	running int
}

// enough documents wait: more would only grow old.
const enough = claimSize

func newQueue(migrators int) *queue { return &queue{migrators: migrators, room: make(chan struct{})} }

// put adds documents of one source.
func (q *queue) put(jobs []job) {
	if len(jobs) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.of(jobs[0].work.Source)
	s.waiting = append(s.waiting, jobs...)
	q.dispatch()
}

// of a source; the caller gives it documents.
func (q *queue) of(source string) *queued {
	for _, s := range q.sources {
		if s.source == source {
			return s
		}
	}
	s := &queued{source: source}
	q.sources = append(q.sources, s)
	return s
}

// take waits for the next document; false: ctx ended.
func (q *queue) take(ctx context.Context) (job, bool) {
	given := make(chan job, 1)
	q.mu.Lock()
	q.idle = append(q.idle, given)
	q.dispatch()
	q.mu.Unlock()
	select {
	case j := <-given:
		return j, true
	case <-ctx.Done():
		return job{}, false
	}
}

// done tells that a document which was taken is settled.
func (q *queue) done(j job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.of(j.work.Source)
	if s.running--; s.running == 0 && len(s.waiting) == 0 {
		q.sources = slices.DeleteFunc(q.sources, func(other *queued) bool { return other == s })
	}
	q.dispatch()
}

// dispatch gives documents to migrators that wait, as long as there are both.
func (q *queue) dispatch() {
	for len(q.idle) > 0 {
		j, found := q.next()
		if !found {
			return
		}
		q.idle[0] <- j
		q.idle = q.idle[1:]
	}
}

func (q *queue) next() (job, bool) {
	share := max(q.migrators/max(len(q.sources), 1), 1)
	for i, s := range q.sources {
		if len(s.waiting) == 0 || s.running >= share {
			continue
		}
		j := s.waiting[0]
		s.waiting, s.running = s.waiting[1:], s.running+1
		q.sources = append(slices.Delete(q.sources, i, i+1), s) // its next turn is after the others'
		if len(s.waiting) == enough-1 {
			close(q.room)
			q.room = make(chan struct{})
		}
		return j, true
	}
	return job{}, false
}

// full are the sources that have documents enough waiting; room is closed when
// one of them may have no longer.
func (q *queue) full() (sources []string, room <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.sources {
		if len(s.waiting) >= enough {
			sources = append(sources, s.source)
		}
	}
	return sources, q.room
}
