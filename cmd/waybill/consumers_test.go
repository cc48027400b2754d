package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/contract"
	"github.com/waybill-migration/waybill/domain/wire"
)

// What is outside of Waybill gets the same figures as Waybill: a plain
// consumer of Kafka and plain SQL over what the API sends, of a batch in which
// documents failed, and some of them arrived at a second try.
func TestOutsideConsumersGetTheOverviewsFigures(t *testing.T) {
	t.Parallel()
	config := simulator.Config{
		Seed: 5, Documents: 120, From: "2024-01-01", To: "2024-02-29", FileSize: 4000, MaxFiles: 3,
		Faults: map[simulator.Fault]int{simulator.WrongType: 6, simulator.MissingField: 4, simulator.Unavailable: 5},
	}
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	i.start("all")
	i.ready()
	number := i.create(config)
	first := i.finished(number)
	require.Positive(t, first.Documents.Failed)
	i.simulator.SetPhase(simulator.Recovered)
	require.NoError(t, i.api.Post(t.Context(), "/v1/batches/"+number+"/retry", map[string]any{"reason": "the source is back"}, nil))
	second := i.finishedAfter(number, *first.FinishedAt) // what can arrive has arrived
	require.Greater(t, second.Documents.Migrated, first.Documents.Migrated)

	consumer := buildConsumer(t)
	t.Run("Kafka", func(t *testing.T) { i.consumerOfKafka(t, consumer, number, second) })
	t.Run("schemas", i.everyRecordIsValid)
	t.Run("SQL", func(t *testing.T) { i.plainSQL(t, number, first, second) })
}

func buildConsumer(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "consumer")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../examples/consumer").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// consumed runs the example on topics of a prefix.
func (i *installation) consumed(t *testing.T, program, prefix string) (counts map[string]map[string]int, errors string) {
	t.Helper()
	var out, diagnostics bytes.Buffer
	c := exec.CommandContext(t.Context(), program, i.env["WAYBILL_KAFKA_BROKERS"], prefix)
	c.Stdout, c.Stderr = &out, &diagnostics
	err := c.Run()
	require.NoError(t, json.Unmarshal(out.Bytes(), &counts), "%s", diagnostics.Bytes())
	require.Equal(t, err == nil, diagnostics.Len() == 0, "%s", diagnostics.Bytes())
	return counts, diagnostics.String()
}

func (i *installation) consumerOfKafka(t *testing.T, program, number string, b batchAnswer) {
	counts, errors := i.consumed(t, program, i.env["WAYBILL_KAFKA_PREFIX"])
	require.Empty(t, errors)
	requireCounts(t, b, counts[number])

	// The same stream with every stretch twice, and one of which a record is
	// missing, and behind which more lies.
	twice, holed := i.env["WAYBILL_KAFKA_PREFIX"]+"twice", i.env["WAYBILL_KAFKA_PREFIX"]+"holed"
	history := i.history()
	var missing wire.Record
	for _, r := range history {
		if r.Partition > 0 && r.Offset == 2 {
			missing = r
		}
	}
	i.produce(t, twice, append(append([]wire.Record{}, history...), history...))
	var rest []wire.Record
	for _, r := range history {
		if r.Partition != missing.Partition || r.Offset != missing.Offset {
			rest = append(rest, r)
		}
	}
	i.produce(t, holed, rest)
	counts, errors = i.consumed(t, program, twice)
	require.Empty(t, errors)
	requireCounts(t, b, counts[number])
	_, errors = i.consumed(t, program, holed)
	require.Contains(t, errors, fmt.Sprintf("journal partition %d: there is ", missing.Partition))
	require.Contains(t, errors, "and 2 is missing")
	require.Equal(t, 1, strings.Count(errors, "missing"))
}

func requireCounts(t *testing.T, b batchAnswer, counts map[string]int) {
	t.Helper()
	d := b.Documents
	require.Equal(t, []int{d.Pending, d.Migrated, d.Failed, d.Excepted, d.Cancelled},
		[]int{counts["pending"], counts["migrated"], counts["failed"], counts["excepted"], counts["cancelled"]})
}

// everyRecordIsValid by the schema that is published of its type.
func (i *installation) everyRecordIsValid(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{}
	for _, r := range i.history() {
		if schemas[r.Type] == nil {
			published, err := contract.Files.Open("schemas/" + r.Type + ".json")
			require.NoError(t, err)
			document, err := jsonschema.UnmarshalJSON(published)
			require.NoError(t, err)
			compiler := jsonschema.NewCompiler()
			compiler.AssertFormat()
			require.NoError(t, compiler.AddResource(r.Type, document))
			schemas[r.Type], err = compiler.Compile(r.Type)
			require.NoError(t, err)
		}
		record, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Bytes))
		require.NoError(t, err)
		require.NoError(t, schemas[r.Type].Validate(record), "%s", r.Bytes)
	}
	require.Greater(t, len(schemas), 10, "the run wrote events of many types")
}

// produce makes topics of a prefix, with these records.
func (i *installation) produce(t *testing.T, prefix string, records []wire.Record) {
	t.Helper()
	settings := kafka.Settings{Brokers: []string{i.env["WAYBILL_KAFKA_BROKERS"]}, Prefix: prefix, CreateTopics: true}
	config, err := settings.Client("test")
	require.NoError(t, err)
	config.Producer.Retry.Max = 50 // a topic that was just made has no leader yet
	client, err := sarama.NewClient(settings.Brokers, config)
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, kafka.EnsureTopics(settings, client))
	producer, err := sarama.NewSyncProducerFromClient(client)
	require.NoError(t, err)
	defer producer.Close()
	messages := make([]*sarama.ProducerMessage, len(records))
	for n, r := range records {
		messages[n] = &sarama.ProducerMessage{Topic: settings.ControlTopic(), Value: sarama.ByteEncoder(r.Bytes)}
		if r.Partition > 0 {
			messages[n].Topic, messages[n].Partition = settings.DocumentsTopic(), int32(r.Partition-1)
		}
	}
	require.NoError(t, producer.SendMessages(messages))
}

// plainSQL runs the analytics example in a schema of its own.
func (i *installation) plainSQL(t *testing.T, number string, first, second batchAnswer) {
	pooled, err := i.pool.Acquire(t.Context())
	require.NoError(t, err)
	connection := pooled.Hijack() // its search path changes
	defer connection.Close(context.WithoutCancel(t.Context()))
	run := func(sql string) []*pgconn.Result {
		results, err := connection.PgConn().Exec(context.WithoutCancel(t.Context()), sql).ReadAll()
		require.NoError(t, err)
		return results
	}
	schema := "analytics_" + i.env["WAYBILL_KAFKA_PREFIX"]
	run(`CREATE SCHEMA ` + schema + `; SET search_path TO ` + schema)
	defer run(`DROP SCHEMA ` + schema + ` CASCADE`)
	run(example(t, "load.sql"))
	for range 2 { // a second time does no harm
		events := i.download(t, "/v1/events?as=latest")
		_, err = connection.PgConn().CopyFrom(t.Context(), events, `COPY arrived FROM STDIN WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')`)
		require.NoError(t, err)
		require.NoError(t, events.Close())
		run(example(t, "take.sql"))
	}
	require.Empty(t, run(`SELECT * FROM gaps`)[0].Rows)
	require.Equal(t, fmt.Sprint(len(i.history())), string(run(`SELECT count(*) FROM events`)[0].Rows[0][0]))
	answers := run(example(t, "questions.sql"))
	require.Len(t, answers, 3)
	requireStanding(t, number, second, answers[0].Rows)
	requireFailures(t, first, second, answers[1].Rows)
	requireMoved(t, second, answers[2].Rows)
}

func texts(row [][]byte) string { return string(bytes.Join(row, []byte(" "))) }

func requireStanding(t *testing.T, number string, b batchAnswer, rows [][][]byte) {
	t.Helper()
	d := b.Documents
	require.Len(t, rows, 1)
	require.Equal(t, fmt.Sprintln(number, d.Migrated, d.Failed, d.Pending, d.Excepted, d.Cancelled), texts(rows[0])+"\n")
}

func requireFailures(t *testing.T, first, second batchAnswer, rows [][][]byte) {
	t.Helper()
	failedOnce, stillFailed := map[string]int{}, map[string]int{}
	for _, row := range rows {
		var category string
		var once, since, still int
		_, err := fmt.Sscan(texts(row[1:]), &category, &once, &since, &still)
		require.NoError(t, err)
		require.Equal(t, once, since+still)
		failedOnce[category] = once
		if still > 0 {
			stillFailed[category] = still
		}
	}
	require.Equal(t, first.Failures, failedOnce)
	require.Equal(t, second.Failures, stillFailed)
}

func requireMoved(t *testing.T, b batchAnswer, rows [][][]byte) {
	t.Helper()
	migrations, moved := 0, 0
	for _, row := range rows {
		var organization string
		var n, stored int
		var median, p99 float64
		_, err := fmt.Sscan(texts(row[1:]), &organization, &n, &median, &p99, &stored)
		require.NoError(t, err)
		require.LessOrEqual(t, median, p99)
		migrations, moved = migrations+n, moved+stored
	}
	require.Equal(t, b.Documents.Migrated, migrations)
	require.Positive(t, moved)
}

func example(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "examples", "analytics", name))
	require.NoError(t, err)
	return string(content)
}

// download gives what the API sends.
func (i *installation) download(t *testing.T, path string) io.ReadCloser {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.env["WAYBILL_LISTEN"]+path, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+i.api.Token)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	return response.Body
}
