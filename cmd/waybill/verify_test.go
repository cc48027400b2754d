package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/verification"
)

// verified is an installation with one finished batch, stopped, with Kafka
// holding all of it.
type verified struct {
	*installation
	settings settings
	number   string
	records  []wire.Record
}

func newVerified(t *testing.T) *verified {
	config := sound(60)
	v := &verified{installation: newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))}
	environment := v.env
	var err error
	v.settings, err = readSettings(environment, []role{relay})
	require.NoError(t, err)
	waybill := v.start("all")
	v.ready()
	v.number = v.create(config)
	v.eventually("the batch finishes", func() error {
		b, err := v.overview(v.number)
		if err == nil && b.FinishedAt == nil {
			err = errNone
		}
		v.passes("while the installation works")
		return err
	})
	v.eventually("the relay has sent all", func() error {
		relayed, err := carried{pool: v.pool}.Relayed(t.Context())
		heads, headsErr := v.journal.Heads(t.Context())
		if err == nil && headsErr == nil && !relayed.Reached(heads) {
			err = errNone
		}
		return errors.Join(err, headsErr)
	})
	require.NoError(t, waybill.stop())
	v.records = v.history()
	_, err = v.pool.Exec(t.Context(), `CREATE TABLE saved_journal AS TABLE journal; CREATE TABLE saved_heads AS TABLE journal_heads`)
	require.NoError(t, err)
	return v
}

func (v *verified) verify(views string) verification.Report {
	v.t.Helper()
	r, err := verify(v.t.Context(), v.settings, verifyOptions{archive: "all", kafka: true, views: views, output: "text"}, io.Discard)
	require.NoError(v.t, err)
	return r
}

func (v *verified) passes(when string) {
	v.t.Helper()
	r := v.verify("all")
	require.Equal(v.t, len(r.Checks), r.Count(verification.Passed), "%s: %+v", when, r)
}

// finds verifies and gives where each violated check found something.
func (v *verified) finds() map[string][]string {
	v.t.Helper()
	found := map[string][]string{}
	for _, c := range v.verify("none").Checks {
		for _, f := range c.Findings {
			found[c.Name] = append(found[c.Name], f.Where)
			require.NotEmpty(v.t, f.Remedy)
		}
		require.EqualValues(v.t, c.Wrong, len(c.Findings))
	}
	return found
}

// corrupts changes the journal as only somebody with the database's rights
// can, for as long as a function takes.
func (v *verified) corrupts(sql string, arguments []any, while func()) {
	v.t.Helper()
	v.unguarded(sql, arguments...)
	while()
	v.unguarded(`DELETE FROM journal`)
	v.unguarded(`INSERT INTO journal SELECT * FROM saved_journal`)
	v.unguarded(`UPDATE journal_heads h SET head = s.head FROM saved_heads s WHERE s.partition = h.partition`)
}

func (v *verified) unguarded(sql string, arguments ...any) {
	v.t.Helper()
	require.NoError(v.t, pgx.BeginFunc(v.t.Context(), v.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(v.t.Context(), `ALTER TABLE journal DISABLE TRIGGER USER`); err != nil {
			return err
		}
		if _, err := tx.Exec(v.t.Context(), sql, arguments...); err != nil {
			return err
		}
		_, err := tx.Exec(v.t.Context(), `ALTER TABLE journal ENABLE TRIGGER USER`)
		return err
	}))
}

// rewrites puts other bytes in the place of a record.
func (v *verified) rewrites(r wire.Record, old, replacement string, while func()) {
	v.t.Helper()
	changed := bytes.Replace(r.Bytes, []byte(old), []byte(replacement), 1)
	require.NotEqual(v.t, r.Bytes, changed)
	v.corrupts(`UPDATE journal SET record = $1 WHERE event_id = $2`, []any{changed, r.ID}, while)
}

func where(r wire.Record) string { return fmt.Sprintf("%d/%d", r.Partition, r.Offset) }

// migrations are the records of the migrated documents.
func (v *verified) migrations() (records []wire.Record) {
	for _, r := range v.records {
		if _, ok := r.Event.(document.Migrated); ok {
			records = append(records, r)
		}
	}
	return records
}

func TestVerifyNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	v := newVerified(t)
	migrated := v.migrations()
	require.Len(t, migrated, 60)
	last := migrated[0]
	first := v.records[slices.IndexFunc(v.records, func(r wire.Record) bool { return r.Stream == last.Stream })]
	require.Equal(t, 1, first.Version)

	r := v.verify("all")
	require.Equal(t, len(r.Checks), r.Count(verification.Passed), "%+v", r)
	checked := map[string]int64{}
	for _, c := range r.Checks {
		checked[c.Name] = c.Checked
	}
	files := 0
	for _, m := range migrated {
		files += len(m.Event.(document.Migrated).Files)
	}
	events := int64(len(v.records))
	require.Equal(t, map[string]int64{
		"journal guards": 0, "journal offsets": events, "journal records": events, "events": events, "kafka": events,
		"stream versions": v.count(`SELECT count(DISTINCT stream) FROM journal`), "closure": 1, "overview": 1, "views": v.viewRows(), "archive": int64(60 + 60 + files),
	}, checked)

	t.Run("exit codes and output", func(t *testing.T) { v.commands(t) })
	t.Run("a record removed", func(t *testing.T) {
		v.corrupts(`DELETE FROM journal WHERE event_id = $1`, []any{first.ID}, func() {
			require.Equal(t, map[string][]string{
				"journal offsets": {where(first)}, "stream versions": {first.Stream + "/2"}, "kafka": {where(first)},
			}, v.finds())
		})
	})
	t.Run("a stream removed", func(t *testing.T) {
		v.corrupts(`DELETE FROM journal WHERE stream = $1`, []any{last.Stream}, func() {
			found := v.finds()
			require.Contains(t, found["journal offsets"], where(first))
			require.Contains(t, found["kafka"], where(last))
			require.Equal(t, []string{v.number}, found["closure"])
			require.Equal(t, []string{v.number}, found["overview"])
		})
	})
	t.Run("bytes that belie their place", func(t *testing.T) {
		v.rewrites(first, `"streamversion":1`, `"streamversion":7`, func() {
			require.Equal(t, map[string][]string{"journal records": {where(first)}, "kafka": {where(first)}}, v.finds())
		})
	})
	t.Run("a time that goes back", func(t *testing.T) {
		v.rewrites(last, last.Time.UTC().Format(wire.TimeFormat), "2001-01-01T00:00:00.000000Z", func() {
			require.Equal(t, map[string][]string{"journal offsets": {where(last)}, "kafka": {where(last)}}, v.finds())
		})
	})
	t.Run("a head too high", func(t *testing.T) {
		v.corrupts(`UPDATE journal_heads SET head = head + 5 WHERE partition = $1`, []any{first.Partition}, func() {
			require.Equal(t, map[string][]string{"journal offsets": {fmt.Sprintf("%d/%d", first.Partition, v.head(first.Partition)-4)}}, v.finds())
		})
	})
	t.Run("a head too low", func(t *testing.T) {
		v.corrupts(`UPDATE journal_heads SET head = head - 1 WHERE partition = 0`, nil, func() {
			require.Equal(t, map[string][]string{"journal offsets": {fmt.Sprintf("0/%d", v.head(0)+1)}, "overview": {"partition 0"}}, v.finds())
		})
	})
	t.Run("a version left out", func(t *testing.T) {
		v.corrupts(`UPDATE journal SET version = version + 10 WHERE event_id = $1`, []any{last.ID}, func() {
			require.Equal(t, map[string][]string{"stream versions": {fmt.Sprintf("%s/%d", last.Stream, last.Version+10)}, "journal records": {where(last)}}, v.finds())
		})
	})
	t.Run("a stream in another partition", func(t *testing.T) {
		v.corrupts(`UPDATE journal SET partition = 0, "offset" = $2 WHERE event_id = $1`, []any{last.ID, v.head(0) + 1}, func() {
			require.Equal(t, []string{where(last)}, v.finds()["kafka"], "the walk ends at the heads of its start")
		})
	})
	t.Run("an unknown type", func(t *testing.T) {
		v.rewrites(last, "waybill.document.migrated.v1", "waybill.document.migrated.v9", func() {
			require.Equal(t, map[string][]string{"events": {where(last)}, "kafka": {where(last)}}, v.finds())
		})
	})
	t.Run("an event of another aggregate", func(t *testing.T) {
		v.rewrites(last, "waybill.document.migrated.v1", "waybill.batch.paused.v1", func() {
			require.Equal(t, map[string][]string{"events": {where(last)}, "kafka": {where(last)}}, v.finds())
		})
	})
	t.Run("an event that does not fit its stream", func(t *testing.T) {
		v.rewrites(last, `"statusBefore":"pending"`, `"statusBefore":"failed"`, func() {
			require.Equal(t, map[string][]string{"events": {where(last)}, "kafka": {where(last)}}, v.finds())
		})
	})
	t.Run("a guard switched off", func(t *testing.T) {
		v.exec(`ALTER TABLE journal DISABLE TRIGGER journal_append_only`)
		require.Equal(t, map[string][]string{"journal guards": {"trigger journal_append_only"}}, v.finds())
		v.exec(`ALTER TABLE journal ENABLE TRIGGER journal_append_only`)
	})
	t.Run("a counter of the overview", func(t *testing.T) {
		v.exec(`UPDATE batches SET files_migrated = files_migrated + 1`)
		require.Equal(t, map[string][]string{"overview": {v.number}}, v.finds())
		v.exec(`UPDATE batches SET files_migrated = files_migrated - 1`)
	})
	t.Run("the archive", func(t *testing.T) { v.archiveCases(t, migrated) })
	t.Run("views", func(t *testing.T) { v.viewCases(t) })
	t.Run("Kafka", func(t *testing.T) { v.kafkaCases(t) })
	v.passes("when all is put back")
}

func (v *verified) count(sql string) (n int64) {
	v.t.Helper()
	require.NoError(v.t, v.pool.QueryRow(v.t.Context(), sql).Scan(&n))
	return n
}

func (v *verified) exec(sql string) {
	v.t.Helper()
	_, err := v.pool.Exec(v.t.Context(), sql)
	require.NoError(v.t, err)
}

func (v *verified) head(partition int) int64 {
	v.t.Helper()
	heads, err := v.journal.Heads(v.t.Context())
	require.NoError(v.t, err)
	return heads[partition]
}

// archiveCases changes objects, one at a time.
func (v *verified) archiveCases(t *testing.T, migrated []wire.Record) {
	event := migrated[0].Event.(document.Migrated)
	key := event.Files[0].Stored.Key
	path := filepath.Join(v.archive, filepath.FromSlash(key))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := bytes.Clone(content)
	changed[len(changed)/2] ^= 1
	only := map[string][]string{"archive": {key}}

	require.NoError(t, os.Remove(path))
	require.Equal(t, only, v.finds(), "missing")
	for what, other := range map[string][]byte{"changed": changed, "cut short": content[:len(content)-1], "empty": {}} {
		require.NoError(t, os.WriteFile(path, other, 0o600))
		require.Equal(t, only, v.finds(), what)
	}
	require.NoError(t, os.WriteFile(path, content, 0o600))

	manifest := func(s domain.Stored) string {
		encoded, err := json.Marshal(s)
		require.NoError(t, err)
		return string(encoded)
	}
	other := migrated[1].Event.(document.Migrated).Manifest
	v.rewrites(migrated[0], manifest(event.Manifest), manifest(other), func() {
		require.Equal(t, map[string][]string{"archive": {other.Key}, "kafka": {where(migrated[0])}}, v.finds(), "a manifest of another document")
	})
}

func set(all []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range all {
		m[s] = true
	}
	return m
}

// commands runs the command itself: what it prints and what it ends with.
func (v *verified) commands(t *testing.T) {
	out, err := v.run("verify", "--archive", "20", "--seed", "7")
	require.NoError(t, err, out)
	require.Contains(t, out, "\nOK\n")
	require.Contains(t, out, "drawn with seed 7")

	v.exec(`UPDATE batches SET migrated = migrated + 1`)
	out, err = v.run("verify", "--archive", "none", "--kafka=false", "--views", "none", "-o", "json")
	v.exec(`UPDATE batches SET migrated = migrated - 1`)
	require.EqualValues(t, exitViolated, code(err), out)
	var r verification.Report
	require.NoError(t, json.NewDecoder(strings.NewReader(out[strings.Index(out, "{"):])).Decode(&r), out) // behind the progress
	require.Equal(t, 1, r.Count(verification.Violated))
	require.Equal(t, 3, r.Count(verification.Skipped), "Kafka, the views and the archive")

	brokers := v.env["WAYBILL_KAFKA_BROKERS"]
	v.env["WAYBILL_KAFKA_BROKERS"] = "127.0.0.1:1"
	out, err = v.run("verify", "--archive", "none")
	v.env["WAYBILL_KAFKA_BROKERS"] = brokers
	require.EqualValues(t, exitUnchecked, code(err), out)
	require.Regexp(t, `kafka +unchecked`, out)
	out, err = v.run("verify", "--archive", "some")
	require.EqualValues(t, exitUnchecked, code(err), out)
}

// code that a process ended with.
func code(err error) int {
	var own exit
	if errors.As(err, &own) {
		return own.code
	}
	var ended interface{ ExitCode() int }
	if errors.As(err, &ended) {
		return ended.ExitCode()
	}
	return 0
}
