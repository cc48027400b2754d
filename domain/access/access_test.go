package access_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/spec"
)

var accesses = spec.Aggregate[access.State, access.Command, access.Event]{
	Decide: access.Decide, Evolve: access.Evolve, Version: func(s access.State) int { return s.Version },
}

func TestATokenIsIssuedAndRevokedOnce(t *testing.T) {
	t.Parallel()
	issue := access.IssueToken{ID: "0123456789abcdef", Subject: "erp", Roles: []string{"reader"}, ExpiresAt: "2026-01-01T00:00:00Z"}
	revoke := access.RevokeToken{ID: issue.ID, Subject: "erp"}
	accesses.Given(t).When(issue).Then(access.TokenIssued(issue)).
		When(issue).ThenNothing().
		When(revoke).Then(access.TokenRevoked(revoke)).
		When(revoke).ThenNothing()
}

// Tokens are older than their records.
func TestATokenFromBeforeIsRevoked(t *testing.T) {
	t.Parallel()
	revoke := access.RevokeToken{ID: "0123456789abcdef", Subject: "erp"}
	accesses.Given(t).When(revoke).Then(access.TokenRevoked(revoke)).When(revoke).ThenNothing()
}

func TestAnExportSaysWhatWasSent(t *testing.T) {
	t.Parallel()
	begin := access.BeginExport{Format: access.CSV, Filter: access.Filter{Batch: "B1", Types: []string{"waybill.batch.created.v1"}}, After: "3:7", Until: map[int]int64{0: 5, 3: 9}}
	begun := accesses.Given(t).When(begin).Then(access.ExportBegun(begin))
	begun.When(begin).ThenNothing()
	begun.When(access.EndExport{Rows: 2, Complete: true, Last: "3:9"}).
		Then(access.ExportEnded{Batch: "B1", Rows: 2, Complete: true, Last: "3:9"}).
		When(access.EndExport{Rows: 3}).ThenNothing()
	long := strings.Repeat("影", 2000)
	begun.When(access.EndExport{Rows: 1, Last: "3:8", Reason: long}).
		Then(access.ExportEnded{Batch: "B1", Rows: 1, Last: "3:8", Reason: domain.Truncate(long)})
	accesses.Given(t).When(access.EndExport{Complete: true}).ThenRefused(domain.Conflict, "export-not-begun")
}

func TestRefusalsAreRecordedWithinBounds(t *testing.T) {
	t.Parallel()
	refused := access.CommandRefused{Operation: "cancelBatch", Method: "POST", Path: "/v1/batches/B1/cancel", Batch: "B1", Status: 409, Code: "batch-cancelled", Detail: "it is cancelled"}
	accesses.Given(t).When(access.RefuseCommand{CommandRefused: refused}).Then(refused).
		When(access.RefuseCommand{CommandRefused: refused}).ThenNothing()
	long := refused
	long.Path, long.Detail = strings.Repeat("a", 5000), strings.Repeat("b", 500_000)
	cut := refused
	cut.Path, cut.Detail = domain.TruncateTo(long.Path, 1000), domain.Truncate(long.Detail)
	accesses.Given(t).When(access.RefuseCommand{CommandRefused: long}).Then(cut)

	counted := access.RefusalsCounted{Count: 3, First: "2025-03-01T08:00:00Z", Last: "2025-03-01T08:00:59Z", Codes: map[string]int{"batch-cancelled": 3}}
	accesses.Given(t).When(access.CountRefusals{RefusalsCounted: counted}).Then(counted).
		When(access.CountRefusals{RefusalsCounted: counted}).ThenNothing()
}

// Whatever is recorded, recording it again does nothing.
func TestAnySequenceOfCommands(t *testing.T) {
	t.Parallel()
	texts := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 }))
	rapid.Check(t, func(t *rapid.T) {
		command := rapid.Custom(func(t *rapid.T) access.Command {
			text := texts.Draw(t, "text")
			return rapid.SampledFrom([]access.Command{
				access.IssueToken{ID: text, Subject: text, Roles: []string{text}}, access.RevokeToken{ID: text, Subject: text},
				access.BeginExport{Format: access.NDJSON, Filter: access.Filter{Operator: text}, Until: map[int]int64{0: 1}},
				access.EndExport{Rows: rapid.Int64Min(0).Draw(t, "rows"), Reason: text},
				access.RefuseCommand{CommandRefused: access.CommandRefused{Method: "POST", Path: text, Status: 409, Code: "x", Detail: text}},
				access.CountRefusals{RefusalsCounted: access.RefusalsCounted{Count: 1, First: text, Last: text, Codes: map[string]int{"x": 1}}},
			}).Draw(t, "command")
		})
		past := accesses.Given(t)
		for _, c := range rapid.SliceOfN(command, 1, 12).Draw(t, "commands") {
			if o := past.When(c); o.Err == nil {
				past = o.Past()
				past.When(c).ThenNothing()
			}
		}
	})
}
