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
