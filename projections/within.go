package projections

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
)

// foreign is the condition that a batch b ever held a document of an
// organisation that is not one of $1. An item without an organisation is none:
// it came with what these were asked for.
const foreign = `EXISTS (SELECT FROM document_totals t WHERE t.batch = b.number AND t.organization <> '' AND t.organization <> ALL ($1::text[]))`

// wholly is the condition that a batch b is all of the organisations $1: its
// scope names some of them, and nothing else came.
const wholly = `jsonb_typeof(b.scope->'organizations') = 'array' AND b.scope->'organizations' <> '[]' AND b.scope->'organizations' <@ to_jsonb($1::text[]) AND NOT ` + foreign

// HoldsOthers tells whether a batch ever held a document of an organisation
// that is not one of these.
func HoldsOthers(ctx context.Context, q Querier, number string, within domain.Organizations) (bool, error) {
	rows, err := q.Query(ctx, `SELECT `+foreign+` FROM (SELECT $2::text AS number) b`, within, number)
	if err != nil {
		return false, err
	}
	return one(rows, pgx.RowTo[bool], "batch", number)
}
