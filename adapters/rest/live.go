package rest

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const (
	// livePace is how often a batch is told of at most, however fast it changes.
	livePace = 500 * time.Millisecond
	// liveLook is how soon after a wake-up it is looked whether the views follow.
	liveLook = 20 * time.Millisecond
	// liveRecently is how old a change may be that whoever begins to watch is told
	// of: it may lie between what they read before and now.
	liveRecently = time.Minute
	// liveRead bounds what is read at once: a database that neither answers nor
	// fails, such as one behind a dead network, would else be waited for for good.
	liveRead = 10 * time.Second
	// maxWatchers of one process.
	maxWatchers = 2000
)

// Live tells those who watch what has changed: one for a process, however many
// they are. It tells states and no steps: whoever is slow gets the newest one,
// and no queue grows.
//
// A change has a position, that of the views when it was found. Whoever has been
// told all up to a position goes on from there, in this process or another, as
// long as that has watched for as long itself; else they are told to read anew.
type Live struct {
	views    Views
	journal  Journal
	waker    Waker
	log      *slog.Logger
	patience time.Duration // with what is read at once

	mu       sync.Mutex
	begun    wire.Position // of the first look; nil: there was none yet
	at       wire.Position // of the last
	all      map[projections.Watched]*watched
	watchers map[*watcher]struct{}
}

// watched is a batch or an operation.
type watched struct {
	mark  projections.Mark
	at    wire.Position // of its last change; nil: it is as it was at the first look
	seen  time.Time     // when that was
	until wire.Position // that the views have to reach for its state to be whole; nil: they have
	// shown is its state, by whom it is shown to: it is read once for all of them.
	shown map[string]func() ([]byte, error)
}

// watcher is somebody who watches one batch, or all.
type watcher struct {
	batch string // empty: all
	last  string // position up to which they were told before
	due   map[projections.Watched]struct{}
	lost  bool // what changed since then is not known
	woken chan struct{}
}

// NewLive makes what Run keeps up.
func NewLive(views Views, journal Journal, waker Waker, log *slog.Logger) *Live {
	return &Live{views: views, journal: journal, waker: waker, log: log, patience: liveRead, all: map[projections.Watched]*watched{}, watchers: map[*watcher]struct{}{}}
}

// Run looks for changes until ctx ends.
func (l *Live) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		woken := l.waker.Next() // once a second at least
		if err := l.follow(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn("what changes is looked for again", "error", err)
		}
		select {
		case <-woken:
		case <-ctx.Done():
		}
	}
	return nil
}

// follow the views until they have what the journal has.
func (l *Live) follow(ctx context.Context) error {
	heads, err := patiently(ctx, l, l.journal.Heads)
	if err != nil {
		return err
	}
	for next := liveLook; ; {
		at, err := patiently(ctx, l, func(ctx context.Context) (wire.Position, error) { return projections.WatchedPosition(ctx, l.views) })
		if err != nil {
			return err
		}
		wait := next
		switch {
		case l.moved(at):
			if err := l.look(ctx); err != nil {
				return err
			}
			wait, next = livePace, liveLook
		case at.Reached(heads):
			return nil
		default:
			next = min(2*next, livePace)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func patiently[T any](ctx context.Context, l *Live, read func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	return read(ctx)
}

func (l *Live) moved(at wire.Position) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun == nil || !maps.Equal(l.at, at)
}

// look what has changed, and wake those whom it concerns.
func (l *Live) look(ctx context.Context) error {
	marks, err := patiently(ctx, l, func(ctx context.Context) (projections.Marks, error) { return projections.ReadMarks(ctx, l.views) })
	if err != nil {
		return err
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = marks.At
	if l.begun == nil {
		l.begun = marks.At
		for of, mark := range marks.All {
			l.all[of] = &watched{mark: mark}
		}
		for w := range l.watchers {
			l.begin(w)
		}
		return nil
	}
	maps.DeleteFunc(l.all, func(of projections.Watched, _ *watched) bool { _, there := marks.All[of]; return !there })
	for of, mark := range marks.All {
		if l.all[of] == nil {
			l.all[of] = &watched{}
		}
		if l.all[of].change(mark, marks, now) {
			l.tell(of, mark)
		}
	}
	return nil
}

// change takes a mark in, and tells whether there is something new to tell. What
// another view says of it may come later: then it is told of once more.
func (w *watched) change(mark projections.Mark, marks projections.Marks, now time.Time) bool {
	switch {
	case w.mark != mark:
		w.mark, w.until = mark, marks.UpTo
	case w.until == nil || !marks.At.Reached(w.until):
		return false
	}
	if marks.At.Reached(w.until) {
		w.until = nil
	}
	w.at, w.seen, w.shown = marks.At, now, nil
	return true
}

func (l *Live) tell(of projections.Watched, mark projections.Mark) {
	for w := range l.watchers {
		if w.batch == "" || w.batch == mark.Batch {
			w.due[of] = struct{}{}
			w.wake()
		}
	}
}

func (w *watcher) wake() {
	select {
	case w.woken <- struct{}{}:
	default: // it is awake
	}
}

// watch a batch or all, from the position on up to which one was told before;
// nil when too many watch.
func (l *Live) watch(batch, last string) *watcher {
	w := &watcher{batch: batch, last: last, due: map[projections.Watched]struct{}{}, woken: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.watchers) >= maxWatchers {
		return nil
	}
	l.watchers[w] = struct{}{}
	if l.begun != nil {
		l.begin(w)
	}
	return w
}

// begin with what changed since the last time. Who has not watched before, or
// not so lately that all changes since are known, begins with what is not ended
// and what changed right now.
func (l *Live) begin(w *watcher) {
	last, err := wire.ParsePosition(w.last)
	knows := err == nil && w.last != "" && last.Reached(l.begun)
	w.lost = w.last != "" && !knows
	for of, t := range l.all {
		switch {
		case w.batch != "" && w.batch != t.mark.Batch:
			continue
		case knows && (t.at == nil || last.Reached(t.at)):
			continue
		case !knows && t.mark.Ended && time.Since(t.seen) > liveRecently && of.ID != w.batch:
			continue
		}
		w.due[of] = struct{}{}
	}
	w.wake()
}

func (l *Live) leave(w *watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, w)
}

// take what is due. Whoever is told of it has been told of all up to the
// position.
func (l *Live) take(w *watcher) (due []projections.Watched, at wire.Position, lost bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	due = slices.SortedFunc(maps.Keys(w.due), func(a, b projections.Watched) int {
		return strings.Compare(a.Kind+a.ID, b.Kind+b.ID)
	})
	clear(w.due)
	lost, w.lost = w.lost, false
	return due, l.at, lost
}

// again is due what could not be told of.
func (l *Live) again(w *watcher, due []projections.Watched) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, of := range due {
		w.due[of] = struct{}{}
	}
}

// state of what is watched, as those see it who see the documents of some
// organisations; nil where they see none.
func (l *Live) state(of projections.Watched, theirs domain.Organizations) ([]byte, error) {
	key := strings.Join(theirs, "\x00")
	l.mu.Lock()
	t := l.all[of]
	if t == nil {
		l.mu.Unlock()
		return nil, nil
	}
	read, known := t.shown[key]
	if !known {
		read = sync.OnceValues(func() ([]byte, error) { return l.read(of, theirs) })
		if t.shown == nil {
			t.shown = map[string]func() ([]byte, error){}
		}
		t.shown[key] = read
	}
	l.mu.Unlock()
	content, err := read()
	if err != nil {
		l.mu.Lock()
		delete(t.shown, key)
		l.mu.Unlock()
	}
	return content, err
}

// read is for all who are shown the same: none of them can end it.
func (l *Live) read(of projections.Watched, theirs domain.Organizations) ([]byte, error) {
	state, err := patiently(context.Background(), l, func(ctx context.Context) (any, error) { return l.find(ctx, of, theirs) })
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var content bytes.Buffer
	err = marshal(&content, state)
	return bytes.TrimSuffix(content.Bytes(), []byte("\n")), err
}

// find what the API answers when it is asked for it.
func (l *Live) find(ctx context.Context, of projections.Watched, theirs domain.Organizations) (any, error) {
	if of.Kind == projections.WatchedOperation {
		found, err := projections.FindOperationWithin(ctx, l.views, of.ID, theirs)
		return operationOf(found), err
	}
	found, err := projections.FindBatchWithin(ctx, l.views, of.ID, theirs)
	if err != nil {
		return nil, err
	}
	failures, err := projections.FailureCounts(ctx, l.views, of.ID, theirs)
	return overviewOf(projections.BatchAt{Batch: found, Failures: failures}, theirs), err
}
