package rest

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// route is an operation of the API, beside its input and its output.
type route struct {
	method, path string
	id           string // stable: clients are generated from it
	tag          string
	summary      string
	description  string
	needs        permission
	reach        reach         // for somebody who is restricted to organisations
	login        bool          // its body says who asks
	secret       bool          // its answer is shown once, and never kept
	status       int           // of success; 0: 200
	also         int           // another one, of the same answer; 0: none
	lasts        time.Duration // at most, when it may last longer than requestTimeout
	largest      int           // of its body in bytes, when it may be larger than maxBody
}

// body is how large its body may be.
func (op route) body() int { return max(op.largest, maxBody) }

// security is how one says who asks, by the API's document.
func (op route) security() []map[string][]string {
	if op.login {
		return []map[string][]string{}
	}
	return []map[string][]string{{bearer: {}}, {session: {}}}
}

// patience with its body.
func (op route) patience() time.Duration {
	if op.largest > 0 {
		return largeBodyTimeout
	}
	return bodyTimeout
}

// register makes an operation known. What its handler refuses is answered by
// the table of problems.
func register[I, O any](s *server, op route, handle func(context.Context, *I) (*O, error)) {
	if op.lasts > 0 {
		s.lasting[op.path] = op.lasts
	}
	if op.reach != closed {
		s.reaching[op.needs] = true
	}
	huma.Register(s.api, huma.Operation{
		Method: op.method, Path: op.path, OperationID: op.id, Tags: []string{op.tag}, Summary: op.summary, Description: op.description,
		DefaultStatus: op.status, MaxBodyBytes: int64(op.body()) + 1, // it refuses a body of as many bytes
		BodyReadTimeout: op.patience(),
		Security:        op.security(),
		Extensions:      map[string]any{"x-permission": string(op.needs), "x-roles": grants[op.needs], "x-organizations": op.reach.described()},
		Middlewares:     huma.Middlewares{s.admit(op)},
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := once(ctx, s, op, in, handle)
		if err != nil {
			return nil, fail(ctx, err)
		}
		return out, nil
	})
	if op.also != 0 {
		answers := s.api.OpenAPI().Paths[op.path].Post.Responses
		answer := *answers[strconv.Itoa(http.StatusOK)]
		answer.Description, answer.Headers = http.StatusText(op.also), maps.Clone(answer.Headers)
		answers[strconv.Itoa(op.also)] = &answer
	}
}

// IfMatch is the part of inputs that may name the version they are meant for.
type IfMatch struct {
	ETag string `header:"If-Match" maxLength:"11" pattern:"^\"[0-9]{1,9}\"$" patternDescription:"an ETag as it was answered" doc:"The ETag that was read. When it is another by now, nothing is done and the answer is 412"`
}

func (m IfMatch) version() *int {
	if m.ETag == "" {
		return nil
	}
	n, _ := strconv.Atoi(strings.Trim(m.ETag, `"`)) // up to nine digits by its pattern
	return &n
}

// MustMatch is the part of inputs that replace what they name. Sent blindly,
// such a request would undo what somebody else changed meanwhile.
type MustMatch struct {
	ETag string `header:"If-Match" maxLength:"11" pattern:"^(\"[0-9]{1,9}\"|\\*)$" patternDescription:"an ETag as it was answered, or *" doc:"The ETag that was read. When it is another by now, nothing is done and the answer is 412; without it, 428. * replaces whatever is there"`
}

func (m MustMatch) version() (*int, error) {
	switch m.ETag {
	case "":
		return nil, newProblem(http.StatusPreconditionRequired, "precondition-required",
			"this replaces all settings: send the ETag that you read as If-Match, or If-Match: * to replace whatever is there")
	case "*":
		return nil, nil
	}
	return IfMatch(m).version(), nil
}

func etag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// Reason is the body of commands that need nothing else.
type Reason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"Why; it is kept in the audit log"`
}

// Outcome of a command.
type Outcome struct {
	Position string `json:"position" example:"0:15,7:123" doc:"Give it to a read as after, and the answer includes what the command did"`
	Version  int    `json:"version" doc:"Of what was changed, as in its ETag"`
	Changed  bool   `json:"changed" doc:"False when what was asked for was so already"`
}

func outcomeOf(r commands.Result) Outcome {
	return Outcome{Position: r.Position.String(), Version: r.Version, Changed: r.Written}
}

// done answers a command that changed what there is.
type done struct {
	Position string `header:"Waybill-Position" doc:"Give it to a read as after"`
	ETag     string `header:"ETag" doc:"The version; send it as If-Match"`
	Body     Outcome
}

func doneOf(r commands.Result, err error) (*done, error) {
	if err != nil {
		return nil, err
	}
	body := outcomeOf(r)
	return &done{Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

// made answers a command that made something.
type made[B any] struct {
	Location string `header:"Location" doc:"Path of what was made"`
	Position string `header:"Waybill-Position" doc:"Give it to a read as after"`
	ETag     string `header:"ETag" doc:"The version; send it as If-Match"`
	Body     B
}

// read answers with one thing, as of a version.
type read[B any] struct {
	ETag     string `header:"ETag" doc:"The version; send it as If-Match. Absent when the past is shown"`
	Position string `header:"Waybill-Position" doc:"The exact position that is shown, when it is one of the past"`
	Body     B
}

// After is the part of inputs of reads.
type After struct {
	After string `query:"after" maxLength:"600" doc:"A position that a command answered with. The answer then includes what the command did; it is 503 when that takes longer than 10 seconds"`
}

// waitFor returns when the views include what the client has seen.
func (s *server) waitFor(ctx context.Context, after After, views ...string) error {
	position, err := wire.ParsePosition(after.After)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	for _, view := range views {
		if len(position) == 0 {
			return nil
		}
		if err := projections.WaitFor(ctx, s.Views, view, position); err != nil {
			return err
		}
	}
	return nil
}

// The statuses of success that are not 200.
const (
	created   = http.StatusCreated
	accepted  = http.StatusAccepted
	noContent = http.StatusNoContent
)
