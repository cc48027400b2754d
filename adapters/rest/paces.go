package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/projections"
)

// Paces tells how fast processes read sources now.
type Paces interface {
	Of(ctx context.Context, source string) ([]commands.SourcePace, error)
}

// Pace is how fast a process reads a source now.
type Pace struct {
	Process     string     `json:"process"`
	Concurrency int        `json:"concurrency" doc:"Requests at once that it makes at most now: what the settings allow, less while the source is overloaded"`
	Requests    int        `json:"requests" doc:"Under way"`
	Waiting     int        `json:"waiting" doc:"Requests that wait for their turn"`
	RestUntil   *time.Time `json:"restUntil,omitempty" doc:"The source gives nothing and is left alone until then; its batches wait, and no attempt is counted"`
	Rest        *Failure   `json:"rest,omitempty" doc:"Why"`
	SeenAt      time.Time  `json:"seenAt"`
}

func paceOf(p commands.SourcePace) Pace {
	pace := Pace{Process: p.Process, Concurrency: p.Concurrency, Requests: p.Requests, Waiting: p.Waiting, SeenAt: p.SeenAt}
	if !p.RestUntil.IsZero() {
		pace.RestUntil, pace.Rest = &p.RestUntil, failureOf(&p.Rest)
	}
	return pace
}

func (s *server) registerPaces() {
	register(s, route{method: http.MethodGet, path: "/v1/sources/{id}/paces", id: "listPaces", tag: "sources", needs: readSources, reach: open,
		summary: "How fast each process that works reads a source now", description: "What a process finds out by itself: how many requests at once the source takes, and until when it is left alone, and why. A process that has not read the source since it started is not among them."}, s.listPaces)
}

func (s *server) listPaces(ctx context.Context, in *struct{ SourceID }) (*listed[Pace], error) {
	if _, err := projections.FindSource(ctx, s.Views, in.ID); err != nil {
		return nil, err
	}
	paces, err := s.Paces.Of(ctx, in.ID)
	return whole(paces, paceOf), err
}
