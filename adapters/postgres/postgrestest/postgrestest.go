// Package postgrestest gives each test a schema of its own on the PostgreSQL
// that `make test` starts. A database each, copied from a template, was tried:
// PostgreSQL worked a third to a half longer for a short test.
package postgrestest

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/postgres"
)

// Variable holds the URL of the test server.
const Variable = "WAYBILL_TEST_POSTGRES"

// connections of a test: each prepares its statements anew. With 20 PostgreSQL
// worked two fifths longer.
const connections = 6

// New makes a migrated schema, dropped when the test ends, and a pool on it.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool := Empty(t)
	if err := postgres.Migrate(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	return pool
}

// Empty makes a schema without tables, dropped when the test ends, and a pool on
// it.
func Empty(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), URL(t), "test", connections)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// URL makes an empty schema, dropped when the test ends, and gives the URL of
// connections that work in it.
func URL(t testing.TB) string {
	t.Helper()
	base := os.Getenv(Variable)
	if base == "" {
		t.Fatalf("%s is not set: run the tests by `make test`, which starts PostgreSQL", Variable)
	}
	schema := "t_" + strings.ToLower(rand.Text()[:12])
	execute(t, base, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { execute(t, base, "DROP SCHEMA "+schema+" CASCADE") })
	separator := "?"
	if strings.Contains(base, "?") {
		separator = "&"
	}
	return base + separator + "search_path=" + schema
}

func execute(t testing.TB, url, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	connection, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(ctx) }()
	if _, err := connection.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}
