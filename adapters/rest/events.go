package rest

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// maxReaders of events at the same time, in one process.
	maxReaders = 32
	// maxReading bounds one answer; whoever wants more goes on from where it
	// ended.
	maxReading = time.Hour
	// heartbeat is how often a live tail says that it is there, and how often
	// it asks whether its reader still may.
	heartbeat = 15 * time.Second
)

// ndjson is records, one a line.
const ndjson = "application/x-ndjson"

// positionHeader says up to where the history was read.
const positionHeader = "Waybill-Position"

func (s *server) registerEvents() {
	op := route{method: http.MethodGet, path: "/v1/events", id: "readEvents", tag: "events", needs: readEvents, reach: confined, lasts: maxReading + requestTimeout,
		summary: "The events, byte for byte as the journal and Kafka have them",
		description: "One record a line, as /schemas describes them. Within a journal partition they are in order and without a gap (but for what a filter leaves out); nothing is ordered across partitions. " +
			"Waybill-Heads is the position that the answer leads to: an answer that ended in good order has everything up to it, unless limit was reached. " +
			"To go on, give as from the last offset (sequence) that was read of each partition, which stand in each record; the trailer Waybill-Position says the same, and passes over what a filter left out. " +
			"An answer that could not be completed is cut off: its last chunk is missing, and a client reports a broken transfer. " +
			"With follow the answer stays open for an hour at most, with new records as they are committed and an empty line every 15 seconds; it may end earlier, in good order, when the server is stopped. " +
			"Who is restricted to organisations gets the events of their documents and listings, and those of batches, their bulk operations and verifications when the whole batch is theirs: for them it is by design that offsets have gaps, and completeness cannot be checked. " +
			"Reading events is itself recorded."}
	register(s, op, func(ctx context.Context, in *eventsQuery) (*eventStream, error) { return s.readEvents(ctx, op, in) })
	described := s.api.OpenAPI().Paths[op.path].Get.Responses[strconv.Itoa(http.StatusOK)]
	described.Content = map[string]*huma.MediaType{ndjson: {Schema: &huma.Schema{
		Type: huma.TypeString, Description: "Records, each a CloudEvents 1.0 JSON document on a line of its own; empty lines are to be passed over",
	}}}
}

type eventsQuery struct {
	From   string   `query:"from" maxLength:"600" example:"0:15,7:123" doc:"A position: what lies after it is read. Empty: from the beginning. now: only what is yet to come"`
	Stream string   `query:"stream" maxLength:"2000" example:"batch-B20250301-080000-ABCDE" doc:"Only events of this stream"`
	Type   []string `query:"type" maxItems:"50" maxLength:"200" nullable:"false" example:"waybill.document.migrated" doc:"Only events of these types, with or without their version, comma-separated"`
	Batch  string   `query:"batch" maxLength:"100" doc:"Only events of this batch, of its documents, listings, operations and verifications"`
	As     string   `query:"as" enum:"stored,latest" default:"stored" doc:"latest: events of an old version are mapped to the newest as /schemas/mappings say; their mappedfrom says the version that was written"`
	Follow bool     `query:"follow" doc:"Stay, and send what is committed from now on"`
	Limit  int      `query:"limit" minimum:"0" maximum:"1000000" default:"0" doc:"Records at most; 0: all"`
}

type eventStream struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Heads       string `header:"Waybill-Heads" doc:"The position of the journal's end when the answer began"`
	Trailer     string `header:"Trailer" hidden:"true"`
	Buffering   string `header:"X-Accel-Buffering" hidden:"true"`
	Body        func(huma.Context)
}

func (s *server) readEvents(ctx context.Context, op route, in *eventsQuery) (*eventStream, error) {
	heads, err := s.Journal.Heads(ctx)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(heads, func(_ int, offset int64) bool { return offset == 0 })
	from, err := startOf(in.From, heads)
	if err != nil {
		return nil, err
	}
	keeps, err := in.filter()
	if err != nil {
		return nil, err
	}
	reading := &reading{
		server: s, at: from, keeps: keeps, stream: in.Stream, latest: in.As == "latest", follow: in.Follow, left: in.Limit, bounded: in.Limit > 0,
		mayStill: func(ctx context.Context) error { return s.mayStill(ctx, op) },
	}
	if restriction(ctx).Restricted() {
		reading.seen = &sight{server: s, theirs: restriction(ctx), whole: map[string]bool{}}
	}
	select {
	case s.readers <- struct{}{}:
	default:
		return nil, newProblem(http.StatusServiceUnavailable, "readers-too-many",
			strconv.Itoa(maxReaders)+" requests read events at this moment, which is the most; try again later").with("Retry-After", "15")
	}
	return &eventStream{ContentType: ndjson, Heads: heads.String(), Trailer: positionHeader, Buffering: "no", Body: func(c huma.Context) {
		defer func() { <-s.readers }()
		reading.answer(c, heads)
	}}, nil
}

// startOf reads the position to start from.
func startOf(from string, heads wire.Position) (wire.Position, error) {
	if from == "now" {
		return maps.Clone(heads), nil
	}
	return within(heads, "from", from)
}

// within reads a position that the journal must have reached.
func within(heads wire.Position, field, text string) (wire.Position, error) {
	position, err := wire.ParsePosition(text)
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		refusal.Field = field
	}
	if err != nil {
		return nil, err
	}
	if !heads.Reached(position) {
		return nil, domain.RefuseInvalid(field, "position-ahead",
			"the journal ends at %s, before the position: it is of another installation, or the journal was restored to an older point", heads)
	}
	return position, nil
}

// filter makes what tells which records are read.
func (q *eventsQuery) filter() (func(wire.Raw) (bool, error), error) {
	for _, name := range q.Type {
		if !hasType(name) {
			return nil, typeUnknown(name)
		}
	}
	return func(r wire.Raw) (bool, error) {
		if len(q.Type) > 0 {
			name, err := wire.NameOf(r.Bytes)
			if err != nil || !isOf(name, q.Type) {
				return false, err
			}
		}
		return q.Batch == "" || concerns(r, q.Batch), nil
	}, nil
}

func typeUnknown(name string) error {
	return domain.RefuseInvalid("type", "type-unknown", "%q is not an event; /schemas/index.json names those that there are", domain.TruncateTo(name, 100))
}

func hasType(asked string) bool {
	for _, name := range wire.Types() {
		if isOf(name, []string{asked}) {
			return true
		}
	}
	return false
}

// isOf tells whether a persisted name is one of those asked for, which may be
// without a version.
func isOf(name string, asked []string) bool {
	event := name[:max(strings.LastIndex(name, ".v"), 0)]
	for _, a := range asked {
		if a == name || a == event {
			return true
		}
	}
	return false
}
