package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/client"
	"github.com/waybill-migration/waybill/deploy/servers"
)

func sound(documents int) simulator.Config {
	return simulator.Config{Seed: 3, Documents: documents, From: "2024-01-01", To: "2024-02-29", FileSize: 4000, MaxFiles: 3}
}

// Each role in a process of its own, two of them working: the batch ends as if
// one had done it all.
func TestRolesInProcessesOfTheirOwn(t *testing.T) {
	t.Parallel()
	config := sound(300)
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	i.env["WAYBILL_INSTANCE"] = ""
	var all []*child
	for _, role := range []string{"serve", "relay", "project", "work", "work"} {
		all = append(all, i.start(role))
	}
	i.ready()
	b := i.finished(i.create(config))
	require.Equal(t, "succeeded", b.Status)
	i.holds(b)
	i.migratedOnce()
	for _, c := range all {
		require.NoError(t, c.stop(), "an orderly end")
	}
	i.archiveIsWhole()
}

// The database is restored to an older point: nothing is appended, until
// recover has put back what Kafka holds.
func TestRecoverAfterARestoredDatabase(t *testing.T) {
	t.Parallel()
	config := sound(60)
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	waybill := i.start("all")
	i.ready()
	number := i.create(config)
	i.finished(number)
	before := i.history()
	require.NoError(t, waybill.stop())
	restoreOlder(t, i.pool)

	waybill = i.start("all")
	var refused *client.Problem
	i.eventually("the API answers that the journal is closed", func() error {
		err := i.api.Post(t.Context(), "/v1/batches", map[string]any{"source": presetID, "scope": map[string]any{"from": config.From, "to": config.To}}, nil)
		if !asProblem(err, &refused) || refused.Status != http.StatusServiceUnavailable {
			return err
		}
		return nil
	})
	require.ErrorContains(t, i.api.Get(t.Context(), "/readyz", nil), "503")
	waybill.kill()

	out, err := i.run("recover")
	require.NoError(t, err, out)
	require.Contains(t, out, "the journal has all that Kafka holds, and is open")
	require.ElementsMatch(t, before, i.history(), "the same bytes at the same coordinates")
	out, err = i.run("recover")
	require.NoError(t, err, "with nothing to do: %s", out)

	i.start("all")
	i.ready()
	require.NoError(t, i.api.Post(t.Context(), "/v1/batches/"+number+"/cancel", map[string]any{"reason": "test"}, nil))
}

// restoreOlder takes every partition back by some records, as a restored copy
// would be; only with the triggers off can that be done.
func restoreOlder(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for _, statement := range []string{
		`ALTER TABLE journal DISABLE TRIGGER ALL`,
		`UPDATE journal_heads SET head = greatest(head - 3, least(head, 1))`,
		`DELETE FROM journal j USING journal_heads h WHERE j.partition = h.partition AND j."offset" > h.head`,
		`ALTER TABLE journal ENABLE TRIGGER ALL`,
	} {
		_, err := pool.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
}

// An Apache Kafka of the test's own goes away in the middle of a batch:
// commands go on being accepted, and when it is back everything arrives.
func TestKafkaAway(t *testing.T) {
	t.Parallel()
	kafka, err := servers.NewKafka(t.Context(), filepath.Join(t.TempDir(), "kafka"))
	require.NoError(t, err)
	require.NoError(t, kafka.Start(t.Context()))
	t.Cleanup(func() { _ = kafka.Kill() })
	config := sound(200)
	i := newInstallation(t, config, kafka.Address())
	i.start("all")
	i.ready()
	first := i.create(config)
	i.eventually("documents are migrated", func() error {
		b, err := i.overview(first)
		if err == nil && b.Documents.Migrated == 0 {
			err = errNone
		}
		return err
	})
	require.NoError(t, kafka.Kill())
	var numbers []string
	for range 5 {
		numbers = append(numbers, i.create(config))
	}
	i.eventually("readiness names what is away", func() error {
		err := i.api.Get(t.Context(), "/readyz", nil)
		if err == nil {
			return errNone
		}
		return nil
	})
	require.NoError(t, kafka.Start(t.Context()))
	for _, number := range append(numbers, first) {
		b := i.finished(number)
		require.Equal(t, "succeeded", b.Status)
		require.Equal(t, 200, b.Documents.Migrated)
	}
	i.ready()
	i.archiveIsWhole()
}

// The two commands' first: the demo, as a user runs it.
func TestDemo(t *testing.T) {
	t.Parallel()
	i := &installation{t: t, env: map[string]string{}}
	out, err := i.run("demo", "--exit", "--documents", "500")
	require.NoError(t, err, out)
	require.Contains(t, out, " 0 failed, after")
	require.NotContains(t, out, "FAILED")
}
