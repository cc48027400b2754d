package main

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/verification"
)

// viewRows is how many rows the views have.
func (v *verified) viewRows() (n int64) {
	for _, view := range projections.Views() {
		for table := range view.Tables {
			n += v.count(`SELECT count(*) FROM ` + table)
		}
	}
	return n
}

// invented rows for tables that have none when all work is done.
var invented = map[string]string{
	"operations": `INSERT INTO operations (id, kind, batch, filter, reason, status, selected, requested_at, requested_by, changed_at, version)
		VALUES ('op', 'retry', 'B', '{}', '', 'running', 1, now(), 'nobody', now(), 1)`,
	"operation_results":  `INSERT INTO operation_results VALUES ('op', 'document', 'failed', '', '')`,
	"operation_items":    `INSERT INTO operation_items VALUES ('op', 'document', 'done', '')`,
	"worklist_documents": `INSERT INTO worklist_documents VALUES ('document', 'B', 1, now())`,
	"verifications": `INSERT INTO verifications (id, batch, number, migrated, selected, reason, status, requested_at, requested_by, changed_at, version)
		VALUES ('B-V1', 'B', 1, 1, 1, '', 'running', now(), 'nobody', now(), 1)`,
	"verification_findings":  `INSERT INTO verification_findings VALUES ('B-V1', 'document', 1, 'missing', 'missing', 'key', '', '', 1, 1)`,
	"webhooks":               `INSERT INTO webhooks VALUES ('webhook-x', 'x', true, '', '{}', '{}', 1, now(), now(), 'nobody')`,
	"preflight_totals":       `INSERT INTO preflight_totals VALUES ('B', '', 'category', 'x', '', '', 1, 1, 1, 1)`,
	"failed_documents":       `INSERT INTO failed_documents VALUES ('B', 'document', '', 'f', '{}', now(), false)`,
	"coverage_organizations": `INSERT INTO coverage_organizations VALUES ('B', 'x', 'y')`,
	"skipped_files":          `INSERT INTO skipped_files VALUES ('B', 'document', 'f', '', '', '', '', '', '', '', '', now(), '')`,
	"profiles":               `INSERT INTO profiles VALUES ('x', 1, '{}', '', now(), 'nobody')`,
	"lists":                  `INSERT INTO lists VALUES ('x', 'imageNumber', '', 'A', 0, '', 0, 0, now(), 'nobody', 1)`,
	"list_entries":           `INSERT INTO list_entries VALUES ('x', '1', 0)`,
	"matches":                `INSERT INTO matches VALUES ('B', 'x')`,
	"match_absent":           `INSERT INTO match_absent VALUES ('B', '1')`,
	"match_unlisted":         `INSERT INTO match_unlisted VALUES ('B', 's', 'k', '1', '')`,
	"approvals": `INSERT INTO approvals (id, kind, batch, batch_version, documents, unlisted_slices, coordinates, alone, reason,
			requested_issuer, requested_by, requested_at, expires_at, status, version)
		VALUES ('x', 'cancel-batch', 'B', 0, 1, 0, '{}', 0, '', 'token', 'nobody', now(), now(), 'pending', 1)`,
}

// viewCases spoils a row in every table of every view: each is named, and a
// rebuild mends them all.
func (v *verified) viewCases(t *testing.T) {
	t.Cleanup(v.dropSiblings)
	expected := map[string]int{"documents": 2}
	for _, view := range projections.Views() {
		for table := range view.Tables {
			expected[table] = max(expected[table], 1)
			if sql, ok := invented[table]; ok {
				v.exec(sql)
			} else {
				v.exec(`DELETE FROM ` + table + ` WHERE ctid = (SELECT min(ctid) FROM ` + table + `)`)
			}
		}
	}
	v.exec(`UPDATE documents SET status = 'lost' WHERE stream = (SELECT max(stream) FROM documents)`)
	views := checkOf(t, v.verify("all"))
	require.Equal(t, verification.Violated, views.Outcome)
	found := map[string]int{}
	for _, f := range views.Findings {
		table, key, _ := strings.Cut(f.Where, " ")
		found[table]++
		require.Regexp(t, `^{".*}$`, key)
		require.Contains(t, f.Remedy, "waybill rebuild VIEW --accept-differences")
		if table == "documents" && strings.Contains(f.What, "lost") {
			require.Equal(t, `view documents: it is {"status":"lost"}, and the history says {"status":"migrated"}`, f.What)
		}
	}
	require.Equal(t, expected, found)
	require.EqualValues(t, len(views.Findings), views.Wrong)

	some := checkOf(t, v.verify("sources,audit"))
	require.EqualValues(t, 2, some.Wrong)
	require.Equal(t, "sources, audit", some.Note)
	out, err := v.run("rebuild", "--accept-differences")
	require.NoError(t, err, out)
	v.passes("after a rebuild")
	v.withoutCreate(t)
}

func checkOf(t *testing.T, r verification.Report) verification.Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == "views" {
			return c
		}
	}
	t.Fatal("the views are not in the report")
	return verification.Check{}
}

// withoutCreate: what could not be checked has not passed.
func (v *verified) withoutCreate(t *testing.T) {
	role := "r_" + strings.ToLower(rand.Text()[:10])
	v.exec(`CREATE ROLE ` + role)
	t.Cleanup(func() {
		_, err := v.pool.Exec(context.WithoutCancel(t.Context()), `DROP OWNED BY `+role+`; DROP ROLE `+role)
		require.NoError(t, err)
	})
	v.exec(`DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %1$I TO ` + role + `; GRANT SELECT ON ALL TABLES IN SCHEMA %1$I TO ` + role + `', current_schema()); END $$`)
	s := v.settings
	s.DatabaseURL += "&role=" + role
	o := verifyOptions{archive: "none", views: "all", output: "text"}
	r, err := verify(t.Context(), s, o, io.Discard)
	require.NoError(t, err)
	views := checkOf(t, r)
	require.Equal(t, verification.Unchecked, views.Outcome)
	require.Contains(t, views.Note, "run GRANT CREATE ON DATABASE")
	require.Equal(t, exitUnchecked, code(o.conclude(r, io.Discard)))
}
