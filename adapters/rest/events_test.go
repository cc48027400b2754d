package rest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/contract"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// events reads to the end of an answer.
func (r *rig) events(query string) (lines []string, a answer, end string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+"/v1/events?"+query, nil)
	require.NoError(r.t, err)
	request.Header.Set("Authorization", "Bearer "+r.secrets[commands.RoleAuditor])
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, response.StatusCode, "%s", received)
	for _, line := range bytes.Split(bytes.TrimSuffix(received, []byte("\n")), []byte("\n")) {
		if len(line) > 0 {
			lines = append(lines, string(line))
		}
	}
	return lines, answer{r.t, response.StatusCode, response.Header, received}, response.Trailer.Get("Waybill-Position")
}

// stored is what the journal has after a position, by partition.
func (r *rig) stored(after wire.Position) (lines []string) {
	r.t.Helper()
	for partition := range domain.Partitions {
		records, err := r.journal.Read(context.WithoutCancel(r.t.Context()), partition, after[partition], 10_000)
		require.NoError(r.t, err)
		for _, record := range records {
			lines = append(lines, string(record.Bytes))
		}
	}
	return lines
}

func positionOf(t *testing.T, lines []string) wire.Position {
	t.Helper()
	at := wire.Position{}
	for _, line := range lines {
		partition, offset, err := wire.Locate([]byte(line))
		require.NoError(t, err)
		require.Greater(t, offset, at[partition], "in order within a partition")
		at[partition] = offset
	}
	return at
}

func TestEventsAreTheJournalsBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	for _, number := range []string{"1", "2 <&> 报销", "3", "4/5"} {
		r.failed(b.Number, image("ssc", number))
	}
	lines, a, end := r.events("")
	require.ElementsMatch(t, r.stored(nil), lines)
	require.Equal(t, "application/x-ndjson", a.Header.Get("Content-Type"))
	heads := r.heads()
	require.Equal(t, heads.String(), a.Header.Get("Waybill-Heads"))
	require.Equal(t, heads.String(), end)
	require.True(t, positionOf(t, lines).Reached(heads), "no gap at the end either")

	// In parts, going on from what the records themselves say.
	var parts []string
	at := wire.Position{}
	for {
		part, _, trailer := r.events("limit=3&from=" + url.QueryEscape(at.String()))
		if len(part) == 0 {
			break
		}
		parts = append(parts, part...)
		at.Raise(positionOf(t, part))
		said, err := wire.ParsePosition(trailer)
		require.NoError(t, err)
		require.True(t, said.Reached(at))
	}
	require.ElementsMatch(t, lines, parts)
	none, _, end := r.events("from=now")
	require.Empty(t, none)
	require.Equal(t, heads.String(), end)
}

func TestEventsByStreamTypeAndBatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, id := r.batch(), image("ssc", "报销/2024 03")
	other := r.anotherBatch()
	r.failed(b.Number, id)
	r.discovered(other.Number, id)
	r.post("/v1/batches/"+b.Number+"/pause", because("x")).is(http.StatusOK, nil)
	kept := func(keep func(r wire.Record) bool) (lines []string) {
		for _, line := range r.stored(nil) {
			record, err := wire.Decode([]byte(line))
			require.NoError(t, err)
			if keep(record) {
				lines = append(lines, line)
			}
		}
		return lines
	}
	check := func(query string, count int, keep func(r wire.Record) bool) {
		t.Helper()
		lines, a, end := r.events(query)
		require.Len(t, lines, count)
		require.ElementsMatch(t, kept(keep), lines)
		require.Equal(t, a.Header.Get("Waybill-Heads"), end, "what was left out is behind the reader")
	}
	check("stream="+url.QueryEscape(id.Stream()), 3, func(r wire.Record) bool { return r.Stream == id.Stream() })
	check("stream=batch-"+b.Number, 2, func(r wire.Record) bool { return r.Stream == "batch-"+b.Number })
	check("stream=batch-none", 0, func(wire.Record) bool { return false })
	check("type=waybill.document.failed.v1,waybill.batch.created", 3, func(r wire.Record) bool {
		return r.Type == "waybill.document.failed.v1" || r.Type == "waybill.batch.created.v1"
	})
	ofBatch := func(number string) func(wire.Record) bool {
		return func(r wire.Record) bool {
			e, ok := r.Event.(document.Event)
			return r.Stream == "batch-"+number || ok && e.GetChange().Batch == number
		}
	}
	check("batch="+b.Number, 4, ofBatch(b.Number))
	check("batch="+other.Number, 2, ofBatch(other.Number))
	check("batch="+b.Number+"&type=waybill.document.failed&stream="+url.QueryEscape(id.Stream()), 1, func(r wire.Record) bool { return r.Type == "waybill.document.failed.v1" })
}

func TestWrongQuestionsForEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for query, code := range map[string]string{
		"from=0:999": "position-ahead", "from=99:1": "position-invalid", "from=x": "position-invalid", "type=waybill.planet.found": "type-unknown",
		"type=waybill": "type-unknown", "as=newest": "validation-failed", "limit=-1": "validation-failed", "since=0:1": "validation-failed",
	} {
		p := r.send(commands.RoleAuditor, "GET", "/v1/events?"+query, nil).refused(http.StatusUnprocessableEntity, code)
		if code != "validation-failed" {
			require.Equal(t, query[:strings.Index(query, "=")], p.Field)
		}
	}
}

// Records of an old version, which this build no longer writes, are put into
// the journal as a build of that time would have.
func TestEventsAsTheNewestVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, id := r.batch(), image("ssc", "1")
	r.discovered(b.Number, id)
	_, err := r.pool.Exec(t.Context(), `ALTER TABLE journal DISABLE TRIGGER ALL`)
	require.NoError(t, err)
	_, err = r.pool.Exec(t.Context(), `UPDATE journal SET record = convert_to(replace(replace(convert_from(record, 'UTF8'),
		'discovered.v2', 'discovered.v1'), '"filesTotal":2', '"filesTotal":2,"skipped":["f2"]'), 'UTF8') WHERE stream = $1`, id.Stream())
	require.NoError(t, err)
	query := "stream=" + url.QueryEscape(id.Stream())
	stored, _, _ := r.events(query)
	require.Contains(t, stored[0], `"type":"waybill.document.discovered.v1"`)
	latest, _, _ := r.events(query + "&as=latest&type=waybill.document.discovered.v1")
	require.Len(t, latest, 1)
	require.Contains(t, latest[0], `"mappedfrom":"waybill.document.discovered.v1"`)
	before, err := wire.Decode([]byte(stored[0]))
	require.NoError(t, err)
	after, err := wire.Decode([]byte(latest[0]))
	require.NoError(t, err)
	require.Equal(t, "waybill.document.discovered.v2", after.Type)
	require.Equal(t, before.Event, after.Event, "what the upcaster reads")
	require.Equal(t, []document.Mark{{FileID: "f2"}}, after.Event.(document.Discovered).Skipped)
}

// tail is an answer that stays open.
type tail struct {
	*bufio.Scanner
	response *http.Response
}

func (r *rig) tail(query string) *tail {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+"/v1/events?follow=true&"+query, nil)
	require.NoError(r.t, err)
	request.Header.Set("Authorization", "Bearer "+r.secrets[commands.RoleAuditor])
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, response.StatusCode)
	r.t.Cleanup(func() { response.Body.Close() })
	return &tail{bufio.NewScanner(response.Body), response}
}

func (l *tail) next(t *testing.T) string {
	t.Helper()
	for l.Scan() {
		if l.Text() != "" {
			return l.Text()
		}
	}
	t.Fatalf("the tail ended: %v", l.Err())
	return ""
}

func TestEventsAreFollowedAsTheyAreCommitted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	all, late := r.tail(""), r.tail("from=now&type=waybill.batch.paused")
	require.Contains(t, all.next(t), "waybill.source.registered.v2")
	for range 3 {
		b := r.anotherBatch()
		require.Contains(t, all.next(t), b.Number)
		r.post("/v1/batches/"+b.Number+"/pause", because("x")).is(http.StatusOK, nil)
		require.Contains(t, all.next(t), "waybill.batch.paused.v1")
		require.Contains(t, late.next(t), b.Number)
	}
	limited := r.tail("from=now&limit=1")
	b := r.anotherBatch()
	require.Contains(t, limited.next(t), b.Number)
	require.False(t, limited.Scan(), "it ends at its limit")
	require.NoError(t, limited.Err())
	require.Equal(t, r.heads().String(), limited.response.Trailer.Get("Waybill-Position"))
}

func (r *rig) heads() wire.Position {
	heads, err := r.journal.Heads(r.t.Context())
	require.NoError(r.t, err)
	maps.DeleteFunc(heads, func(_ int, offset int64) bool { return offset == 0 })
	return heads
}

// A process that is stopped ends its tails in good order, with a position.
func TestTailsEndWithTheProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	ending := make(chan struct{})
	d := r.dependencies()
	d.Ending = ending
	r.serve(d, longWait)
	followed := r.tail("")
	followed.next(t)
	close(ending)
	require.False(t, followed.Scan())
	require.NoError(t, followed.Err())
	require.Equal(t, r.heads().String(), followed.response.Trailer.Get("Waybill-Position"))
}

// An answer that was cut off must not look like a whole one.
func TestAnAnswerThatFailsIsCutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	d := r.dependencies()
	journal := &failing{Journal: r.journal, failed: make(chan struct{})}
	d.Journal = journal
	r.serve(d, longWait)
	followed := r.tail("")
	followed.next(t)
	close(journal.failed)
	r.anotherBatch()
	require.False(t, followed.Scan())
	require.ErrorIs(t, followed.Err(), io.ErrUnexpectedEOF)
	require.Eventually(t, func() bool { return strings.Contains(r.log.String(), errBroken.Error()) }, longWait, time.Millisecond, "the log says why")
}

type failing struct {
	Journal
	failed chan struct{}
}

var errBroken = &json.UnsupportedValueError{Str: "the disk is on fire"}

func (f *failing) Stretch(ctx context.Context, partition int, after, upTo int64, bytes int) ([]wire.Raw, error) {
	select {
	case <-f.failed:
		return nil, errBroken
	default:
		return f.Journal.Stretch(ctx, partition, after, upTo, bytes)
	}
}

func TestReadersOfEventsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	var open []*tail
	for range maxReaders {
		open = append(open, r.tail(""))
	}
	p := r.send(commands.RoleAuditor, "GET", "/v1/events", nil)
	p.refused(http.StatusServiceUnavailable, "readers-too-many")
	require.Equal(t, "15", p.Header.Get("Retry-After"))
	open[7].response.Body.Close()
	require.Eventually(t, func() bool { return r.send(commands.RoleAuditor, "GET", "/v1/events", nil).Status == http.StatusOK },
		longWait, 10*time.Millisecond, "a client that goes makes room")
}

func TestTheContractIsPublished(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var index struct {
		Events []struct{ Type, Schema, Mapping string }
	}
	r.send("", "GET", "/schemas", nil).is(http.StatusOK, &index)
	require.Len(t, index.Events, len(wire.Types()))
	for _, event := range index.Events {
		a := r.send("", "GET", event.Schema, nil).is(http.StatusOK, nil)
		require.Equal(t, "application/schema+json", a.Header.Get("Content-Type"))
		published, err := contract.Files.ReadFile(strings.TrimPrefix(event.Schema, "/"))
		require.NoError(t, err)
		require.Equal(t, published, a.Body)
		if event.Mapping != "" {
			var mapping contract.Mapping
			r.send("", "GET", event.Mapping, nil).is(http.StatusOK, &mapping)
			require.Equal(t, event.Type, mapping.From)
		}
	}
	r.send("", "GET", "/asyncapi.json", nil).is(http.StatusOK, nil)
	r.send("", "GET", "/schemas/waybill.planet.found.v1.json", nil).refused(http.StatusNotFound, "route-not-found")
}

// Whoever may no longer read is not sent anything more, and a tail that has
// nothing to send shows that it is there.
func TestATailAsksWhetherItsReaderStillMay(t *testing.T) {
	t.Parallel()
	recorder := httptest.NewRecorder()
	beat := make(chan time.Time)
	asked := make(chan error)
	r := &reading{
		server: &server{}, beat: beat, follow: true, body: recorder, out: http.NewResponseController(unlimited{recorder}),
		mayStill: func(context.Context) error { return <-asked },
	}
	ended := make(chan error)
	go func() { ended <- await(t.Context(), r, make(chan struct{})) }()
	beat <- time.Time{}
	asked <- nil
	beat <- time.Time{}
	revoked := newProblem(http.StatusUnauthorized, "token-unknown", "revoked")
	asked <- revoked
	require.ErrorIs(t, <-ended, revoked)
	require.Equal(t, "\n", recorder.Body.String())
}

// unlimited is a recorder that takes a deadline.
type unlimited struct{ *httptest.ResponseRecorder }

func (unlimited) SetWriteDeadline(time.Time) error { return nil }
