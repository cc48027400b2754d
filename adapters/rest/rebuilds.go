package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/projections"
)

// NewRebuild asks for views to be built anew.
type NewRebuild struct {
	Views             []string `json:"views,omitempty" maxItems:"20" maxLength:"100" uniqueItems:"true" nullable:"false" doc:"Their names; absent: all, or with batch all that have rows of batches"`
	Batch             string   `json:"batch,omitempty" maxLength:"100" doc:"Number of the one batch whose rows are rebuilt"`
	From              string   `json:"from,omitempty" enum:"journal,kafka" default:"journal" doc:"Where the events are read"`
	AcceptDifferences bool     `json:"acceptDifferences,omitempty" doc:"Take what the history says although rows differ"`
	Reason
}

// Rebuild of views and what became of it.
type Rebuild struct {
	ID                string                   `json:"id"`
	Kind              string                   `json:"kind" enum:"rebuild,rollback"`
	Views             []string                 `json:"views" nullable:"false"`
	Batch             string                   `json:"batch,omitempty"`
	From              string                   `json:"from" enum:"journal,kafka"`
	AcceptDifferences bool                     `json:"acceptDifferences"`
	Reason            string                   `json:"reason"`
	RequestedBy       string                   `json:"requestedBy"`
	RequestedAt       time.Time                `json:"requestedAt"`
	State             projections.RebuildState `json:"state" enum:"waiting,running,interrupted,succeeded,differs,failed,cancelled" doc:"interrupted: its process is silent, and another goes on; differs: a view differs from the history and was left as it is"`
	Attempt           int                      `json:"attempt" doc:"How often it was begun"`
	Progress          *RebuildProgress         `json:"progress,omitempty" doc:"While it runs"`
	Results           []RebuiltView            `json:"results" nullable:"false" doc:"Of the views that it is done with"`
	Error             string                   `json:"error,omitempty" doc:"Of those that failed, and what to do"`
	EndedAt           *time.Time               `json:"endedAt,omitempty"`
}

// RebuildProgress is how far a stage of a rebuild is.
type RebuildProgress struct {
	Stage       string  `json:"stage" example:"replay"`
	Done        int64   `json:"done" doc:"Events; rows when views are compared"`
	Total       int64   `json:"total,omitempty" doc:"Absent when it is not known"`
	Rate        float64 `json:"rate" doc:"Done in a second"`
	SecondsLeft float64 `json:"secondsLeft,omitempty"`
}

// RebuiltView is what became of one view.
type RebuiltView struct {
	View        string          `json:"view"`
	Version     int             `json:"version" doc:"That was built"`
	KeptVersion int             `json:"keptVersion,omitempty" doc:"That was live before; absent when it still is"`
	Replaced    bool            `json:"replaced,omitempty" doc:"The rows of the batch were replaced"`
	Position    string          `json:"position" doc:"At which both were compared"`
	Rows        int64           `json:"rows" doc:"Compared"`
	Different   int64           `json:"different" doc:"All rows that differ"`
	Differences []RowDifference `json:"differences" nullable:"false" doc:"The first of them"`
	SwapSeconds float64         `json:"swapSeconds,omitempty" doc:"How long the live tables were locked"`
}

// RowDifference is a row that differs.
type RowDifference struct {
	Table   string `json:"table"`
	Key     string `json:"key,omitempty" doc:"JSON; absent when the table itself differs"`
	Live    string `json:"live,omitempty" doc:"JSON of the columns that differ; absent: there is no such row"`
	Rebuilt string `json:"rebuilt,omitempty" doc:"The same, as the history says"`
}

func rebuildOf(r projections.RequestedRebuild) Rebuild {
	answer := Rebuild{
		ID: r.ID, Kind: "rebuild", Views: r.Views, Batch: r.Batch, From: r.From, AcceptDifferences: r.Accept, Reason: r.Reason,
		RequestedBy: r.By, RequestedAt: r.RequestedAt, State: r.State, Attempt: r.Attempt, Results: []RebuiltView{}, Error: r.Error, EndedAt: r.EndedAt,
	}
	if r.Rollback {
		answer.Kind = "rollback"
	}
	if p := r.Progress; p.Stage != "" {
		answer.Progress = &RebuildProgress{Stage: p.Stage, Done: p.Done, Total: p.Total, Rate: p.Rate(), SecondsLeft: p.Left().Seconds()}
	}
	for _, view := range r.Results {
		answer.Results = append(answer.Results, rebuiltOf(view))
	}
	return answer
}

func rebuiltOf(r projections.Rebuilt) RebuiltView {
	view := RebuiltView{
		View: r.View, Version: r.Version, KeptVersion: r.Kept, Replaced: r.Replaced, Position: r.Position.String(),
		Rows: r.Rows, Different: r.Different, Differences: []RowDifference{}, SwapSeconds: r.Swap.Seconds(),
	}
	for _, d := range r.Differences {
		view.Differences = append(view.Differences, RowDifference(d))
	}
	return view
}

// All of it needs the permission to write: what differs are rows of any view,
// the audit log among them.
func (s *server) registerRebuilds() {
	const path = "/v1/projections/rebuilds"
	const one = path + "/{id}"
	register(s, route{method: http.MethodPost, path: path, id: "requestRebuild", tag: "projections", needs: writeProjections, status: accepted,
		summary:     "Build views anew beside the live ones, compare, and swap",
		description: "It goes on by itself, in whichever process serves, also after a restart; Location names it. Each view is swapped in when it equals the live one, row for row at the same coordinates, or when differences are accepted. Nothing fires."}, s.requestRebuild)
	register(s, route{method: http.MethodGet, path: path, id: "listRebuilds", tag: "projections", needs: writeProjections,
		summary: "The latest rebuilds and rollbacks, newest first"}, s.listRebuilds)
	register(s, route{method: http.MethodGet, path: one, id: "getRebuild", tag: "projections", needs: writeProjections,
		summary: "A rebuild: how far it is, and what it found"}, s.getRebuild)
	register(s, route{method: http.MethodPost, path: one + "/cancel", id: "cancelRebuild", tag: "projections", needs: writeProjections, status: noContent,
		summary: "Cancel a rebuild", description: "The live views stay as they are. What was built stays too, and the next rebuild goes on with it."}, s.cancelRebuild)
	register(s, route{method: http.MethodPost, path: "/v1/projections/{view}/rollback", id: "rollbackProjection", tag: "projections", needs: writeProjections, status: accepted,
		summary: "Make the kept version of a view live again", description: "It is brought up to date first, and goes on by itself as a rebuild does; Location names it."}, s.rollbackProjection)
}

// started answers a request that goes on by itself.
type started struct {
	Location string `header:"Location" doc:"Path of the rebuild"`
	Body     Rebuild
}

func (s *server) requestRebuild(ctx context.Context, in *struct {
	Command
	Body NewRebuild
}) (*started, error) {
	b := in.Body
	return s.startRebuild(ctx, in.Command, projections.RebuildRequest{
		Views: b.Views, Batch: b.Batch, From: b.From, Accept: b.AcceptDifferences, Reason: b.Reason.Reason,
	})
}

func (s *server) rollbackProjection(ctx context.Context, in *struct {
	Command
	View string `path:"view" maxLength:"100" doc:"Its name"`
	Body Reason
}) (*started, error) {
	return s.startRebuild(ctx, in.Command, projections.RebuildRequest{
		Rollback: true, Views: []string{in.View}, From: projections.FromJournal, Reason: in.Body.Reason,
	})
}

func (s *server) startRebuild(ctx context.Context, command Command, request projections.RebuildRequest) (*started, error) {
	meta := command.meta(ctx)
	request.By = meta.Actor.Subject
	if err := projections.RequestRebuild(ctx, s.Views, meta.Command, request); err != nil {
		return nil, err
	}
	s.Log.Info("rebuild was asked for", "request", meta.RequestID, "rebuild", meta.Command, "subject", request.By, "reason", request.Reason)
	found, err := projections.FindRebuild(ctx, s.Views, meta.Command.String())
	return &started{Location: "/v1/projections/rebuilds/" + meta.Command.String(), Body: rebuildOf(found)}, err
}

// latestRebuilds are as many as are listed: there are few, and who looks wants
// the last ones.
const latestRebuilds = 100

func (s *server) listRebuilds(ctx context.Context, _ *struct{}) (*listed[Rebuild], error) {
	found, err := projections.Rebuilds(ctx, s.Views, latestRebuilds)
	return whole(found, rebuildOf), err
}

// RebuildID is the part of inputs that name a rebuild.
type RebuildID struct {
	ID string `path:"id" maxLength:"100" doc:"Of the rebuild"`
}

func (s *server) getRebuild(ctx context.Context, in *RebuildID) (*struct{ Body Rebuild }, error) {
	found, err := projections.FindRebuild(ctx, s.Views, in.ID)
	return &struct{ Body Rebuild }{rebuildOf(found)}, err
}

func (s *server) cancelRebuild(ctx context.Context, in *struct {
	RebuildID
	Command
}) (*struct{}, error) {
	return nil, projections.CancelRebuild(ctx, s.Views, in.ID)
}
