package embedded_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/embedded"
)

func TestMain(m *testing.M) {
	embedded.RunKeeper()
	os.Exit(m.Run())
}

func TestPostgresKeepsItsDataOverRestarts(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "waybill-embedded-test-") // reachable for the server's user, as t.TempDir is not
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // the server's user passes through it
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	dir = filepath.Join(dir, "postgres")
	for i, statement := range []string{`CREATE TABLE kept (n int)`, `INSERT INTO kept VALUES (1)`} {
		server, err := embedded.StartPostgres(t.Context(), dir, map[string]string{"shared_buffers": "64MB"})
		require.NoError(t, err)
		connection, err := pgx.Connect(t.Context(), server.URL())
		require.NoError(t, err, i)
		_, err = connection.Exec(t.Context(), statement)
		require.NoError(t, err)
		require.NoError(t, connection.Close(t.Context()))
		require.NoError(t, server.Stop())
		_, err = pgx.Connect(t.Context(), server.URL())
		require.Error(t, err, "stopped")
	}
}

func TestPostgresRecoversFromACrash(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "waybill-embedded-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // the server's user passes through it
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server, err := embedded.StartPostgres(t.Context(), filepath.Join(dir, "postgres"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() })
	connection, err := pgx.Connect(t.Context(), server.URL())
	require.NoError(t, err)
	_, err = connection.Exec(t.Context(), `CREATE TABLE kept AS SELECT 7 AS n`)
	require.NoError(t, err)

	require.NoError(t, server.Crash())
	require.Error(t, connection.Ping(t.Context()), "the connection broke")
	_, err = pgx.Connect(t.Context(), server.URL())
	require.Error(t, err, "nobody listens")

	require.NoError(t, server.Restart())
	connection, err = pgx.Connect(t.Context(), server.URL())
	require.NoError(t, err, "at the same address")
	var n int
	require.NoError(t, connection.QueryRow(t.Context(), `SELECT n FROM kept`).Scan(&n))
	require.Equal(t, 7, n)
	require.NoError(t, connection.Close(t.Context()))
}

func TestOneBrokerADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broker, err := embedded.StartBroker(dir, 0)
	require.NoError(t, err)
	_, err = embedded.StartBroker(dir, 0)
	require.ErrorContains(t, err, "another process")
	require.NoError(t, broker.Close())
	broker, err = embedded.StartBroker(dir, 0)
	require.NoError(t, err)
	require.NotEmpty(t, broker.Address())
	require.NoError(t, broker.Close())
}
