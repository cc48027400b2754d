package commands

import (
	"context"

	"github.com/waybill-migration/waybill/domain/batch"
)

// Statuses of a check.
const (
	CheckOK      = "ok"
	CheckWarning = "warning" // it works, or cannot be told, and needs a look
	CheckFailed  = "failed"
)

// Check is one thing that must work to read a source.
type Check struct {
	Step   string // dns, connect, tls, secret, credentials, clock, page, fields
	Target string // token or data, when it is of one of the URLs
	Status string
	Code   string // stable, for programs
	Detail string // in plain words, without anything that the source answered
	Remedy string // empty when it works
}

// SourceChecker tries to read a source: the token and one page of a period.
type SourceChecker interface {
	Check(ctx context.Context, plan Plan, period batch.Slice) []Check
}
