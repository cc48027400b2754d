package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/projections"
)

// Projection is a view and how far it is.
type Projection struct {
	View        string                `json:"view"`
	Version     int                   `json:"version" doc:"A rebuild makes the next"`
	KeptVersion int                   `json:"keptVersion,omitempty" doc:"What a rollback would bring back"`
	Position    string                `json:"position" example:"0:15,7:123" doc:"Up to which the view has the history"`
	LagEvents   int64                 `json:"lagEvents" doc:"Events that it has not yet"`
	LagSeconds  float64               `json:"lagSeconds" doc:"Since the oldest of them"`
	State       projections.ViewState `json:"state" enum:"running,held,stopped" doc:"held: a rebuild compares it, and it goes on by itself"`
	Stopped     *ProjectionStop       `json:"stopped,omitempty"`
}

// ProjectionStop is why a view does not go on.
type ProjectionStop struct {
	Event  string    `json:"event,omitempty" example:"7:124" doc:"Partition and offset of the event that it cannot apply"`
	Error  string    `json:"error"`
	Since  time.Time `json:"since"`
	Remedy string    `json:"remedy"`
}

func projectionOf(s projections.ViewStatus) Projection {
	p := Projection{
		View: s.View, Version: s.Version, KeptVersion: s.Kept, Position: s.Position.String(),
		LagEvents: s.Lag, LagSeconds: s.Behind.Seconds(), State: s.State,
	}
	if s.Stop != nil {
		p.Stopped = &ProjectionStop{Event: s.Stop.Event(), Error: s.Stop.Error, Since: s.Stop.Since, Remedy: s.Stop.Remedy()}
	}
	return p
}

func (s *server) registerProjections() {
	const path = "/v1/projections"
	register(s, route{method: http.MethodGet, path: path, id: "listProjections", tag: "projections", needs: readProjections, reach: confined,
		summary: "The views, how far they are, and why one stands still"}, s.listProjections)
	register(s, route{method: http.MethodPost, path: path + "/{view}/resume", id: "resumeProjection", tag: "projections", needs: writeProjections, status: noContent,
		summary: "Let a view that stopped try again", description: "After what stopped it was mended. It tries in the processes that keep views up, without a restart, and stops again when it fails again. Nothing was skipped."}, s.resumeProjection)
	s.registerRebuilds()
}

func (s *server) listProjections(ctx context.Context, _ *struct{}) (*listed[Projection], error) {
	statuses, err := projections.Survey(ctx, s.Views, s.Journal, time.Now(), projections.Views()...)
	return whole(statuses, func(status projections.ViewStatus) Projection {
		p := projectionOf(status)
		if p.Stopped != nil && restriction(ctx).Restricted() {
			p.Stopped.Error = "it is told to those who are not restricted to organisations"
		}
		return p
	}), err
}

func (s *server) resumeProjection(ctx context.Context, in *struct {
	Command
	View string `path:"view" maxLength:"100" doc:"Its name"`
}) (*struct{}, error) {
	return nil, projections.Resume(ctx, s.Views, in.View)
}
