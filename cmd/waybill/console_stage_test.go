package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/jackc/pgx/v5"
)

// serveStage serves what happens behind the console while a browser looks at
// it: faults that nobody can cause by clicking.
func (i *installation) serveStage() string {
	var held pgx.Tx // of hold-view
	acts := map[string]func(context.Context) error{
		"stop-view": func(ctx context.Context) error {
			if err := i.exec(ctx, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'there is no room for this list'; END $$`); err != nil {
				return err
			}
			return i.exec(ctx, `CREATE TRIGGER refusing BEFORE INSERT ON lists FOR EACH ROW EXECUTE FUNCTION refuse()`)
		},
		"mend-view":  func(ctx context.Context) error { return i.exec(ctx, `DROP FUNCTION refuse CASCADE`) },
		"alter-view": func(ctx context.Context) error { return i.exec(ctx, `UPDATE lists SET blank = 7 WHERE name = 'full'`) },
		"hold-view": func(ctx context.Context) (err error) {
			if held, err = i.pool.Begin(context.WithoutCancel(ctx)); err == nil {
				_, err = held.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE lists IN ACCESS EXCLUSIVE MODE`)
			}
			return err
		},
		"release-view": func(ctx context.Context) error { return held.Rollback(ctx) },
		// As if they had been tried for three days.
		"fail-deliveries": func(ctx context.Context) error {
			return i.exec(ctx, `UPDATE webhook_deliveries SET status = 'failed', ended_at = now(), next_attempt = NULL WHERE status = 'pending'`)
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		act, known := acts[r.URL.Path[1:]]
		err := fmt.Errorf("%s is no act", r.URL.Path)
		if known {
			err = act(r.Context())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	i.t.Cleanup(func() {
		server.Close()
		if held != nil {
			_ = held.Rollback(context.Background()) // else the pool is never closed
		}
	})
	return server.URL
}

func (i *installation) exec(ctx context.Context, sql string) error {
	_, err := i.pool.Exec(ctx, sql)
	return err
}
