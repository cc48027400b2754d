package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// look in every place that the installation writes to.
func (a *aviary) look() sightings {
	a.t.Helper()
	found := sightings{}
	a.lookInDatabase(found)
	a.lookInKafka(found)
	a.lookInArchive(found)
	a.lookInFiles(found, "Kafka's files", a.data)
	for name, c := range a.children {
		content, err := os.ReadFile(c.log)
		require.NoError(a.t, err)
		require.NotEmpty(a.t, content)
		found.look(&a.canaries, "log of "+name, content)
	}
	for name, said := range a.outputs {
		found.look(&a.canaries, "output of "+name, said)
	}
	a.answers.mu.Lock()
	defer a.answers.mu.Unlock()
	for of, said := range a.answers.said {
		found.look(&a.canaries, "answer to "+of, append(said.Bytes(), unzipped(said.Bytes())...))
	}
	return found
}

// lookInDatabase reads every table that the installation's user has, rows as
// text, in which bytes are hexadecimal.
func (a *aviary) lookInDatabase(found sightings) {
	a.t.Helper()
	rows, err := a.pool.Query(a.t.Context(), `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename), tablename FROM pg_tables WHERE tableowner = $1`, a.role)
	require.NoError(a.t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Table, Name string }])
	require.NoError(a.t, err)
	require.Greater(a.t, len(tables), 15)
	for _, t := range tables {
		rows, err := a.pool.Query(a.t.Context(), `SELECT t::text FROM `+t.Table+` t`)
		require.NoError(a.t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(a.t, err)
		found.look(&a.canaries, "table "+t.Name, []byte(strings.Join(lines, "\n")))
	}
}

// lookInKafka reads every record, with key and headers.
func (a *aviary) lookInKafka(found sightings) {
	a.t.Helper()
	s, err := readSettings(a.env, []role{relay})
	require.NoError(a.t, err)
	config, err := s.kafka().Client("canaries")
	require.NoError(a.t, err)
	broker, err := sarama.NewClient(s.KafkaBrokers, config)
	require.NoError(a.t, err)
	defer broker.Close()
	consumer, err := sarama.NewConsumerFromClient(broker)
	require.NoError(a.t, err)
	defer consumer.Close()
	read := 0
	for _, topic := range []string{s.kafka().ControlTopic(), s.kafka().DocumentsTopic()} {
		partitions, err := consumer.Partitions(topic)
		require.NoError(a.t, err)
		for _, partition := range partitions {
			newest, err := broker.GetOffset(topic, partition, sarama.OffsetNewest)
			require.NoError(a.t, err)
			if newest == 0 {
				continue
			}
			from, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
			require.NoError(a.t, err)
			for record := range from.Messages() {
				var whole bytes.Buffer
				fmt.Fprintf(&whole, "%s\n%s\n", record.Key, record.Value)
				for _, h := range record.Headers {
					fmt.Fprintf(&whole, "%s: %s\n", h.Key, h.Value)
				}
				found.look(&a.canaries, "records of "+strings.TrimPrefix(topic, s.KafkaPrefix+"."), whole.Bytes())
				if read++; record.Offset == newest-1 {
					break
				}
			}
			require.NoError(a.t, from.Close())
		}
	}
	require.Greater(a.t, read, 100)
}

// lookInArchive tells raw items, which are kept as the source sent them, from
// all else.
func (a *aviary) lookInArchive(found sightings) {
	a.t.Helper()
	objects := 0
	require.NoError(a.t, filepath.WalkDir(a.archive, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		found.look(&a.canaries, "names in the archive", []byte(path))
		if entry.IsDir() {
			return nil
		}
		kind, _, dashed := strings.Cut(entry.Name(), "-")
		if !dashed {
			kind = "file"
		}
		content, err := os.ReadFile(path)
		found.look(&a.canaries, kind+"s in the archive", content)
		objects++
		return err
	}))
	require.Greater(a.t, objects, 100)
}

// lookInFiles of a folder, but for indexes, which are mostly holes. Kafka is at
// work: what is gone meanwhile it has written anew and renamed.
func (a *aviary) lookInFiles(found sightings, where, dir string) {
	a.t.Helper()
	var bytes int
	require.NoError(a.t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "index") {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		found.look(&a.canaries, where, content)
		bytes += len(content)
		return err
	}))
	require.Greater(a.t, bytes, 10_000)
}

// unzipped members of a workbook within an answer.
func unzipped(content []byte) (all []byte) {
	begin := bytes.Index(content, []byte("PK\x03\x04"))
	if begin < 0 {
		return nil
	}
	archive, err := zip.NewReader(bytes.NewReader(content[begin:]), int64(len(content)-begin))
	if err != nil {
		return nil
	}
	for _, member := range archive.File {
		opened, err := member.Open()
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(opened)
		all = append(all, text...)
	}
	return all
}

// scrape the metrics, which have a listener of their own.
func (a *aviary) scrape() {
	a.t.Helper()
	for _, path := range []string{"/metrics", "/readyz"} {
		response, err := http.Get("http://" + a.env["WAYBILL_METRICS_LISTEN"] + path) //nolint:noctx // of a test
		require.NoError(a.t, err)
		content, err := io.ReadAll(response.Body)
		require.NoError(a.t, err)
		require.NoError(a.t, response.Body.Close())
		require.Equal(a.t, http.StatusOK, response.StatusCode)
		a.outputs["scrape of "+path] = append(a.outputs["scrape of "+path], content...)
	}
}
