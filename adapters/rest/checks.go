package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
)

// wholeCheck bounds the check of a source; it is within the bound of requests.
const wholeCheck = 25 * time.Second

// SourceTrial says which period is listed to check a source.
type SourceTrial struct {
	From string `json:"from,omitempty" format:"date" maxLength:"10" doc:"YYYY-MM-DD; absent: 30 days before to"`
	To   string `json:"to,omitempty" format:"date" maxLength:"10" doc:"YYYY-MM-DD, a month after from at most; absent: today"`
}

// SourceReport is what works of a source, and what does not.
type SourceReport struct {
	Works  bool         `json:"works" doc:"No check failed"`
	Checks []CheckEntry `json:"checks" nullable:"false" doc:"In their order; what could not be tried any more is left out"`
}

// CheckEntry is one thing that must work to read a source.
type CheckEntry struct {
	Step   string `json:"step" enum:"dns,connect,tls,secret,credentials,clock,page,fields"`
	Target string `json:"target,omitempty" enum:"token,data" doc:"Of which URL"`
	Status string `json:"status" enum:"ok,warning,failed"`
	Code   string `json:"code" example:"certificate-invalid" doc:"Stable, for programs and translations"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty" doc:"What to do; absent when it works"`
}

func (s *server) registerChecks() {
	register(s, route{method: http.MethodPost, path: "/v1/sources/{id}/check", id: "checkSource", tag: "sources", needs: writeSources,
		summary: "Try whether a source can be read", description: "Asks for a token and for one page of a period, from the process that serves this request, and says what works and what does not. Nothing is changed and nothing that the source answered is repeated. A disabled source is tried too."}, s.checkSource)
}

func (s *server) checkSource(ctx context.Context, in *struct {
	SourceID
	Command
	Body SourceTrial
}) (*struct{ Body SourceReport }, error) {
	period, err := in.Body.period(time.Now())
	if err != nil {
		return nil, err
	}
	source, err := s.Handler.LoadSource(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, wholeCheck)
	defer cancel()
	report := SourceReport{Works: true, Checks: []CheckEntry{}}
	for _, c := range s.Checker.Check(ctx, commands.Plan{ID: source.ID, Settings: source.Settings}, period) {
		report.Checks = append(report.Checks, CheckEntry(c))
		report.Works = report.Works && c.Status != commands.CheckFailed
	}
	return &struct{ Body SourceReport }{report}, nil
}

// period to list: a month at most, which is what a source is asked for.
func (t SourceTrial) period(now time.Time) (batch.Slice, error) {
	to := now
	if t.To != "" {
		to, _ = time.Parse(time.DateOnly, t.To) // a date by its format
	}
	from := to.AddDate(0, 0, -30)
	if t.From != "" {
		from, _ = time.Parse(time.DateOnly, t.From)
	}
	switch {
	case to.Before(from):
		return batch.Slice{}, domain.RefuseInvalid("to", "period-reversed", "the period ends before it starts")
	case to.After(from.AddDate(0, 1, 0)):
		return batch.Slice{}, domain.RefuseInvalid("to", "period-too-long", "a month is listed at most")
	}
	return batch.Slice{From: from.Format(time.DateOnly), To: to.Format(time.DateOnly)}, nil
}
