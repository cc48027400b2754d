package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/access"
)

// refusalTimeout bounds the record of a refusal, whose client may be gone.
const refusalTimeout = 5 * time.Second

// auditRefusal puts a refused command into the audit log, and any request that
// its person may not make: before the client has the answer. Who sent no token
// that works is nobody, and stands in the log of the process alone. What came
// too fast was not looked at, and is to be sent again.
func (s *server) auditRefusal(ctx context.Context, r *request, c *gin.Context) {
	p, status := r.refusal, c.Writer.Status()
	if p == nil || r.actor.Subject == "" || status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || r.method == http.MethodGet && status != http.StatusForbidden {
		return
	}
	if !s.Refusals.Alone(r.actor, p.Code) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalTimeout)
	defer cancel()
	err := s.keep(ctx, r)
	if err == nil {
		err = s.Handler.RecordRefusal(ctx, Command{}.meta(ctx), access.CommandRefused{
			Operation: r.operation, Method: r.method, Path: withoutTokens(r.path), Batch: c.Param("number"), Status: status, Code: p.Code, Detail: p.Detail,
		})
	}
	if err != nil {
		s.Log.Error("a refused request is not in the audit log", "request", r.id, "code", p.Code, "error", err)
	}
}

// keep who called from where, once.
func (s *server) keep(ctx context.Context, r *request) error {
	if r.kept {
		return nil
	}
	r.kept = true
	return s.Requests.Record(ctx, commands.Request{ID: r.id, Subject: r.actor.Subject, Address: r.address, Method: r.method, Route: r.route})
}
