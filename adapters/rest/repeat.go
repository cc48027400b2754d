package rest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Repeats knows the requests that clients named, for a day.
type Repeats interface {
	Claim(ctx context.Context, name, digest [32]byte) (commands.Claim, error)
	Keep(ctx context.Context, name [32]byte, command wire.UUID, answer []byte) (kept []byte, err error)
}

// Command is the part that all commands' inputs share.
type Command struct {
	Key string `header:"Idempotency-Key" maxLength:"200" doc:"Any text that names this one request, such as a UUID, for 24 hours. The same request sent again with it gives the same answer and has no second effect; another one is refused with 409"`
}

func (c Command) key() string { return c.Key }

// meta says who asks, and by which request.
func (c Command) meta(ctx context.Context) wire.Metadata {
	r := requestOf(ctx)
	if r.command == (wire.UUID{}) {
		r.command = wire.UUID(uuid.New())
	}
	return wire.Metadata{Command: r.command, RequestID: r.id, CorrelationID: r.correlation, TraceParent: r.traceParent, Actor: r.actor}
}

// kept is an answer as it is stored: what the handler gave, or refused.
type kept[O any] struct {
	Answer  *O       `json:"answer,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// once handles a request, and answers one that has a name as it was answered
// before. A request whose answer was lost, by a crash or because it is under
// way, is handled again as the same command: that has no second effect, and
// needs no one to wait.
func once[I, O any](ctx context.Context, s *server, op route, in *I, handle func(context.Context, *I) (*O, error)) (*O, error) {
	command, ok := any(in).(interface{ key() string })
	if !ok || command.key() == "" {
		return handle(ctx, in)
	}
	r := requestOf(ctx)
	name := r.named(command.key())
	asked, err := json.Marshal(in) // its headers too: with another If-Match it is another request
	if err != nil {
		return nil, err
	}
	claim, err := s.Repeats.Claim(ctx, name, sha256.Sum256(asked))
	if err != nil {
		return nil, err
	}
	r.command = claim.Command
	if claim.Answer != nil {
		return replay[O](claim.Answer)
	}
	answer, err := handle(ctx, in)
	if op.secret && err == nil {
		return answer, nil
	}
	found := kept[O]{Answer: answer}
	if err != nil {
		if found.Problem, _ = problemOf(err); !final(found.Problem) {
			return nil, err
		}
		found.Answer = nil
	}
	content, err := json.Marshal(found)
	if err != nil {
		return nil, err
	}
	if content, err = s.Repeats.Keep(ctx, name, claim.Command, content); err != nil {
		return nil, err
	}
	return replay[O](content)
}

// named is the request as its sender named it. What one who is restricted to
// organisations was answered is not what the same subject is answered who is
// restricted to others, or to none.
func (r *request) named(key string) [32]byte {
	parts := append([]string{r.actor.Issuer, r.actor.Subject, r.method, r.path, key}, r.organizations...)
	return sha256.Sum256([]byte(strings.Join(parts, "\x00")))
}

func replay[O any](content []byte) (*O, error) {
	var k kept[O]
	if err := json.Unmarshal(content, &k); err != nil {
		return nil, err
	}
	if k.Problem != nil {
		return nil, k.Problem
	}
	return k.Answer, nil
}

// final tells that a problem is an answer, and not a call to try again.
func final(p *Problem) bool {
	return p.Status < http.StatusInternalServerError && p.Code != "too-busy"
}
