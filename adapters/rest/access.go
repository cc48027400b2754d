package rest

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// permission that an operation needs.
type permission string

const (
	readSources      permission = "sources:read"
	writeSources     permission = "sources:write"
	readBatches      permission = "batches:read" // and their slices
	writeBatches     permission = "batches:write"
	readDocuments    permission = "documents:read" // and their files
	writeDocuments   permission = "documents:write"
	explainDocuments permission = "documents:explain"
	readOperations   permission = "operations:read"
	readHistory      permission = "history:read"
	readAudit        permission = "audit:read"
	exportAudit      permission = "audit:export"
	readEvents       permission = "events:read"
	readTokens       permission = "tokens:read"
	writeTokens      permission = "tokens:write"
	readWebhooks     permission = "webhooks:read" // and their deliveries
	writeWebhooks    permission = "webhooks:write"
	readProfiles     permission = "profiles:read" // and the table of rules
	writeProfiles    permission = "profiles:write"
	readApprovals    permission = "approvals:read"
	decideApprovals  permission = "approvals:decide" // of acts for which one has the permission
	readProjections  permission = "projections:read"
	writeProjections permission = "projections:write"
	ownSession       permission = "session:own" // to know who one is
)

// grants is which roles have a permission.
var grants = map[permission][]string{
	readSources:      {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	readBatches:      {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	readDocuments:    {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	readOperations:   {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	writeBatches:     {commands.RoleOperator, commands.RoleAdmin},
	writeDocuments:   {commands.RoleOperator, commands.RoleAdmin},
	explainDocuments: {commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	readHistory:      {commands.RoleAuditor, commands.RoleAdmin},
	readAudit:        {commands.RoleAuditor, commands.RoleAdmin},
	exportAudit:      {commands.RoleAuditor, commands.RoleAdmin},
	readEvents:       {commands.RoleAuditor, commands.RoleAdmin},
	writeSources:     {commands.RoleAdmin},
	readTokens:       {commands.RoleAdmin},
	writeTokens:      {commands.RoleAdmin},
	readWebhooks:     {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	writeWebhooks:    {commands.RoleAdmin},
	readProfiles:     {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	writeProfiles:    {commands.RoleAdmin},
	readApprovals:    {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	decideApprovals:  {commands.RoleOperator, commands.RoleAdmin},
	readProjections:  {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	writeProjections: {commands.RoleAdmin},
	ownSession:       {commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
}

func allowed(actor domain.Actor, needs permission) bool {
	return slices.ContainsFunc(grants[needs], func(role string) bool { return slices.Contains(actor.Roles, role) })
}

// admit lets a request of a known subject with the permission through, and
// keeps who called from where when that is to be kept. Whose body says who asks
// is let through to be asked there.
func (s *server) admit(op route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(ctx)
		r := requestOf(ctx.Context())
		r.operation, r.body = op.id, op.body()
		var err error
		if op.login {
			err = refuseForeign(c.Request)
		} else {
			err = s.check(ctx.Context(), op, c.Request, ctx.Param("number"))
		}
		if err != nil {
			refuse(c, fail(ctx.Context(), err))
			return
		}
		next(ctx)
	}
}

func (s *server) check(ctx context.Context, op route, sent *http.Request, number string) (err error) {
	r := requestOf(ctx)
	if r.shown, err = shownBy(sent); err != nil {
		return err
	}
	if err := s.enter(ctx, op); err != nil {
		return err
	}
	if err := s.confine(ctx, op, number); err != nil {
		return err
	}
	if op.method == http.MethodGet && !slices.Contains(recordedReads, op.needs) {
		return nil
	}
	return s.keep(ctx, r)
}

// enter as whoever the credentials are of, who must have the permission.
func (s *server) enter(ctx context.Context, op route) error {
	r := requestOf(ctx)
	if err := s.limiter.attempt(r.address, r.shown.tried(), func() error { return s.identify(ctx) }); err != nil {
		return err
	}
	if err := s.limiter.request(r.actor); err != nil {
		return err
	}
	return permit(r.actor, op.needs)
}

// recordedReads are recorded as commands are.
var recordedReads = []permission{readAudit, exportAudit, readEvents}

// permit refuses who may not do what they ask for.
func permit(actor domain.Actor, needs permission) error {
	if !allowed(actor, needs) {
		return newProblem(http.StatusForbidden, "permission-missing", "this needs the permission "+string(needs)+
			", which only these roles have: "+strings.Join(grants[needs], ", "))
	}
	return nil
}
