package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// change is what commands that change something share.
type change struct {
	reason, key string
}

func (ch *change) flags(c *cobra.Command) {
	c.Flags().StringVar(&ch.reason, "reason", "", "why; the audit log keeps it (required)")
	ch.keyFlag(c)
}

func (ch *change) keyFlag(c *cobra.Command) {
	c.Flags().StringVar(&ch.key, "idempotency-key", "", "names this one request: run again with it within a day, it has no second effect; else a new one each run")
}

// outcome of a command.
type outcome struct {
	Position string
	Changed  bool
}

// order sends a command with its reason, and says what became of it.
func (ch *change) order(ctx context.Context, s *session, path, what string, more map[string]any) error {
	answer, err := ch.post(ctx, s, path, what, more)
	if err != nil {
		return err
	}
	var o outcome
	return s.answer(answer, &o, func() error { return o.tell(s, what) })
}

// post a command with its reason, and with more.
func (ch *change) post(ctx context.Context, s *session, path, what string, more map[string]any) (*client.Answer, error) {
	if ch.reason == "" {
		return nil, usage("--reason must say why; the audit log keeps it")
	}
	body := map[string]any{"reason": ch.reason}
	maps.Copy(body, more)
	answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: path, Body: body})
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return answer, err
}

// send a command under the key that was given, or one of its own.
func (ch *change) send(ctx context.Context, s *session, r client.Request) (*client.Answer, error) {
	if r.Key = ch.key; r.Key == "" {
		r.Key = rand.Text()
	}
	return s.Do(ctx, r)
}

func (o outcome) tell(s *session, what string) error {
	text := "done"
	if !o.Changed {
		text = "it was so already"
	}
	_, err := fmt.Fprintf(s.out, "%s: %s, position %s\n", what, text, o.Position)
	return err
}
